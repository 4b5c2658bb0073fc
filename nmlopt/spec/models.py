"""targets.json as typed, frozen models (pydantic v2): the public file format, version 1.0.

Every dimensional value is a NeuroML quantity string. Unknown keys are errors. Nothing here knows a document: whether
paths, units and sites fit one is checked in `experiment`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from nmlopt.spec.quantities import Amplitude, Bound, Length, Resistance, Temperature, Time, Voltage

Text = Annotated[str, Field(min_length=1)]
Id = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]*$")]
Positive = Annotated[float, Field(gt=0)]

DEFAULT_CAP = 250.0


class Model(BaseModel):
    """Base of all parts: frozen, no unknown keys, no NaN or inf. `spec.load` converts no types silently."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Parameter(Model):
    """One value of the model: free (lower, upper), or dependent (`expression` over the ids of other parameters)."""

    id: Id = Field(description="Name of the parameter; expressions use it.")
    paths: tuple[Text, ...] = Field(
        min_length=1,
        description="Paths of the numbers in the NeuroML document that all receive this value "
        "(`nmlopt paths model.nml` lists them).",
        examples=[["cell:hh/channelDensity:na/condDensity"]],
    )
    lower: Bound | None = Field(default=None, description="Lower bound of a free parameter, with its unit.")
    upper: Bound | None = Field(default=None, description="Upper bound of a free parameter, with its unit.")
    scale: Literal["linear", "log10"] = Field(
        default="linear", description="How the search steps through the bounds; log10 needs positive bounds."
    )
    expression: Text | None = Field(
        default=None,
        description="Makes the parameter dependent: arithmetic (+ - * / ^, exp, log, sqrt, abs, ...) over ids of other "
        "parameters. A free parameter counts in the unit in which its `lower` is written, a dependent one in its "
        "`unit`.",
        examples=["0.1 * gna"],
    )
    unit: str | None = Field(
        default=None, description="Unit of the result of `expression`; leave it out for a plain number."
    )
    description: str = Field(default="", description="Free text, for people.")


class At(Model):
    """A site: `segment` (id) and the fraction along it, or `distance` along the path from the middle of the soma."""

    segment: int | None = Field(default=None, description="Id of a NeuroML segment; 0 in a point cell.")
    fraction_along: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.5, description="Where on the segment: 0 is its proximal, 1 its distal end."
    )
    distance: Length | None = Field(
        default=None, description="Path distance from the middle of the soma; needs `towards`."
    )
    towards: int | None = Field(
        default=None, description="Id of a segment; the site lies on the way from the soma to its distal end."
    )


SOMA = At(segment=0)


class Pulse(Model):
    """A constant current for delay <= t < delay + duration."""

    type: Literal["pulse"]
    delay: Time = Field(description="When it begins.")
    duration: Time = Field(description="How long it lasts.")
    amplitude: Amplitude = Field(
        description="Current, positive is depolarising; a plain number for cells with dimensionless input."
    )
    at: At = Field(default=SOMA, description="Where it is injected.")


class Ramp(Model):
    """A current that goes linearly from `start` to `finish`."""

    type: Literal["ramp"]
    delay: Time = Field(description="When it begins.")
    duration: Time = Field(description="How long it lasts.")
    start: Amplitude = Field(description="Current at its beginning.")
    finish: Amplitude = Field(description="Current at its end.")
    at: At = Field(default=SOMA, description="Where it is injected.")


class Sine(Model):
    """amplitude * sin(phase + 2 pi (t - delay) / period)."""

    type: Literal["sine"]
    delay: Time = Field(description="When it begins.")
    duration: Time = Field(description="How long it lasts.")
    amplitude: Amplitude = Field(description="Largest current.")
    period: Time = Field(description="Time of one cycle.")
    phase: float = Field(default=0.0, description="Phase at its beginning, in radians.")
    at: At = Field(default=SOMA, description="Where it is injected.")


class Played(Model):
    """A current read from a CSV file, linear between its samples, zero before the first and after the last."""

    type: Literal["played"]
    file: Text = Field(description="CSV file of two columns, time and current; relative to the folder of this file.")
    time_unit: Text = Field(default="ms", description="Unit of the first column.")
    unit: str = Field(default="nA", description="Unit of the second column.")
    at: At = Field(default=SOMA, description="Where it is injected.")


