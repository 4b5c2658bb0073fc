"""Runs programs in Arbor: candidates and experiments are the cells of one recipe. It and `hardware` alone import it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import arbor
import numpy as np
from arbor import units

from nmlopt.backend import Floats, Program, Recordings, RunStatus, Settings, Trace, divergence
from nmlopt.experiment.model import Experiment
from nmlopt.exporters.arbor import hardware
from nmlopt.exporters.arbor.build import library
from nmlopt.exporters.arbor.cable import Cable, Twig, cable, twigs
from nmlopt.exporters.arbor.decoration import boundaries, decoration, location
from nmlopt.exporters.arbor.mod import Part
from nmlopt.exporters.arbor.paint import Plan
from nmlopt.exporters.arbor.recordings import TIME, Recorder, probes, recorders
from nmlopt.exporters.arbor.stimuli import delivered, labels
from nmlopt.ir.model import Geometry

_UNITS = {"cm": units.F / units.m2, "rL": units.Ohm * units.cm, "Vm": units.mV}


@dataclass(frozen=True)
class Shape:
    """What all candidates of a program share: morphology, places, CVs, the mechanisms that are compiled."""

    morphology: Any
    cable: Cable
    policy: Any
    properties: Any


@dataclass(frozen=True)
class Run:
    """One cell of the recipe: an experiment with the numbers (SI) of a candidate."""

    experiment: Experiment
    slots: Sequence[float]
    recorders: tuple[Recorder, ...]


@dataclass(frozen=True)
class Built:
    """A run that Arbor can be given: its number in the batch, its cell, the (compartment, probe) to sample."""

    number: int
    run: Run
    cell: Any
    probes: tuple[tuple[int, str], ...]


def simulate(
    program: Program, parts: Sequence[Part], plan: Plan, experiments: Sequence[Experiment], values: Floats
) -> tuple[Recordings, ...]:
    """One `Recordings` per row of `values`, in the slots' units."""
    rows = np.atleast_2d(np.asarray(values, dtype=np.float64)).tolist()
    shape = _shape(program)
    candidates = [[slot.unit.to_si(x) for slot, x in zip(program.slots, row, strict=True)] for row in rows]
    recording = {e.id: recorders(program.cell, parts, e) for e in experiments}
    found: list[dict[tuple[str, str], Trace]] = [{} for _ in candidates]
    failed: dict[int, str] = {}
    for duration_ms in dict.fromkeys(e.duration_ms for e in experiments):
        together = [e for e in experiments if e.duration_ms == duration_ms]
        runs = [(row, Run(e, slots, recording[e.id])) for row, slots in enumerate(candidates) for e in together]
        for row, outcome in zip((row for row, _ in runs), _batch(shape, plan, runs, program.settings), strict=True):
            if isinstance(outcome, str):
                failed.setdefault(row, outcome)
            else:
                found[row] |= outcome
    return tuple(_recordings(experiments, traces, failed.get(row, "")) for row, traces in enumerate(found))


def _recordings(
    experiments: Sequence[Experiment], traces: dict[tuple[str, str], Trace], failure: str
) -> Recordings:  # fmt: skip
    if failure:
        return Recordings(RunStatus.FAILED, {}, failure)
    for experiment in experiments:
        trouble = divergence(experiment, traces)
        if trouble:
            return Recordings(RunStatus.DIVERGED, {}, trouble)
    return Recordings(RunStatus.OK, traces)


@lru_cache(maxsize=2)
def _shape(program: Program) -> Shape:
    geometry = program.cell.geometry
    assert geometry is not None
    morphology, places = shape_of(geometry)
    policy = arbor.cv_policy_explicit(boundaries(places))
    return Shape(morphology, places, policy, global_properties(program))


def shape_of(geometry: Geometry) -> tuple[Any, Cable]:
    """Arbor's morphology of a geometry, and where the compartments are on its branches."""
    tree = twigs(geometry)
    segments = arbor.segment_tree()
    for number, twig in enumerate(tree):
        segments.append(twig.parent if twig.parent >= 0 else arbor.mnpos, _point(twig, 0), _point(twig, 1), tag=number)
    morphology = arbor.morphology(segments)
    branches = [[s.tag for s in morphology.branch_segments(b)] for b in range(morphology.num_branches)]
    return morphology, cable(geometry, tree, branches)


def _point(twig: Twig, end: int) -> Any:
    x, y, z, diameter = twig.distal if end else twig.proximal
    return arbor.mpoint(x, y, z, 0.5 * diameter)


def global_properties(program: Program) -> Any:
    """Arbor's defaults with our mechanisms; a compartment without a pool holds none of the ion, as in LEMS."""
    found = arbor.neuron_cable_properties()
    found.coalesce_synapses = False  # it multiplies the states of equal ones
    found.catalogue = arbor.load_catalogue(str(library(program.folder)))
    none = 0.0 * units.mM
    for ion in ("ca", "ca2"):
        found.set_ion(ion=ion, valence=2, int_con=none, ext_con=none, rev_pot=0.0 * units.mV)
    return found


def _batch(
    shape: Shape, plan: Plan, runs: Sequence[tuple[int, Run]], settings: Settings
) -> list[dict[tuple[str, str], Trace] | str]:
    """The traces of each run, or what went wrong with it; runs that cannot be built are left out of the recipe."""
    outcomes: dict[int, dict[tuple[str, str], Trace] | str] = {}
    cells: list[Built] = []
    for number, (_, run) in enumerate(runs):
        try:
            cells.append(Built(number, run, cell_of(shape, plan, run), probes(run.recorders)))
        except (RuntimeError, ValueError) as error:  # numbers Arbor refuses
            outcomes[number] = f"experiment '{run.experiment.id}': {' '.join(str(error).split())}"
    if cells:
        together = _tried(shape, cells, settings)
        outcomes |= {built.number: found for built, found in zip(cells, together, strict=True)}
    return [outcomes[number] for number in range(len(runs))]


