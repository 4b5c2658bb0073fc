"""targets.json as typed, frozen models (pydantic v2): the public file format, version 1.0.

Every dimensional value is a NeuroML quantity string. Unknown keys are errors. Nothing here knows a document: whether
paths, units and sites fit one is checked in `experiment`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Text = Annotated[str, Field(min_length=1)]
Id = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]*$")]
Positive = Annotated[float, Field(gt=0)]

DEFAULT_CAP = 250.0


class Model(BaseModel):
    """Base of all parts: frozen, no unknown keys, no NaN or inf, no silent conversion of types."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=False)


class Parameter(Model):
    """One value of the model: free (lower, upper), or dependent (`expression` over the ids of free parameters).

    All `paths` receive the same value. `unit` is needed only with `expression`.
    """

    id: Id
    paths: Annotated[tuple[Text, ...], Field(min_length=1)]
    lower: str | None = None
    upper: str | None = None
    scale: Literal["linear", "log10"] = "linear"
    expression: str | None = None
    unit: str | None = None
    description: str = ""


class At(Model):
    """A site: a segment (id) and the fraction along it, or a path distance from the middle of the soma.

    `distance` needs `towards`: the id of a segment; the site lies on the way from the soma to that segment.
    """

    segment: int | None = None
    fraction_along: Annotated[float, Field(ge=0, le=1)] = 0.5
    distance: str | None = None
    towards: int | None = None


class Pulse(Model):
    """A constant current for delay <= t < delay + duration."""

    type: Literal["pulse"]
    delay: str
    duration: str
    amplitude: str
    at: At = At(segment=0)


class Ramp(Model):
    """A current that goes linearly from `start` to `finish`."""

    type: Literal["ramp"]
    delay: str
    duration: str
    start: str
    finish: str
    at: At = At(segment=0)


class Sine(Model):
    """amplitude * sin(phase + 2 pi (t - delay) / period)."""

    type: Literal["sine"]
    delay: str
    duration: str
    amplitude: str
    period: str
    phase: float = 0.0
    at: At = At(segment=0)


class Played(Model):
    """A current read from a CSV file (two columns: time, current; relative to targets.json), linear in between."""

    type: Literal["played"]
    file: Text
    time_unit: str = "ms"
    unit: str = "nA"
    at: At = At(segment=0)


class Level(Model):
    """One level of a voltage clamp."""

    duration: str
    target: str


class VoltageClamp(Model):
    """A clamp through a series resistance; its current is recorded with the quantity 'i_clamp'."""

    type: Literal["voltage_clamp"]
    series_resistance: str = "0.01 Mohm"
    levels: Annotated[tuple[Level, ...], Field(min_length=1)]
    at: At = At(segment=0)


Stimulus = Annotated[Pulse | Ramp | Sine | Played | VoltageClamp, Field(discriminator="type")]


class Recording(Model):
    """What to record where: 'v', 'i_clamp', or '<density, pool or cell id>/<exposure>' such as 'na/m/q'."""

    id: Id
    quantity: Text = "v"
    at: At = At(segment=0)


class Protocol(Model):
    """One experiment. Protocols of role 'validate' are run and shown, but not minimised."""

    id: Id
    role: Literal["fit", "validate"] = "fit"
    duration: str
    stimuli: tuple[Stimulus, ...] = ()
    recordings: Annotated[tuple[Recording, ...], Field(min_length=1)]
    v_init: str | None = None
    temperature: str | None = None


class Window(Model):
    """From when to when a trace is looked at."""

    start: str
    end: str


class FeatureTarget(Model):
    """Wanted mean and sd of an eFEL feature. Without `window` that of the protocol's longest stimulus holds."""

    type: Literal["feature"]
    id: Id
    protocol: Id
    recording: Id
    library: Literal["efel"] = "efel"
    feature: Text
    mean: float
    sd: Positive
    unit: str = ""
    n: Annotated[int, Field(ge=1)] | None = None
    weight: Positive = 1.0
    window: Window | None = None
    threshold: str = "-20 mV"
    efel_settings: dict[str, float | int | str] = Field(default_factory=dict)


class SpikeTimesTarget(Model):
    """Wanted spike times. Score: see `nmlopt.objectives`."""

    type: Literal["spike_times"]
    id: Id
    protocol: Id
    recording: Id
    times: tuple[str, ...]
    sd: str = "1 ms"
    threshold: str = "-20 mV"
    weight: Positive = 1.0


class TraceTarget(Model):
    """A wanted trace from a CSV file (two columns: time, value). Score: root mean square difference / sd."""

    type: Literal["trace"]
    id: Id
    protocol: Id
    recording: Id
    file: Text
    time_unit: str = "ms"
    unit: str = "mV"
    sd: str = "1 mV"
    window: Window | None = None
    weight: Positive = 1.0


Target = Annotated[FeatureTarget | SpikeTimesTarget | TraceTarget, Field(discriminator="type")]


class Objective(Model):
    """Several targets made into one number to minimise."""

    id: Id
    targets: Annotated[tuple[Id, ...], Field(min_length=1)]
    combine: Literal["max", "mean", "weighted_sum"] = "mean"


class Extension(Model):
    """A named extension; a required one that is not known makes the file invalid."""

    version: str
    required: bool = False


class Targets(Model):
    """The contents of targets.json."""

    schema_: str | None = Field(default=None, alias="$schema")
    format: Literal["nmlopt-targets"]
    format_version: Literal["1.0"]
    id: Id
    description: str = ""
    component: Id | None = None
    temperature: str | None = None
    v_init: str | None = None
    cap: Positive = DEFAULT_CAP
    parameters: Annotated[tuple[Parameter, ...], Field(min_length=1)]
    protocols: Annotated[tuple[Protocol, ...], Field(min_length=1)]
    targets: Annotated[tuple[Target, ...], Field(min_length=1)]
    objectives: tuple[Objective, ...] = ()
    extensions: dict[str, Extension] = Field(default_factory=dict)

    def all_objectives(self) -> tuple[Objective, ...]:
        """The groups as written, then one objective for each fitted target that is in no group, in file order."""
        roles = {protocol.id: protocol.role for protocol in self.protocols}
        grouped = {target for objective in self.objectives for target in objective.targets}
        single = (t for t in self.targets if t.id not in grouped and roles.get(t.protocol) == "fit")
        return self.objectives + tuple(Objective(id=t.id, targets=(t.id,), combine="weighted_sum") for t in single)
