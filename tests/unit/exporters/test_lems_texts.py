"""LEMS texts without Java: components under other names, canonical names as paths, what is refused, tables read."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from law import experiment
from lxml import etree

from nmlopt.backend import Integrator, Numerics, Program, Settings, refused_settings
from nmlopt.document.packed import pack, unpack
from nmlopt.document.read import read
from nmlopt.errors import BackendError, ResultsError, UnsupportedError
from nmlopt.experiment.model import Attached, Experiment, Output, Pulse
from nmlopt.exporters import registry
from nmlopt.exporters.lems import java, neuron_run, simulate
from nmlopt.exporters.lems.backend import LemsBackend
from nmlopt.exporters.lems.batch import Unit, lems_file, parts
from nmlopt.exporters.lems.copies import Changes, definitions, needed, printed
from nmlopt.exporters.lems.export import export
from nmlopt.exporters.lems.layout import for_jlems, is_at_middle
from nmlopt.exporters.lems.lems_file import text_of
from nmlopt.exporters.lems.quantities import path_of
from nmlopt.exporters.lems.support import not_written, unsupported
from nmlopt.ir.lower import lower
from nmlopt.ir.model import Site
from nmlopt.lems.resolve import components

SITE = Site(0, 0.5, 0)
POINT = """<Lems>
    <ComponentType name="leaky" extends="baseCellMembPot">
        <Parameter name="rate" dimension="per_time"/>
        <Dynamics>
            <StateVariable name="v" exposure="v" dimension="voltage"/>
            <TimeDerivative variable="v" value="-rate * v"/>
            {start}
        </Dynamics>
    </ComponentType>
    <Include file="Cells.xml"/>
    <leaky id="cell" rate="1 per_ms"/>
