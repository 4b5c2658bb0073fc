"""An experiment as the kernel reads it: currents, clamps, attached inputs with their events, outputs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

import numpy as np

from nmlopt.experiment.model import Attached, Experiment, Output, Played, Pulse, Ramp, Sine, Stimulus, VoltageClamp
from nmlopt.exporters.native.accuracy import Steps, stride_of
from nmlopt.exporters.native.bind import Shape
from nmlopt.exporters.native.interface import (
    Bytes,
    ClampC,
    CurrentC,
    Doubles,
    ExperimentC,
    Int32s,
    OutputC,
    doubles,
    int32s,
    lane_bits,
    pointer_to,
)
from nmlopt.exporters.native.schedule import LANES
from nmlopt.exporters.native.source import Part
from nmlopt.ir.model import Cell

_CONSTANT, _SINE, _SAMPLES = 0, 1, 2
_VOLTAGE, _EXPOSURE, _CLAMP = 0, 1, 2


@dataclass(frozen=True)
class Prepared:
    """The structure and the arrays that it points into."""

    structure: Any
    kept: tuple[Any, ...]


def prepare(cell: Cell, parts: Sequence[Part], shape: Shape, experiment: Experiment, steps: Steps) -> Prepared:
    """One experiment for the kernel."""
    kept: list[Any] = []

    def pointer(array: Any, kind: Any) -> Any:
        kept.append(array)
        return pointer_to(array, kind)

    def node(stimulus: Stimulus) -> int:
        return int(shape.place[stimulus.site.compartment])

    currents = [s for s in experiment.stimuli if is_current(s)]
    clamps = [s for s in experiment.stimuli if isinstance(s, VoltageClamp)]
    attached, mechanism, index = _attached(parts, experiment)
    events = sorted((t, k) for k, s in enumerate(attached) for t in s.events_ms)
    made = ExperimentC(
        currents=len(currents), clamps=len(clamps), inputs=len(attached), events=len(events),
        outputs=len(experiment.outputs), stride=stride_of(cell, experiment, steps),
        duration=experiment.duration_ms, dt=steps.dt_ms,
        tolerance=steps.tolerance_mV, swing=steps.swing_mV,
        shortest=steps.shortest_ms, h_max=steps.longest_ms, spacing=steps.spacing_mV,
        temperature=experiment.temperature_K,
        v_init=math.nan if experiment.v_init_mV is None else 1e-3 * experiment.v_init_mV,
        input_mechanism=pointer(int32s(mechanism), Int32s),
        input_node=pointer(int32s([node(s) // LANES if shape.chains else node(s) for s in attached]), Int32s),
        input_live=pointer(lane_bits([[node(s) % LANES == k for k in range(LANES)] for s in attached]), Bytes),
        input_weight=pointer(doubles([s.weight for s in attached]), Doubles),
        event_time=pointer(doubles([t for t, _ in events]), Doubles),
        event_mechanism=pointer(int32s([mechanism[k] for _, k in events]), Int32s),
        event_index=pointer(int32s([index[k] for _, k in events]), Int32s),
    )  # fmt: skip
    made.current = (CurrentC * len(currents))(*(_current(s, node(s), pointer) for s in currents))
    made.clamp = (ClampC * len(clamps))(*(_clamp(s, node(s), pointer) for s in clamps))
    of_inputs = {
        s.id: (mechanism[k], LANES * index[k] + node(s) % LANES if shape.chains else index[k])
        for k, s in enumerate(attached)
    }
    outputs = [_output(cell, parts, shape, experiment, o, of_inputs) for o in experiment.outputs]
    made.output = (OutputC * len(outputs))(*(OutputC(*o) for o in outputs))
    return Prepared(made, tuple(kept))


def is_current(stimulus: Stimulus) -> TypeGuard[Pulse | Ramp | Sine | Played]:
    """Whether it is a current by the clock; the kernel has these in their order in the experiment."""
    return not isinstance(stimulus, VoltageClamp | Attached)


def _attached(parts: Sequence[Part], experiment: Experiment) -> tuple[list[Attached], list[int], list[int]]:
    """Attached inputs by mechanism, the mechanism of each, and its index among those of one mechanism."""
    part_of = {p.mechanism.component: p.index for p in parts if p.text.is_input}
    found = [s for s in experiment.stimuli if isinstance(s, Attached)]
    found.sort(key=lambda s: part_of[s.component])
    mechanism = [part_of[s.component] for s in found]
    return found, mechanism, [k - mechanism.index(m) for k, m in enumerate(mechanism)]


def _current(stimulus: Pulse | Ramp | Sine | Played, node: int, pointer: Any) -> CurrentC:
    match stimulus:
        case Pulse():
            return CurrentC(
                node, _CONSTANT, 0, 0, stimulus.delay_ms, stimulus.duration_ms, stimulus.amplitude
            )  # fmt: skip
        case Sine():
            window = (stimulus.delay_ms, stimulus.duration_ms)
            return CurrentC(node, _SINE, 0, 0, *window, stimulus.amplitude, stimulus.period_ms, stimulus.phase_rad)
        case Ramp():
            times = doubles([stimulus.delay_ms, stimulus.delay_ms + stimulus.duration_ms])
            values = doubles([stimulus.start, stimulus.finish])
        case Played():
            times, values = doubles(stimulus.times_ms), doubles(stimulus.amplitudes)
    made = CurrentC(node, _SAMPLES, len(times), 0, float(times[0]), float(times[-1] - times[0]))
    made.times, made.values = pointer(times, Doubles), pointer(values, Doubles)
    return made


def _clamp(stimulus: VoltageClamp, node: int, pointer: Any) -> ClampC:
    durations = np.array([duration for duration, _ in stimulus.levels])
    starts = doubles(np.concatenate(([0.0], np.cumsum(durations)[:-1])))
    targets = doubles([target for _, target in stimulus.levels])
    made = ClampC(node, len(targets), stimulus.series_resistance_Mohm, float(durations.sum()))
    made.times, made.targets = pointer(starts, Doubles), pointer(targets, Doubles)
    return made


def _output(
    cell: Cell,
    parts: Sequence[Part],
    shape: Shape,
    experiment: Experiment,
    output: Output,
    of_inputs: dict[str, tuple[int, int]],
) -> tuple[int, int, int, int]:
    """(kind, mechanism, index, which)."""
    site = output.site.compartment
    if output.variable == "v":
        return _VOLTAGE, 0, int(shape.place[site]), 0
    if output.variable == "i_clamp":
        clamps = [s for s in experiment.stimuli if isinstance(s, VoltageClamp)]
        here = [k for k, s in enumerate(clamps) if s.site.compartment == site]
        return _CLAMP, 0, (here or [0])[0], 0
    id_, _, exposure = output.variable.partition("/")
    if id_ in of_inputs:
        mechanism, index = of_inputs[id_]
        return _EXPOSURE, mechanism, index, _which(parts[mechanism], exposure)
    for position, placement in enumerate(cell.placements):
        part = next(p for p in parts if p.mechanism.name == placement.mechanism)
        exposed = any(name == exposure for name, _ in part.mechanism.dynamics.exposures)
        if placement.id == id_ and exposed and site in placement.compartments:
            return _EXPOSURE, part.index, shape.instance[position, site], _which(part, exposure)
    raise KeyError(output.variable)


def _which(part: Part, exposure: str) -> int:
    return [name for name, _ in part.mechanism.dynamics.exposures].index(exposure)