class Level(Model):
    """One level of a voltage clamp."""

    duration: Time = Field(description="How long it is held.")
    target: Voltage = Field(description="The voltage that is held.")


class VoltageClamp(Model):
    """A clamp through a series resistance; its current is recorded with the quantity 'i_clamp'."""

    type: Literal["voltage_clamp"]
    series_resistance: Resistance = Field(default="0.01 Mohm", description="Resistance between clamp and cell.")
    levels: tuple[Level, ...] = Field(
        min_length=1, description="Levels one after another from t = 0; no current flows after the last."
    )
    at: At = Field(default=SOMA, description="Where the cell is clamped.")


class Input(Model):
    """An input or synapse of the document, any of whose numbers can be a parameter."""

    type: Literal["input"]
    component: Text = Field(description="Id of the input or synapse in the document.", examples=["ampa"])
    id: Text | None = Field(
        default=None,
        description="Name for recordings '<id>/<exposure>', unique in its protocol; without it that of the component.",
    )
    weight: float = Field(default=1.0, description="Weight of the input or of the connection.")
    events: tuple[Time, ...] = Field(default=(), description="When spikes arrive at a synapse.")
    source: Text | None = Field(
        default=None, description="Id of a spike source in the document whose spikes arrive, after `delay`."
    )
    delay: Time = Field(default="0 ms", description="How long the spikes of the source travel.")
    seed: Annotated[int, Field(ge=0)] = Field(
        default=0, description="Seed for a source, or an input, that draws random numbers."
    )
    at: At = Field(default=SOMA, description="Where it lies.")


Stimulus = Annotated[Pulse | Ramp | Sine | Played | VoltageClamp | Input, Field(discriminator="type")]


class Recording(Model):
    """What to record where."""

    id: Id = Field(description="Name of the recording, unique in its protocol.")
    quantity: Text = Field(
        default="v",
        description="'v', 'i_clamp' (the current of the clamp), or '<density, pool or cell id>/<exposure>'.",
        examples=["v", "i_clamp", "na/m/q"],
    )
    at: At = Field(default=SOMA, description="Where; not used for 'i_clamp'.")


class Protocol(Model):
    """One experiment: stimuli, recordings, how long. Role 'validate': run and shown, but not minimised."""

    id: Id = Field(description="Name of the protocol.")
    role: Literal["fit", "validate"] = Field(
        default="fit", description="'validate' keeps its targets out of what is minimised."
    )
    duration: Time = Field(description="How long the experiment is simulated.")
    stimuli: tuple[Stimulus, ...] = Field(default=(), description="Currents add up; at most one voltage clamp.")
    recordings: tuple[Recording, ...] = Field(min_length=1, description="What is recorded.")
    v_init: Voltage | None = Field(default=None, description="Voltage at t = 0; overrides that of the file.")
    temperature: Temperature | None = Field(default=None, description="Overrides that of the file.")


class Window(Model):
    """From when to when a trace is looked at."""

    start: Time = Field(description="Beginning, from the start of the protocol.")
    end: Time = Field(description="End, from the start of the protocol.")


class FeatureTarget(Model):
    """Wanted mean and sd of an eFEL feature. Score: mean of |value - mean| / sd over the feature's values."""

    type: Literal["feature"]
    id: Id = Field(description="Name of the target.")
    protocol: Id = Field(description="Id of a protocol.")
    recording: Id = Field(description="Id of a recording of that protocol.")
    library: Literal["efel"] = Field(default="efel", description="Who computes the feature.")
    feature: Text = Field(description="Name of the feature in the library.", examples=["Spikecount", "AP_amplitude"])
    mean: float = Field(description="Wanted value, in the library's unit (ms, mV, Hz, ...).")
    sd: Positive = Field(description="Standard deviation in the same unit: the unit of the score.")
    unit: str = Field(default="", description="Unit of mean and sd, for people and reports.")
    n: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="How many observations mean and sd rest on."
    )
    weight: Positive = Field(default=1.0, description="Weight in an objective that combines by 'weighted_sum'.")
    window: Window | None = Field(
        default=None, description="What eFEL takes as the stimulus; without it that of the protocol's longest stimulus."
    )
    threshold: Voltage = Field(default="-20 mV", description="Voltage whose upward crossing is a spike.")
    efel_settings: dict[str, float | int | str] = Field(
        default_factory=dict, description="Further settings of eFEL for this feature, by eFEL's names."
    )