</Lems>
"""


def compiled(path: Path, component: str | None = None) -> Program:
    document = read(path)
    settings = Settings(numerics=Numerics.JNEUROML)
    return Program("lems", lower(document, component=component), settings, document.digest, {}, Path())


def run_file(program: Program, *experiments: Experiment, rows: int = 1) -> str:
    present = tuple(slot.default for slot in program.slots)
    units = [Unit(k, present, e) for k in range(rows) for e in experiments]
    return text_of(lems_file(program, parts(program, units, for_jlems(program))))


def test_packing_keeps_every_byte(root):
    document = read(root / "examples" / "hh_soma" / "model.nml")
    again = unpack(pack(document))
    assert (again.digest, again.main) == (document.digest, document.main)
    assert [s.data for s in again.files] == [s.data for s in document.files]


def test_a_copy_renames_what_is_referred_to_and_nothing_else(root):
    known = components(read(root / "examples" / "hh_soma" / "model.nml"))
    cell = known.by_id["hh_soma"][0]
    tops = needed(known, [cell])
    names = {e.attributes["id"]: e.attributes["id"] + "__7" for e in tops}
    assert set(names) == {"leak_channel", "na_channel", "k_channel", "hh_soma"}
    copy = etree.fromstring(f"<all>{printed(known, tops, Changes(names))}</all>")
    density = copy.find(".//channelDensity[@id='na']")
    assert (density.get("ionChannel"), density.get("ion")) == ("na_channel__7", "na")
    assert {e.get("id") for e in copy} == set(names.values())
    assert not copy.findall(".//notes")


def test_numbers_of_a_copy_are_the_authors_own_text(root):
    known = components(read(root / "examples" / "hh_soma" / "model.nml"))
    text = printed(known, needed(known, [known.by_id["hh_soma"][0]]), Changes())
    assert 'condDensity="80 mS_per_cm2"' in text
    assert definitions(known) == ""


def test_candidates_share_a_file_and_no_name(root):
    program = compiled(root / "examples" / "hh_soma" / "model.nml")
    file = etree.fromstring(run_file(program, Experiment("e", 5.0, 279.0, (), (Output("v", SITE),)), rows=3))
    ids = [e.get("id") for e in file if e.get("id") is not None] + [e.get("id") for e in file.findall(".//population")]
    assert len(ids) == len(set(ids)) == 3 * 4 + 2 + 3  # copies; network and simulation; populations


def test_experiments_of_one_candidate_share_its_copy_unless_they_start_otherwise(root):
    program = compiled(root / "examples" / "hh_soma" / "model.nml")
    made = [Experiment(str(v), 5.0, 279.0, (), (Output("v", SITE),), v) for v in (None, None, -70.0)]
    file = etree.fromstring(run_file(program, *made))
    starts = [e.get("value") for e in file.findall(".//initMembPotential")]
    assert starts == ["-65 mV", "-70.0 mV"]
    assert len(file.findall(".//population")) == 3


@pytest.mark.parametrize("start", ["", '<OnStart><StateAssignment variable="v" value="1"/></OnStart>'])
def test_a_point_cell_that_starts_elsewhere_gets_a_type_of_its_own(start, tmp_path):
    (tmp_path / "cell.xml").write_text(POINT.format(start=start), encoding="utf-8")
    program = compiled(tmp_path / "cell.xml")
    file = etree.fromstring(run_file(program, Experiment("e", 5.0, 279.0, (), (Output("v", SITE),), -70.0)))
    derived = file.find("ComponentType[@extends='leaky']")
    assert [e.get("value") for e in derived.findall(".//OnStart/StateAssignment")] == ["nmlopt_v_init"]
    assert derived.find(".//TimeDerivative").get("value") == "-rate * v"
    cell = file.find("leaky")
    assert (cell.get("type"), cell.get("nmlopt_v_init")) == (derived.get("name"), "-70.0 mV")


def test_every_canonical_name_has_a_path(root):
    for example in ("hh_soma", "izhikevich", "ball_and_stick"):
        document = read(root / "examples" / example / "model.nml")
        cell, known = lower(document), components(document)
        for output in experiment(cell, 0.0, 20.0).outputs:
            assert path_of(known, known.by_id[cell.id][0], output.variable, lambda name: name), output.variable


def test_paths_name_the_channel_that_canonical_names_leave_out(root):
    known = components(read(root / "examples" / "hh_soma" / "model.nml"))
    cell = known.by_id["hh_soma"][0]
    found = {n: path_of(known, cell, f"na/{n}", lambda name: f"{name}__1") for n in ("m/q", "iDensity", "fopen", "x")}
    assert [n for n, recorded in found.items() if recorded is not None and recorded.is_state] == ["m/q"]
    membrane = "hh_soma_biophysics/membraneProperties/na"
    assert {n: recorded and recorded.path for n, recorded in found.items()} == {
        "m/q": f"{membrane}/na_channel__1/m/q",
        "iDensity": f"{membrane}/iDensity",
        "fopen": f"{membrane}/na_channel__1/fopen",
        "x": None,
    }


def test_settings_that_jneuroml_has_nothing_for_are_refused():
    wanted = Settings(numerics=Numerics.CNEXP, integrator=Integrator.CVODE, tables=True)
    assert [i.code for i in refused_settings(LemsBackend(), wanted)] == ["B040", "B041", "B042"]


def test_variables_of_inputs_and_parts_of_gates_are_refused_where_neuron_runs(root, tmp_path):
    shutil.copytree(root / "examples" / "ball_and_stick", tmp_path, dirs_exist_ok=True)
    model = tmp_path / "model.nml"
    added = '<expOneSynapse id="syn0" gbase="1nS" erev="0mV" tauDecay="3 ms"/></neuroml>'
    model.write_text(model.read_text(encoding="utf-8").replace("</neuroml>", added), encoding="utf-8")
    cell = lower(read(tmp_path / "model.nml"))
    outputs = (Output("v", SITE), Output("g", SITE, "syn/g"), Output("r", SITE, "na_soma/m/forwardRate/r"))
    found = unsupported(cell, (Experiment("e", 5.0, 279.0, (Attached(SITE, "syn", "syn0"),), outputs),))
    assert [(i.code, i.message.split("'")[3]) for i in found] == [
        ("B094", "syn/g"),
        ("B094", "na_soma/m/forwardRate/r"),
    ]


def test_inputs_that_draw_their_own_spikes_are_refused(tmp_path):
    synapse = '<expOneSynapse id="syn" gbase="1nS" erev="0mV" tauDecay="3 ms"/>'
    firing = '<poissonFiringSynapse id="noise" averageRate="50 Hz" synapse="syn" spikeTarget="./syn"/>'
    path = tmp_path / "model.nml"
    cell = '<iafCell id="c" leakReversal="-60mV" thresh="-50mV" reset="-65mV" C="1nF" leakConductance="0.1uS"/>'
    path.write_text(f'<neuroml id="n">{synapse}{firing}{cell}</neuroml>', encoding="utf-8")
    lowered = lower(read(path), inputs=("syn", "noise"))
    assert [(i.code, i.message.split("'")[1]) for i in unsupported(lowered, ())] == [("B098", "noise")]


def test_a_file_names_middles_of_segments_only(root):
    cell = lower(read(root / "examples" / "ball_and_stick" / "model.nml"))
    dendrite = next(k for k, s in enumerate(cell.geometry.sections) if s.divisions > 1)
    first = next(k for k, c in enumerate(cell.geometry.compartments) if c.section == dendrite)
    divisions = cell.geometry.sections[dendrite].divisions
    sites = [Site(dendrite, (k + 0.5) / divisions, first + k) for k in range(divisions)]
    assert (divisions, len([s for s in cell.geometry.spans if s.section == dendrite])) == (11, 3)
    assert [k for k, s in enumerate(sites) if is_at_middle(cell.geometry, s)] == [1, 4, 8]
    wanted = Experiment("e", 5.0, 279.0, (), (Output("end", sites[-1]),))
    assert [i.code for i in not_written(cell, (wanted,))] == ["B095"]
    assert unsupported(cell, (wanted,)) == ()


def test_an_export_is_refused_before_anything_is_written(root, tmp_path):
    program = compiled(root / "examples" / "ball_and_stick" / "model.nml")
    last = program.cell.geometry.compartments[-1]
    site = Site(last.section, last.x, len(program.cell.geometry.compartments) - 1)
    with pytest.raises(UnsupportedError, match="B095"):
        export(program, (Experiment("e", 5.0, 279.0, (), (Output("end", site),)),), tmp_path / "new")
    assert not (tmp_path / "new").exists()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    with pytest.raises(ResultsError, match="R010"):
        export(program, (), tmp_path / "full")


def test_an_export_keeps_the_document_and_writes_one_file_per_experiment(root, tmp_path):
    program = compiled(root / "examples" / "hh_soma" / "model.nml")
    pulse = Pulse(SITE, 1.0, 2.0, 0.1)
    made = [Experiment(name, 5.0, 279.0, (pulse,), (Output("v", SITE),)) for name in ("a b", "a_b", "na_channel")]
    files = {p.name: p for p in export(program, made, tmp_path / "out")}
    assert files["model.nml"].read_bytes() == (root / "examples" / "hh_soma" / "model.nml").read_bytes()
    assert set(files) == {"model.nml", "LEMS_a_b.xml", "LEMS_a_b_2.xml", "LEMS_na_channel.xml", "README.md"}
    assert "forward Euler" in files["README.md"].read_text()
    last = etree.parse(str(files["LEMS_na_channel.xml"]))
    assert last.find(".//population").get("id") == "na_channel_"  # the document has a component of that name


def test_without_java_the_command_that_brings_it_is_named(monkeypatch, root):
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    cell = lower(read(root / "examples" / "hh_soma" / "model.nml"))
    with pytest.raises(BackendError, match=r"B091.*apt-get install") as raised:
        LemsBackend().compile(cell, Settings())
    assert raised.value.exit_code == 3


def test_without_neuron_cells_with_compartments_are_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(neuron_run.sys, "executable", str(tmp_path / "python"))
    monkeypatch.setattr(neuron_run.shutil, "which", lambda _: None)
    with pytest.raises(BackendError, match=r"B096.*pip install neuron"):
        neuron_run.compiler()


def test_a_cell_without_its_document_is_refused(root):
    from dataclasses import replace

    program = compiled(root / "examples" / "hh_soma" / "model.nml")
    bare = replace(program, cell=replace(program.cell, document=None), digest="bare")
    with pytest.raises(BackendError, match="B092"):
        run_file(bare, Experiment("e", 5.0, 279.0, (), (Output("v", SITE),)))


def test_a_program_that_does_not_end_is_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(java, "_START_S", 0.2)
    with pytest.raises(java.RunError, match="did not end within"):
        java.run(["sleep", "20"], tmp_path)
    with pytest.raises(java.RunError, match="cannot be started"):
        java.run([str(tmp_path / "nothing")], tmp_path)


def test_the_first_telling_line_is_what_went_wrong():
    said = " jNeuroML >> \nLoading: /tmp/x with jLEMS\nINFO not me\nException: no such thing\n\tat org.lemsml.X\n"
    assert java.complaint(said) == "Exception: no such thing"
    assert java.complaint("") == "it printed nothing"


def test_a_file_that_cannot_be_run_costs_the_culprit_only(root, monkeypatch):
    """Halved until it stands alone; the others' traces are theirs."""
    program = compiled(root / "examples" / "hh_soma" / "model.nml")
    runs = []

    def ran(_, chosen):
        runs.append([p.unit.row for p in chosen])
        if 5 in runs[-1]:
            raise java.RunError("it burst")
        return [simulate.traces_of(p, np.full((202, 2), 1e-3 * p.unit.row), 0.025) for p in chosen]

    monkeypatch.setattr(simulate, "_ran", ran)
    wanted = Experiment("e", 5.0, 279.0, (), (Output("v", SITE),))
    found = simulate.simulate(program, (wanted,), np.zeros((8, 0)))
    assert [r.status for r in found] == ["ok"] * 5 + ["failed"] + ["ok"] * 2
    assert found[5].detail == "experiment 'e': it burst"
    assert [r.traces["e", "v"].y[0] for r in found if r.traces] == [0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 7.0]
    assert found[0].traces["e", "v"].t_ms[[0, -1]].tolist() == [0.0, 5.0]
    assert [5] in runs


def test_pylems_is_there_by_name_and_for_one_compartment(root):
    assert "pylems" not in registry.names()
    backend = registry.load("pylems")
    cell = lower(read(root / "examples" / "ball_and_stick" / "model.nml"))
    assert [i.code for i in backend.unsupported(cell, ())] == ["B097"]


def test_no_candidates_need_no_java(root):
    program = compiled(root / "examples" / "hh_soma" / "model.nml")
    assert simulate.simulate(program, (Experiment("e", 5.0, 279.0, (), ()),), np.empty((0, 0))) == ()
