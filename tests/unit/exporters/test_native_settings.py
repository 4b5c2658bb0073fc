"""The native backend's settings, refusals and compiler, without a run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nmlopt.backend import Accuracy, Integrator, Settings, refused_settings
from nmlopt.document.read import read
from nmlopt.errors import BackendError, UnsupportedError
from nmlopt.experiment.model import Experiment, Output, VoltageClamp
from nmlopt.exporters import registry
from nmlopt.exporters.native import build
from nmlopt.exporters.native.accuracy import FEW_COMPARTMENTS, complete, most_samples, steps_of
from nmlopt.exporters.native.backend import layout_of
from nmlopt.exporters.native.interface import kernel_library
from nmlopt.ir.lower import lower
from nmlopt.ir.model import Site

HERE = Site(0, 0.5, 0)


def cell_of(root, name):
    return lower(read(root / "examples" / name / "model.nml"))


def experiment(*outputs: str, stimuli=()) -> Experiment:
    return Experiment("e", 10.0, 300.0, stimuli, tuple(Output(v, HERE, v) for v in outputs))


def test_dt_scales_adaptive_steps_and_their_error(root):
    cell = cell_of(root, "hh_soma")
    coarse, fine = (
        steps_of(cell, complete(Settings(dt_ms=dt, integrator=Integrator.ADAPTIVE))) for dt in (0.025, 0.0125)
    )
    assert coarse.dt_ms == 2.0 * fine.dt_ms
    assert coarse.longest_ms == 2.0 * fine.longest_ms
    assert coarse.tolerance_mV == 4.0 * fine.tolerance_mV


def test_accuracies_are_ordered(root):
    cell = cell_of(root, "hh_soma")
    found = [steps_of(cell, Settings(integrator=Integrator.ADAPTIVE, accuracy=a)) for a in Accuracy]
    assert [s.tolerance_mV for s in found] == sorted((s.tolerance_mV for s in found), reverse=True)
    assert len({s.tolerance_mV for s in found}) == 3


def test_small_cells_alone_mind_small_swings_and_take_half_of_dt(root):
    """Swings by the same size at each accuracy and dt: the tolerance is what scales with them."""
    cell = cell_of(root, "hh_soma")
    found = [
        steps_of(cell, Settings(dt_ms=dt, integrator=Integrator.ADAPTIVE, accuracy=a)).swing_mV
        for a in Accuracy
        for dt in (0.025, 0.0125)
    ]
    assert len(set(found)) == 1 and found[0] > 0.0
    compartment = cell.geometry.compartments[0]
    for count, minds in ((FEW_COMPARTMENTS, True), (FEW_COMPARTMENTS + 1, False)):
        sized = replace(cell, geometry=replace(cell.geometry, compartments=(compartment,) * count))
        steps = steps_of(sized, complete(Settings(integrator=Integrator.ADAPTIVE)))
        assert (steps.swing_mV > 0.0, steps.shortest_ms < steps.dt_ms) == (minds, minds)
        assert most_samples(sized, experiment("v"), steps) * steps.shortest_ms > experiment("v").duration_ms


def test_fixed_steps_have_no_tolerance_and_one_sample_each(root):
    cell = cell_of(root, "hh_soma")
    steps = steps_of(cell, complete(Settings(integrator=Integrator.FIXED)))
    assert steps.tolerance_mV == 0.0
    assert most_samples(cell, experiment("v"), steps) >= 401


def test_point_cells_step_evenly(root):
    assert steps_of(cell_of(root, "izhikevich"), Settings(integrator=Integrator.ADAPTIVE)).tolerance_mV == 0.0


def test_candidates_go_side_by_side_where_structure_says_so(root):
    fixed, adaptive = Settings(integrator=Integrator.FIXED), Settings(integrator=Integrator.ADAPTIVE)
    assert layout_of(cell_of(root, "hh_soma"), fixed).candidates > 1
    assert layout_of(cell_of(root, "hh_soma"), adaptive).candidates == 1
    for settings in (fixed, adaptive):
        assert layout_of(cell_of(root, "izhikevich"), settings).candidates > 1


def test_accuracy_belongs_to_adaptive_steps():
    issues = refused_settings(registry.load("neuron"), Settings(accuracy=Accuracy.FAST))
    assert [i.code for i in issues] == ["B117"]
    assert not refused_settings(registry.load("native"), Settings(accuracy=Accuracy.FAST))


@pytest.mark.parametrize(
    ("name", "made", "code"),
    [
        ("hh_soma", experiment("nothing/there"), "B115"),
        ("izhikevich", experiment(stimuli=(VoltageClamp(HERE, 1.0, ((5.0, -60.0),)),)), "B114"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(name, made, code, root):
    issues = registry.load("native").unsupported(cell_of(root, name), [made])
    assert [i.code for i in issues] == [code]


def test_it_runs_inside_nmlopt_only(root, tmp_path):
    with pytest.raises(UnsupportedError, match="B119"):
        registry.load("native").export(None, [], tmp_path)


def test_without_a_compiler_a_command_that_brings_one_is_named(root, monkeypatch):
    monkeypatch.setenv("CC", "no-such-compiler")
    with pytest.raises(BackendError, match="B002") as caught:
        registry.load("native").compile(cell_of(root, "hh_soma"), Settings())
    assert "install" in caught.value.issues[0].hint


def test_a_kernel_that_does_not_compile_is_kept_for_a_look(monkeypatch, tmp_path):
    monkeypatch.setenv("NMLOPT_CACHE", str(tmp_path))
    with pytest.raises(BackendError, match="B003"):
        build.build("this is not C", 1)
    kept = list((tmp_path / "native").glob("failed-*/build.log"))
    assert len(kept) == 1 and "error" in kept[0].read_text()


TEXT = "int run_jobs(void *jobs, long count, int threads) { return W; }\n"


def test_a_kernel_for_another_processor_is_not_run(monkeypatch, tmp_path):
    """A cache, or a program sent to another machine, must not end in an illegal instruction."""
    monkeypatch.setenv("NMLOPT_CACHE", str(tmp_path))
    folder = build.build(TEXT, 8)
    assert build.runs_here(folder)
    needed = folder / build.PROCESSOR
    needed.write_text(needed.read_text() + "\navx9000")
    with pytest.raises(BackendError, match="B130"):
        kernel_library(folder)


def test_a_kernel_is_compiled_anew_for_a_processor_that_has_more_or_less(monkeypatch, tmp_path):
    monkeypatch.setenv("NMLOPT_CACHE", str(tmp_path))
    first = build.build(TEXT, 8)
    less = frozenset(sorted(build.processor())[1:])
    monkeypatch.setattr(build, "processor", lambda: less)
    assert not build.runs_here(first)
    assert build.build(TEXT, 8) != first
    assert build.runs_here(build.build(TEXT, 8))


def test_kernels_are_kept_apart_by_text_lanes_and_compiler(monkeypatch, tmp_path):
    monkeypatch.setenv("NMLOPT_CACHE", str(tmp_path))
    text = "int run_jobs(void *jobs, long count, int threads) { return W; }\n"
    found = {build.build(text, 1), build.build(text, 8), build.build(text + "/* */", 1)}
    monkeypatch.setenv("CC", "cc -DOTHER")
    found.add(build.build(text, 1))
    assert len(found) == 4
    assert build.build(text, 1) in found
