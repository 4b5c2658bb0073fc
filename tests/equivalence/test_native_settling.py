"""Protocols that begin alike are run once until they part: the bits that each has when it is run by itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import tree_cell
from law import run, same

from nmlopt.backend import Integrator, Program, RunStatus, Settings
from nmlopt.document.paths import listing
from nmlopt.document.read import read
from nmlopt.experiment.model import Attached, Experiment, Output, Played, Pulse, Ramp, Sine, Stimulus, VoltageClamp
from nmlopt.exporters import registry
from nmlopt.exporters.native import simulate
from nmlopt.exporters.native.backend import layout_of
from nmlopt.exporters.native.settling import Branch, branches, shared_ms
from nmlopt.ir.lower import lower
from nmlopt.ir.model import Cell, Site

SOMA = Site(section=0, x=0.5, compartment=0)
HOLDING = Pulse(SOMA, 0.0, 80.0, -0.05)


def protocol(name: str, *stimuli: Stimulus, duration_ms: float = 80.0) -> Experiment:
    return Experiment(name, duration_ms, 300.0, stimuli, (Output("v", SOMA),), v_init_mV=-68.0)


def step(amplitude: float, delay_ms: float = 30.0, duration_ms: float = 25.0) -> Pulse:
    return Pulse(SOMA, delay_ms, duration_ms, amplitude)


STEPS = tuple(protocol(f"step {nA}", HOLDING, step(nA)) for nA in (0.1, 0.2, 0.35))


def test_steps_from_one_holding_share_the_settling():
    assert branches(STEPS) == (None, Branch(0, 30.0), Branch(0, 30.0))


def test_an_experiment_begins_in_the_one_it_shares_most_with():
    late = protocol("late", HOLDING, step(0.1), step(0.3, 60.0, 10.0))
    later = protocol("later", HOLDING, step(0.1), step(0.2, 60.0, 10.0))
    wanted = (None, Branch(0, 30.0), Branch(1, 55.0), Branch(1, 60.0))  # its own step ends with that of "late"
    assert branches((STEPS[1], late, STEPS[0], later)) == wanted


PLAYED = Played(SOMA, (0.0, 10.0, 20.0, 50.0), (0.0, 0.1, 0.0, 0.2))
CLAMP = VoltageClamp(SOMA, 1.0, ((10.0, -70.0), (20.0, -60.0)))
SYNAPSE = Attached(SOMA, "a", "synapse", 1.0, (5.0, 40.0))


@pytest.mark.parametrize(
    ("a", "b", "until_ms"),
    [
        ((step(0.1),), (step(0.2),), 30.0),
        ((step(0.1),), (step(0.1, 30.0, 10.0),), 30.0),  # one of them does not stop at 40 ms
        ((step(0.1), step(0.2, 40.0)), (step(0.1, 30.0, 10.0),), 40.0),
        ((step(0.1, 20.0),), (step(0.1, 30.0),), 0.0),  # the steps towards 20 ms are others
        ((step(0.1, 0.0),), (step(0.2, 0.0),), 0.0),
        ((HOLDING, step(0.1)), (replace(HOLDING, amplitude=0.0), step(0.1)), 0.0),
        ((HOLDING, step(0.1)), (step(0.2), HOLDING), 30.0),  # what is still to come has no order
        ((HOLDING, PLAYED), (PLAYED, HOLDING), 0.0),  # what is added up has one
        ((PLAYED,), (PLAYED, step(0.3, 50.0)), 50.0),
        ((PLAYED,), (replace(PLAYED, amplitudes=(0.0, 0.1, 0.0, 0.1)),), 0.0),
        ((Sine(SOMA, 5.0, 20.0, 0.1, 7.0, 0.0), step(0.1)), (Sine(SOMA, 5.0, 20.0, 0.1, 7.0, 0.0), step(0.2)), 30.0),
        ((Ramp(SOMA, 5.0, 20.0, 0.0, 0.1), step(0.1)), (Ramp(SOMA, 5.0, 20.0, 0.0, 0.2), step(0.1)), 5.0),
        ((CLAMP, step(0.1)), (CLAMP, step(0.2)), 30.0),
        ((CLAMP, step(0.1)), (replace(CLAMP, series_resistance_Mohm=2.0), step(0.1)), 0.0),
        ((SYNAPSE, step(0.1)), (SYNAPSE, step(0.2)), 30.0),
        ((SYNAPSE, step(0.1)), (replace(SYNAPSE, events_ms=(5.0, 41.0)), step(0.1)), 0.0),
    ],
)
def test_how_far_two_go_together(a, b, until_ms):
    first, second = protocol("a", *a), protocol("b", *b)
    assert shared_ms(first, second) == shared_ms(second, first) == until_ms


@pytest.mark.parametrize(
    "other",
    [
        replace(STEPS[1], v_init_mV=-60.0),
        replace(STEPS[1], temperature_K=310.0),
        replace(STEPS[1], outputs=()),
        replace(STEPS[1], duration_ms=30.0),
        protocol("elsewhere", Pulse(Site(0, 0.9, 1), 0.0, 80.0, -0.05), step(0.2)),
    ],
)
def test_what_begins_differently_shares_nothing(other):
    assert shared_ms(STEPS[0], other) == 0.0


# ------------------------------------------------------------------------------------------------ bits

EXPERIMENTS = (
    *STEPS,
    protocol("two", HOLDING, step(0.2), step(0.3, 60.0, 10.0)),
    protocol("two more", HOLDING, step(0.2), step(-0.3, 60.0, 15.0), duration_ms=90.0),
    protocol("short", HOLDING, step(0.3), duration_ms=50.0),
    protocol("off the grid", HOLDING, step(0.3, 30.0, 11.1237), step(0.1, 47.77, 9.9)),
    protocol("by itself", step(0.3, 10.0)),
)


def slots(root: Path, model: str, *names: str) -> Cell:
    document = read(root / model)
    found = listing(document)
    return lower(document, [next(a for a in found if a.path.endswith(name)) for name in names])


CELLS = {
    "few compartments": ("examples/ball_and_stick/model.nml", "condDensity", "erev"),
    "one": ("examples/hh_soma/model.nml", "condDensity", "erev"),
    "slots in rates": ("examples/ball_and_stick/model.nml", "midpoint", "condDensity"),
    "point cell": ("examples/izhikevich/model.nml", "/a", "/d"),
}


def same_as_apart(program: Program, experiments: tuple[Experiment, ...], rows: list[list[float]]) -> None:
    """All in one call, and on two threads, against each experiment in a call of its own."""
    assert any(branches(experiments))
    together = run(program, experiments, rows)
    for found in together:
        assert found.status is RunStatus.OK, found.detail
    for experiment in experiments:
        for found, alone in zip(together, run(program, (experiment,), rows), strict=True):
            own = {key: trace for key, trace in found.traces.items() if key[0] == experiment.id}
            same(replace(found, traces=own), alone, experiment.id)
    settings = replace(program.settings, threads=2)
    threaded = run(registry.load("native").compile(program.cell, settings), experiments, rows)
    for a, b in zip(threaded, together, strict=True):
        same(a, b, "two threads")


@pytest.mark.parametrize("integrator", [Integrator.ADAPTIVE, Integrator.FIXED])
@pytest.mark.parametrize("name", CELLS)
def test_sharing_changes_no_bit(name: str, integrator: Integrator, root: Path) -> None:
    cell = slots(root, *CELLS[name])
    rows = [[x * (1.0 + 0.01 * k) for x in (s.default for s in cell.slots)] for k in range(3)]
    program = registry.load("native").compile(cell, Settings(integrator=integrator))
    assert sum(b is not None for b in branches(EXPERIMENTS)) == 6
    same_as_apart(program, EXPERIMENTS, rows)
    if cell.geometry is None:
        same_as_apart(program, tuple(replace(e, sampling_ms=0.1) for e in EXPERIMENTS), rows)


def test_sharing_changes_no_bit_where_chains_are_lanes(tmp_path: Path) -> None:
    """With pools, synapses whose events come before and after the protocols part, and states that are recorded."""
    (tmp_path / "tree.nml").write_text(tree_cell.text(), encoding="utf-8")
    cell = lower(read(tmp_path / "tree.nml"), inputs=("synapse",))
    program = registry.load("native").compile(cell, Settings())
    assert layout_of(cell, program.settings).chained
    (base,) = tree_cell.experiments(cell)
    late = [step(nA, 40.0, 20.0) for nA in (0.5, -0.5, 1.0)]
    experiments = tuple(replace(base, id=str(k), stimuli=(*base.stimuli, p)) for k, p in enumerate(late))
    assert branches(experiments) == (None, Branch(0, 40.0), Branch(0, 40.0))
    same_as_apart(program, experiments, [[]])


@pytest.mark.parametrize(
    "model", [("examples/hh_soma/model.nml", "leak/erev"), ("examples/izhikevich/model.nml", "/k")]
)
@pytest.mark.parametrize("integrator", [Integrator.ADAPTIVE, Integrator.FIXED])
def test_what_ends_before_it_parts_ends_for_all(integrator: Integrator, model: tuple[str, str], root: Path) -> None:
    """A number that explodes at once, and a current that does so after the protocols have parted."""
    cell = slots(root, *model)
    program = registry.load("native").compile(cell, Settings(integrator=integrator))
    good = cell.slots[0].default
    mad = tuple(replace(e, stimuli=(*e.stimuli, step(1e6, 60.0, 10.0))) for e in STEPS)
    for experiments in (STEPS, mad):
        for row in ([good], [1e9], [float("nan")]):
            found = [run(program, some, [row])[0] for some in (experiments, *((e,) for e in experiments))]
            first = next((f for f in found[1:] if f.status is not RunStatus.OK), None)
            assert (found[0].status, found[0].detail) == ((first.status, first.detail) if first else (RunStatus.OK, ""))


def test_beginnings_are_run_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel is given one job that others follow, unless threads would have nothing to do."""
    cell = slots(root, "examples/hh_soma/model.nml", "erev")
    seen = []

    def library(folder):
        kernel = kernel_library(folder)

        def run_jobs(structures, count, threads):
            seen.append([job.branch for job in structures])
            return kernel(structures, count, threads)

        return run_jobs

    kernel_library = simulate.kernel_library
    monkeypatch.setattr(simulate, "kernel_library", library)
    for threads in (1, 2):
        run(registry.load("native").compile(cell, Settings(threads=threads)), STEPS, [[cell.slots[0].default]])
    assert seen == [[0.0, 30.0, 30.0], [0.0, 0.0, 0.0]]
