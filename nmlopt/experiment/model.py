"""A protocol resolved against a cell: sites are compartments, numbers are in ms, mV, nA."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from nmlopt.ir.model import Site


@dataclass(frozen=True, slots=True)
class Pulse:
    """A constant current of `amplitude` for delay <= t < delay + duration.

    Amplitudes of all currents are in nA, or plain numbers where the cell takes dimensionless input (izhikevichCell).
    """

    site: Site
    delay_ms: float
    duration_ms: float
    amplitude: float


@dataclass(frozen=True, slots=True)
class Ramp:
    """start + (finish - start) (t - delay) / duration inside the window, 0 outside."""

    site: Site
    delay_ms: float
    duration_ms: float
    start: float
    finish: float


@dataclass(frozen=True, slots=True)
class Sine:
    """amplitude sin(phase + 2 pi (t - delay) / period) inside the window, 0 outside."""

    site: Site
    delay_ms: float
    duration_ms: float
    amplitude: float
    period_ms: float
    phase_rad: float


@dataclass(frozen=True, slots=True)
class Played:
    """A current given by samples, linear between them, 0 before the first and after the last."""

    site: Site
    times_ms: tuple[float, ...]
    amplitudes: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class VoltageClamp:
    """A single-electrode clamp through `series_resistance_Mohm`: levels (duration_ms, target_mV) one after another.

    No current flows after the last level.
    """

    site: Site
    series_resistance_Mohm: float
    levels: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Attached:
    """An instance of an input or synapse component that was compiled in (`lower(inputs=...)`), at `site`.

    `events_ms` are the arrivals of spikes, transmission delay included, ascending. `weight` is the weight of the input
    or of the connection: it multiplies as the component's type says. `id` is unique in the experiment; what the
    component exposes is recorded as '<id>/<exposure>'.
    """

    site: Site
    id: str
    component: str
    weight: float = 1.0
    events_ms: tuple[float, ...] = ()


Stimulus: TypeAlias = Pulse | Ramp | Sine | Played | VoltageClamp | Attached


@dataclass(frozen=True, slots=True)
class Output:
    """What to record: `variable` is 'v' (mV), 'i_clamp' (nA, of the clamp, inward positive) or
    '<id of a placement or of an Attached>/<exposure>' (SI), at `site`."""

    id: str
    site: Site
    variable: str = "v"


@dataclass(frozen=True, slots=True)
class Experiment:
    """One protocol, ready to run on a program.

    `v_init_mV` None: the document's initMembPotential (or point-cell start) holds. `sampling_ms`: who reads the traces
    looks at whole multiples of it only, linearly between samples, so that a backend may leave out what lies between
    (0: it may not). `free_amplitudes`: indices of those stimuli (Pulse, Sine) of whose amplitude each candidate has its
    own (`experiment.amplitudes`).
    """

    id: str
    duration_ms: float
    temperature_K: float
    stimuli: tuple[Stimulus, ...]
    outputs: tuple[Output, ...]
    v_init_mV: float | None = None
    sampling_ms: float = 0.0
    free_amplitudes: tuple[int, ...] = ()
