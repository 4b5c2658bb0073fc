"""A candidate of the native kernel is the same in every bit alone, in any batch, in any order, on any thread, and in
the generic kernel that interprets what compiled ones have as code.

Cells of each kind of layout, with protocols that share their settling. That an edited document gives these bits, too,
is the law (tests/property/test_law.py, and test_native_chains.py for chains).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tree_cell

from nmlopt.backend import Floats, Integrator, Program, Recordings, RunStatus, Settings
from nmlopt.document.paths import listing
from nmlopt.document.read import read
from nmlopt.errors import BackendError
from nmlopt.experiment.model import Experiment, Output, Pulse
from nmlopt.exporters import registry
from nmlopt.exporters.native import generic, generic_text
from nmlopt.exporters.native.backend import layout_of
from nmlopt.exporters.native.settling import branches
from nmlopt.exporters.native.source import Layout
from nmlopt.ir.lower import lower
from nmlopt.ir.model import Cell, Site

SOMA = Site(section=0, x=0.5, compartment=0)
ADAPTIVE, FIXED = Settings(), Settings(integrator=Integrator.FIXED)
FREE = {
    "izhikevich": ("/a", "/b", "/d"),
    "tree": ("condDensity",),
    "tree, rates": ("condDensity", "n/forwardRate/midpoint"),
}
"""The free numbers of a cell, by how their paths end; of others its densities."""
CASES = {
    "point cell": ("izhikevich", ADAPTIVE, Layout(32)),
    "few compartments": ("ball_and_stick", ADAPTIVE, Layout(1)),
    "few compartments, fixed steps": ("hh_soma", FIXED, Layout(8)),
    "chains": ("tree", ADAPTIVE, Layout(8, chained=True)),
    "chains, slots in rates": ("tree, rates", ADAPTIVE, Layout(8, chained=True)),
    "node by node": ("tree", FIXED, Layout(1)),
}


def program_of(root: Path, folder: Path, name: str, settings: Settings) -> Program:
    model, *_ = name.split(",")
    path = root / "examples" / model / "model.nml"
    if model == "tree":
        path = folder / "tree.nml"
        path.write_text(tree_cell.text(), encoding="utf-8")
    document = read(path)
    free = [a for a in listing(document) if a.path.endswith(FREE.get(name, ("condDensity",)))]
    return registry.load("native").compile(lower(document, free), settings)


def protocols(cell: Cell) -> tuple[Experiment, ...]:
    """Two steps from one holding, and one by itself; of large cells a beginning only."""
    is_large = cell.geometry is not None and len(cell.geometry.compartments) > 30
    nA, ms = (10.0, 0.3) if is_large else (1.0, 1.0)
    holding = Pulse(SOMA, 0.0, 30.0 * ms, -0.01 * nA)
    steps = [Pulse(SOMA, 12.0 * ms, 15.0 * ms, amplitude * nA) for amplitude in (0.1, 0.2)]
    made = [(holding, step) for step in steps] + [(Pulse(SOMA, 3.0 * ms, 20.0 * ms, 0.15 * nA),)]
    return tuple(Experiment(str(k), 30.0 * ms, 300.0, stimuli, (Output("v", SOMA),)) for k, stimuli in enumerate(made))


def run(program: Program, experiments: tuple[Experiment, ...], values: Floats) -> tuple[Recordings, ...]:
    return registry.load("native").simulate(program, experiments, values)


def bits(found: Sequence[Recordings]) -> list[tuple[object, ...]]:
    """All of each candidate, to be compared in one go."""
    return [
        (r.status, r.detail, *((key, t.t_ms.tobytes(), t.y.tobytes()) for key, t in sorted(r.traces.items())))
        for r in found
    ]


@pytest.mark.parametrize("count", [13, pytest.param(1000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", CASES)
def test_a_candidate_is_the_same_in_any_company(name: str, count: int, root: Path, tmp_path: Path) -> None:
    model, settings, layout = CASES[name]
    program = program_of(root, tmp_path, model, settings)
    assert layout_of(program.cell, program.settings) == layout
    experiments, drawn = protocols(program.cell), np.random.default_rng(5)
    assert any(branches(experiments))
    start = np.array([slot.default for slot in program.slots])
    values = start * drawn.uniform(0.8, 1.2, (count, len(start)))
    together = bits(run(program, experiments, values))
    assert len(set(together)) == count and all(row[0] is RunStatus.OK for row in together)
    assert [bits(run(program, experiments, row[np.newaxis]))[0] for row in values] == together
    order = drawn.permutation(count)
    shuffled = bits(run(program, experiments, values[order]))
    assert shuffled == [together[k] for k in order]
    threaded = registry.load("native").compile(program.cell, replace(settings, threads=2))
    assert bits(run(threaded, experiments, values[order])) == shuffled
    one_by_one = [run(program, (experiment,), values) for experiment in experiments]
    for row, wanted in enumerate(together):
        own = Recordings(RunStatus.OK, {k: t for found in one_by_one for k, t in found[row].traces.items()})
        assert bits([own])[0] == wanted


@pytest.mark.parametrize("name", CASES)
def test_the_generic_kernel_gives_the_same(name: str, root: Path, tmp_path: Path, monkeypatch) -> None:
    model, settings, _ = CASES[name]
    program = program_of(root, tmp_path, model, settings)
    experiments, drawn = protocols(program.cell), np.random.default_rng(5)
    start = np.array([slot.default for slot in program.slots])
    values = start * drawn.uniform(0.8, 1.2, (13, len(start)))
    wanted = bits(run(program, experiments, values))
    monkeypatch.setenv("NMLOPT_KERNEL", "generic")
    generic = program_of(root, tmp_path, model, replace(settings, threads=2))
    assert generic.digest != program.digest and not generic.files
    assert bits(run(generic, experiments, values)) == wanted


def test_the_generic_kernel_says_where_it_has_no_room(root: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("NMLOPT_KERNEL", "generic")
    monkeypatch.setattr(generic_text, "ROOM", {**generic_text.ROOM, "states": 3})
    with pytest.raises(BackendError) as caught:
        program_of(root, tmp_path, "ball_and_stick", ADAPTIVE)
    (issue,) = caught.value.issues
    assert issue.code == "B006" and "3 states" in issue.message and "C compiler" in issue.hint


@pytest.mark.parametrize("name", ["point cell", "few compartments", "few compartments, fixed steps"])
def test_protocols_that_begin_in_one_another_may_be_many(name: str, root: Path, tmp_path: Path, monkeypatch) -> None:
    model, settings, _ = CASES[name]
    pulses = [Pulse(SOMA, 0.1 + 0.2 * k, 0.1, 0.1) for k in range(60)]
    experiments = tuple(
        Experiment(str(k), 12.2, 300.0, tuple(pulses[: k + 1]), (Output("v", SOMA),)) for k in range(len(pulses))
    )
    assert [b and b.leader for b in branches(experiments)] == [None, *range(59)]
    found = []
    for kernel in ("compiled", "generic"):
        monkeypatch.setenv("NMLOPT_KERNEL", kernel)
        program = program_of(root, tmp_path, model, settings)
        start = np.array([[slot.default for slot in program.slots]])
        found.append(bits(run(program, experiments, start)))
    assert found[0] == found[1]


def test_the_generic_kernel_says_what_is_too_large_for_it(root: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("NMLOPT_KERNEL", "generic")
    monkeypatch.setattr(generic_text, "MOST_REGISTERS", 20)
    generic.model_of.cache_clear()
    with pytest.raises(BackendError) as caught:
        program_of(root, tmp_path, "hh_soma", FIXED)
    (issue,) = caught.value.issues
    assert issue.code == "B006" and "20 numbers at work" in issue.message and "C compiler" in issue.hint


def test_one_that_fails_changes_nothing_for_the_others(root: Path, tmp_path: Path) -> None:
    program = program_of(root, tmp_path, "ball_and_stick", ADAPTIVE)
    experiments = protocols(program.cell)
    start = np.array([slot.default for slot in program.slots])
    values = np.array([start, start * np.nan, 1.1 * start])
    found = run(program, experiments, values)
    assert [r.status for r in found] == ["ok", "diverged", "ok"]
    assert bits(found[::2]) == bits(run(program, experiments, values[::2]))