def _tried(shape: Shape, cells: Sequence[Built], settings: Settings) -> list[dict[tuple[str, str], Trace] | str]:
    """The traces of cells in one recipe; where Arbor refuses it, of its halves, until the culprit stands alone."""
    try:
        return [*_simulated(shape, cells, settings)]
    except (RuntimeError, ValueError) as error:
        if len(cells) == 1:
            return [f"experiment '{cells[0].run.experiment.id}': {' '.join(str(error).split())}"]
    half = len(cells) // 2
    return [*_tried(shape, cells[:half], settings), *_tried(shape, cells[half:], settings)]


class _Model:
    """The cells of a batch, which know nothing of each other; what Arbor asks of a recipe."""

    def __init__(self, shape: Shape, cells: Sequence[Built], dt_ms: float) -> None:
        super().__init__()
        self._dt_ms = dt_ms
        self._shape = shape
        self._cells = cells

    def num_cells(self) -> int:
        return len(self._cells)

    def cell_kind(self, gid: int) -> Any:
        return arbor.cell_kind.cable

    def cell_description(self, gid: int) -> Any:
        return self._cells[gid].cell

    def global_properties(self, kind: Any) -> Any:
        return self._shape.properties

    def probes(self, gid: int) -> list[Any]:
        return [
            probe(kind, location(self._shape.cable.centres[compartment]), str(tag))
            for tag, (compartment, kind) in enumerate(self._cells[gid].probes)
        ]

    def event_generators(self, gid: int) -> list[Any]:
        stimuli = labels(self._cells[gid].run.experiment)
        return [
            generator(label, delivered(attached.events_ms, self._dt_ms))
            for label, attached in stimuli.items()
            if attached.events_ms
        ]


_Recipe: Any = type("_Recipe", (_Model, arbor.recipe), {})  # Arbor has no types that a class statement could extend


def _simulated(shape: Shape, cells: Sequence[Built], settings: Settings) -> list[dict[tuple[str, str], Trace]]:
    recipe = _Recipe(shape, cells, settings.dt_ms)
    simulation = hardware.simulation(recipe, settings)
    dt = settings.dt_ms * units.ms
    handles = [
        [simulation.sample(gid, str(tag), arbor.regular_schedule(dt)) for tag, _ in enumerate(built.probes)]
        for gid, built in enumerate(cells)
    ]
    duration_ms = cells[0].run.experiment.duration_ms
    simulation.run((duration_ms + 0.5 * settings.dt_ms) * units.ms, dt)
    return [_traces(simulation, built, own) for built, own in zip(cells, handles, strict=True)]


def _traces(simulation: Any, built: Built, handles: Sequence[Any]) -> dict[tuple[str, str], Trace]:
    samples = [np.asarray(simulation.samples(handle)[0][0]) for handle in handles]
    if not samples:
        return {}
    times: Floats = samples[0][:, 0].copy()
    recorded = {key: data[:, 1].copy() for key, data in zip(built.probes, samples, strict=True)}
    experiment = built.run.experiment
    found = {}
    for recorder in built.run.recorders:
        own = {kind: recorded[recorder.compartment, kind] for kind in recorder.probes if kind != TIME}
        values = recorder.values({TIME: times, **own}, built.run.slots, experiment.temperature_K)
        found[experiment.id, recorder.output.id] = Trace(times, np.resize(values, len(times)))
    return found


def generator(label: str, events_ms: Sequence[float]) -> Any:
    """Events at their times at a point process."""
    return arbor.event_generator(label, 1.0, arbor.explicit_schedule([t * units.ms for t in events_ms]))


def probe(kind: str, where: str, tag: str) -> Any:
    """Arbor's probe for one of ours (see `recordings`) at a location."""
    word, _, rest = kind.partition(":")
    match word:
        case "int":
            return arbor.cable_probe_ion_int_concentration(where, rest, tag)
        case "ext":
            return arbor.cable_probe_ion_ext_concentration(where, rest, tag)
        case "current":
            return arbor.cable_probe_ion_current_density(where, rest, tag)
        case "point":
            return arbor.cable_probe_point_state(*rest.split(":"), tag)
        case "state":
            return arbor.cable_probe_density_state(where, *rest.split(":"), tag)
    return arbor.cable_probe_membrane_voltage(where, tag)


def cell_of(shape: Shape, plan: Plan, run: Run) -> Any:
    """The cable cell of one run. Raises RuntimeError or ValueError for numbers that Arbor refuses."""
    found = decoration(shape.cable, plan, run.experiment, run.slots)
    decor = arbor.decor()
    decor.set_property(Vm=found.v_init_mV * units.mV, tempK=found.temperature_K * units.Kelvin)
    for region, name, value in found.properties:
        decor.paint(region, **{name: value * _UNITS[name]})
    for region, ion, side, value in found.concentrations:
        decor.paint(region, ion=ion, **{side: value * units.mM})
    for region, mechanism, values in found.mechanisms:
        decor.paint(region, arbor.density(mechanism, dict(values)))
    for where, wave in found.clamps:
        envelope = [(t * units.ms, i * units.nA) for t, i in wave.envelope]
        current = arbor.i_clamp(envelope, frequency=wave.frequency_kHz * units.kHz, phase=wave.phase_rad * units.rad)
        decor.place(where, current)
    for made in found.inputs:
        decor.place(made.location, arbor.synapse(made.mechanism, dict(made.values)), made.label)
    return arbor.cable_cell(shape.morphology, decor, arbor.label_dict(), shape.policy)
