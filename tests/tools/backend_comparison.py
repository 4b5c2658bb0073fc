"""One LEMS simulation on a backend and on NEURON's cnexp: what voltages tend to as the step goes to zero."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from spikes import crossings, extrapolate, step_indices

from nmlopt.api.lems_running import Prepared, prepare_lems
from nmlopt.api.problem import Options
from nmlopt.backend import Integrator, Numerics, RunStatus, Settings, Trace
from nmlopt.document.model import Document
from nmlopt.errors import Severity
from nmlopt.exporters import registry
from nmlopt.importers.lems_simulation import read_simulation
from nmlopt.importers.simulation_model import LemsSimulation

TOLERANCES = Path(__file__).parents[1] / "equivalence" / "tolerances.toml"
REFERENCE = "neuron"
FINE_ENOUGH_MS = 0.0101
"""A published step up to this is the coarser of the two that are run; a larger one is halved first."""
SMALLEST_MS = 0.005
"""Implicit schemes need no smaller one; explicit ones keep the published step, for which they were stable."""
REFINEMENTS = 2
"""How often the steps of both are halved before they differ."""
ALIKE = 1.5
"""Steps whose ratio is smaller are alike."""
MOST_STEPS = 5e6
"""A run of more takes jLEMS, and whoever reads its tables, too long."""
SPIKE_RANGE = 30.0
"""A voltage (mV) that moves less holds no spikes, unless it is reset."""
RESET_MV = 2.0
"""Nothing but a reset falls so far in a step."""
BEFORE_SPIKE_MS = 2.0
Traces = Mapping[str, Trace]


@dataclass(frozen=True)
class Comparison:
    """How far a backend is from the reference, both extrapolated: spikes in ms, traces below threshold in mV."""

    spikes: int = 0
    apart_ms: float = 0.0
    apart_mV: float = 0.0
    fault: str = ""


def kind_of(simulation: LemsSimulation) -> str:
    """The largest of its cells: 'compartments', 'single compartment' or 'point cell'."""
    sizes = [len(run.cell.geometry.compartments) if run.cell.geometry else 0 for run in simulation.runs]
    largest = max(sizes, default=0)
    return "compartments" if largest > 1 else "single compartment" if largest == 1 else "point cell"


def simulation_of(document: Document) -> LemsSimulation:
    """The simulation, without what of its output cannot be recorded. Raises SimulationError, UnsupportedError."""
    return read_simulation(document, unrecordable=Severity.WARNING)


def first_step(simulation: LemsSimulation, backend: str) -> float:
    """The coarser of the two steps (ms) that are run on a backend at first."""
    coarse = simulation.step_ms
    while coarse > FINE_ENOUGH_MS:
        coarse /= 2.0
    if registry.load(backend).offer.numerics[0] is Numerics.CNEXP:
        while coarse < SMALLEST_MS:
            coarse *= 2.0
    return coarse


@dataclass
class Runs:
    """The recorded membrane potentials of a simulation on one backend by step (ms), each run once.

    `kept`: how the paths begin where they are kept for the next time, if given.
    """

    document: Document
    backend: str
    kept: Path | None = None
    made: dict[float, Traces] = field(default_factory=dict)

    def both(self, dt_ms: float) -> tuple[Traces, Traces]:
        """At a step and at half of it."""
        return self.at(dt_ms), self.at(dt_ms / 2.0)

    def at(self, dt_ms: float) -> Traces:
        """At one step. Raises what `voltages` raises."""
        if dt_ms not in self.made:
            held = None if self.kept is None else self.kept.with_name(f"{self.kept.name}.{dt_ms:g}.npz")
            if held is None or not held.exists():
                self.made[dt_ms] = voltages(self.document, self.backend, dt_ms)
                if held is not None:
                    save(held, self.made[dt_ms])
            else:
                self.made[dt_ms] = load(held)
        return self.made[dt_ms]


def against_reference(document: Document, backend: str, kept: Path) -> Comparison:
    """A backend against NEURON, whose runs are `kept` as `Runs` says.

    While they differ, the coarser one is brought to the steps of the other, then both are refined: extrapolation leaves
    an error of second order, which smaller steps take away.
    """
    simulation = simulation_of(document)
    runs = [Runs(document, backend), Runs(document, REFERENCE, kept)]
    steps = [first_step(simulation, side.backend) for side in runs]
    left = REFINEMENTS
    while True:
        found = compared(*(side.both(dt) for side, dt in zip(runs, steps, strict=True)), tolerances(backend))
        is_alike = max(steps) < ALIKE * min(steps)
        left -= is_alike
        steps = [dt / 2.0 if dt * ALIKE > max(steps) else dt for dt in steps]
        if not found.fault or left < 0 or simulation.duration_ms > MOST_STEPS * min(steps) / 2.0:
            return found


def voltages(document: Document, backend: str, dt_ms: float, settings: Settings | None = None) -> dict[str, Trace]:
    """Every recorded membrane potential of a simulation, by default at fixed steps where the backend has them.

    Raises UnsupportedError, RuntimeError where a run fails.
    """
    simulator = registry.load(backend)
    fixed = Integrator.FIXED if Integrator.FIXED in simulator.offer.integrators else None
    options = Options(backend, settings or Settings(integrator=fixed), document.limit)
    prepared: Prepared = prepare_lems(document, options, dt_ms=dt_ms, unrecordable=Severity.WARNING)
    found: dict[str, Trace] = {}
    for run, program in zip(prepared.simulation.runs, prepared.programs, strict=True):
        (recordings,) = simulator.simulate(program, run.experiments, np.zeros((1, 0)))
        if recordings.status is not RunStatus.OK:
            raise RuntimeError(f"{recordings.status}: {recordings.detail}")
        for experiment in run.experiments:
            for output in experiment.outputs:
                if output.variable == "v" or output.variable.endswith("/V"):
                    found[f"{experiment.id}/{output.id}"] = recordings.traces[experiment.id, output.id]
    return found


def compared(mine: tuple[Traces, Traces], reference: tuple[Traces, Traces], allowed: Mapping[str, Any]) -> Comparison:
    """Two backends, each at two steps; `allowed` as in tolerances.toml."""
    total, apart_ms, apart_mV, faults = 0, 0.0, 0.0, []
    for name, pair, level, until_ms in each_of(reference):
        pairs = [(mine[0][name], mine[1][name]), pair]
        times = [[np.zeros(0) if level is None else crossings(t, level) for t in side] for side in pairs]
        counts = [[len(found) for found in side] for side in times]
        if len({n for side in counts for n in side}) > 1:
            faults.append(f"{name}: {counts[0]} spikes, {counts[1]} in {REFERENCE}, at dt and dt/2")
            continue
        limits = [extrapolate(*side) for side in times]
        total += counts[1][1]
        largest = float(np.abs(limits[0] - limits[1]).max(initial=0.0))
        apart_ms = max(apart_ms, largest)
        if not largest <= allowed["extrapolated_ms"]:
            at = int(np.argmax(np.abs(limits[0] - limits[1])))
            faults.append(f"{name}: spike {at + 1} of {len(limits[0])} {largest:.4f} ms apart")
        apart = below(pairs, until_ms)
        apart_mV = max(apart_mV, apart)
        if not apart <= allowed["trace_mV"]:
            faults.append(f"{name}: {apart:.4f} mV apart before the first spike")
    return Comparison(total, apart_ms, apart_mV, "; ".join(faults))


def each_of(reference: tuple[Traces, Traces]) -> Iterator[tuple[str, tuple[Trace, Trace], float | None, float]]:
    """(name, trace at both steps, level that its spikes cross or None, until when (ms) nothing spikes) of each trace.

    What does not spike itself shows the spikes of other compartments of its experiment.
    """
    first: dict[str, float] = {}
    for name, fine in reference[1].items():
        experiment = name.rpartition("/")[0]
        first[experiment] = min(first.get(experiment, np.inf), _first_spike(name, fine) - BEFORE_SPIKE_MS)
    for name, fine in reference[1].items():
        level = _level(fine) if np.isfinite(_first_spike(name, fine)) else None
        yield name, (reference[0][name], fine), level, first[name.rpartition("/")[0]]


def _level(trace: Trace) -> float:
    """Half-way between the lowest and the highest."""
    return float(trace.y.min()) + 0.5 * float(np.ptp(trace.y))


def _first_spike(name: str, trace: Trace) -> float:
    """When a trace first crosses its level, or is reset before; inf if it holds no spikes."""
    resets = trace.t_ms[1:][np.diff(trace.y) < -RESET_MV]
    if np.ptp(trace.y) <= SPIKE_RANGE and not len(resets) and not name.endswith("/V"):
        return np.inf
    above = trace.t_ms[step_indices(trace, _level(trace))[:1]]
    return float(min([*above, *resets[:1]], default=np.inf))


def below(pairs: Sequence[tuple[Trace, Trace]], until_ms: float, *, order: int = 1) -> float:
    """The largest distance (mV) of two traces, each extrapolated on the reference's coarse grid, mine with `order`."""
    grid = pairs[1][0].t_ms
    grid = grid[grid < until_ms]
    sides = [
        extrapolate(*(np.interp(grid, trace.t_ms, trace.y) for trace in pair), order=k)
        for pair, k in zip(pairs, (order, 1), strict=True)
    ]
    return float(np.abs(sides[0] - sides[1]).max(initial=0.0))


def tolerances(backend: str) -> Mapping[str, Any]:
    """The row of tolerances.toml for a backend in its own numerics. Raises KeyError where there is none."""
    table = tomllib.loads(TOLERANCES.read_text(encoding="utf-8"))
    numerics = registry.load(backend).offer.numerics[0]
    found: Mapping[str, Any] = table[backend][str(numerics)]
    return found


def save(path: Path, traces: Traces) -> None:
    """Keep traces in one file."""
    np.savez(path, **{f"{name}|{axis}": getattr(t, axis) for name, t in traces.items() for axis in ("t_ms", "y")})


def load(path: Path) -> dict[str, Trace]:
    """What `save` kept."""
    with np.load(path) as held:
        names = dict.fromkeys(key.rpartition("|")[0] for key in held)
        return {name: Trace(held[f"{name}|t_ms"], held[f"{name}|y"]) for name in names}