class SpikeTimesTarget(Model):
    """Wanted spike times. Score: see `nmlopt.objectives`."""

    type: Literal["spike_times"]
    id: Id = Field(description="Name of the target.")
    protocol: Id = Field(description="Id of a protocol.")
    recording: Id = Field(description="Id of a recording of that protocol.")
    times: tuple[Time, ...] = Field(description="Wanted spike times, ascending; an empty list wants silence.")
    sd: Time = Field(default="1 ms", description="Standard deviation of one spike time: the unit of the score.")
    threshold: Voltage = Field(default="-20 mV", description="Voltage whose upward crossing is a spike.")
    weight: Positive = Field(default=1.0, description="Weight in an objective that combines by 'weighted_sum'.")


class TraceTarget(Model):
    """A wanted trace from a CSV file. Score: root mean square difference / sd."""

    type: Literal["trace"]
    id: Id = Field(description="Name of the target.")
    protocol: Id = Field(description="Id of a protocol.")
    recording: Id = Field(description="Id of a recording of that protocol.")
    file: Text = Field(description="CSV file of two columns, time and value; relative to the folder of this file.")
    time_unit: Text = Field(default="ms", description="Unit of the first column.")
    unit: str = Field(default="mV", description="Unit of the second column.")
    sd: Bound = Field(default="1 mV", description="Standard deviation of one sample: the unit of the score.")
    window: Window | None = Field(default=None, description="Part of the trace that counts; without it all of it.")
    weight: Positive = Field(default=1.0, description="Weight in an objective that combines by 'weighted_sum'.")


Target = Annotated[FeatureTarget | SpikeTimesTarget | TraceTarget, Field(discriminator="type")]


class Objective(Model):
    """Several targets made into one number to minimise."""

    id: Id = Field(description="Name of the objective.")
    targets: tuple[Id, ...] = Field(min_length=1, description="Ids of targets; each in one objective at most.")
    combine: Literal["max", "mean", "weighted_sum"] = Field(
        default="mean", description="How the scores become one number; only 'weighted_sum' uses the weights."
    )


class Extension(Model):
    """A named extension; a required one that is not known makes the file invalid."""

    version: str = Field(description="Version of the extension.")
    required: bool = Field(default=False, description="Whether a tool that does not know it must refuse the file.")


class Targets(Model):
    """What a model of a neuron is fitted to: free parameters, experiments, and wanted results."""

    schema_: str | None = Field(default=None, alias="$schema", description="For editors: where the schema lies.")
    format: Literal["nmlopt-targets"] = Field(description="Says what this file is.")
    format_version: Literal["1.0"] = Field(description="Version of the format.")
    id: Id = Field(description="Name of the problem.")
    description: str = Field(default="", description="Free text, for people.")
    component: Id | None = Field(
        default=None, description="Id of the cell in the document; needed only where it holds several."
    )
    temperature: Temperature | None = Field(
        default=None, description="Temperature of all protocols; without it that of the document, else 6.3 degC."
    )
    v_init: Voltage | None = Field(
        default=None, description="Voltage at t = 0 of all protocols; without it that of the document."
    )
    cap: Positive = Field(default=DEFAULT_CAP, description="Highest score of an objective, and that of a failed run.")
    parameters: tuple[Parameter, ...] = Field(min_length=1, description="What may change, and how far.")
    protocols: tuple[Protocol, ...] = Field(min_length=1, description="The experiments.")
    targets: tuple[Target, ...] = Field(min_length=1, description="The wanted results.")
    objectives: tuple[Objective, ...] = Field(
        default=(), description="Groups of targets; a fitted target in no group is an objective of its own."
    )
    extensions: dict[str, Extension] = Field(default_factory=dict, description="Named additions to the format.")

    def all_objectives(self) -> tuple[Objective, ...]:
        """The groups as written, then one objective for each fitted target that is in no group, in file order."""
        roles = {protocol.id: protocol.role for protocol in self.protocols}
        grouped = {target for objective in self.objectives for target in objective.targets}
        single = (t for t in self.targets if t.id not in grouped and roles.get(t.protocol) == "fit")
        return self.objectives + tuple(Objective(id=t.id, targets=(t.id,), combine="weighted_sum") for t in single)
