"""A LEMS simulation becomes experiments, outputs and files; what cannot be run is named, all of it, with its place."""

from __future__ import annotations

import math

import pytest

from nmlopt.document.read import read
from nmlopt.errors import Severity, SimulationError, UnsupportedError
from nmlopt.experiment.model import Pulse, Ramp, Sine
from nmlopt.importers.lems_simulation import read_simulation
from nmlopt.importers.simulation_model import Above, Constant, Recorded

ROD = "LEMS_rod.xml"


def test_each_recorded_instance_is_an_experiment(simulation_of):
    found = simulation_of(ROD)
    (run,) = found.runs
    assert run.cell.id == "rod"
    assert [e.id for e in run.experiments] == ["rods[0]", "rods[1]"]  # nothing is recorded of the third
    assert {e.duration_ms for e in run.experiments} == {20.0}
    assert [e.temperature_K for e in run.experiments] == pytest.approx([293.15] * 2)
    assert (found.duration_ms, found.step_ms) == pytest.approx((20.0, 0.05))


def test_inputs_become_stimuli_where_they_are_placed(simulation_of):
    first, second = simulation_of(ROD).runs[0].experiments
    (pulse,) = first.stimuli
    assert isinstance(pulse, Pulse)
    assert (pulse.delay_ms, pulse.duration_ms, pulse.amplitude) == pytest.approx((2.0, 10.0, 0.1))
    assert (pulse.site.section, pulse.site.x) == (0, 0.5)
    sine, ramp = second.stimuli
    assert isinstance(sine, Sine)
    assert (sine.site.section, sine.site.x, sine.period_ms) == pytest.approx((1, 0.9, 5.0))
    assert isinstance(ramp, Ramp)
    assert (ramp.start, ramp.finish) == pytest.approx((0.0, -0.1))  # the weight multiplies the current
    assert (ramp.site.section, ramp.site.x) == (0, 0.5)


def test_quantities_become_outputs_of_the_existing_scheme(simulation_of):
    found = simulation_of(ROD)
    first, second = found.runs[0].experiments
    assert [(o.variable, o.site.section) for o in first.outputs] == [("v", 0), ("leak_all/iDensity", 0)]
    assert [(o.variable, o.site.section, o.site.x) for o in second.outputs] == [("v", 1, 0.5)]
    (file,) = found.files
    assert file.name == "results/rods.dat"
    assert [c.id for c in file.columns] == ["v0", "v1", "leak", "ca"]
    v0, v1, leak, ca = (c.signal for c in file.columns)
    assert v0 == Recorded("rods[0]", "r0", 1e-3)
    assert v1 == Recorded("rods[1]", "r0", 1e-3)
    assert leak == Recorded("rods[0]", "r1", 1.0)
    assert ca == Constant(0.0)  # no pool: the core types give an empty sum


def test_events_are_crossings_of_the_cells_threshold(simulation_of):
    (file,) = simulation_of(ROD).events
    assert (file.name, file.format) == ("../spikes.dat", "TIME_ID")
    (selection,) = file.selections
    assert selection.id == "3"
    assert isinstance(selection.source, Above)
    assert selection.source.level == pytest.approx(-60.0)


def test_a_line_that_cannot_be_drawn_is_a_warning_and_names_what_exists(simulation_of):
    found = simulation_of(ROD)
    (issue,) = found.issues
    assert (issue.code, issue.severity) == ("S021", Severity.WARNING)
    assert issue.where.startswith("LEMS_rod.xml:29")
    assert "leak_all/iDensity" in issue.message
    assert [line.id for line in found.displays[0].lines] == ["pulse"]


def test_a_cell_itself_can_be_the_target(simulation_of):
    found = simulation_of(
        ROD,
        ('target="net"', 'target="rod"'),
        ("rods/0/rod/v", "v"),
        ("rods/1/rod/1/v", "1/v"),
        ("rods[0]/biophysics", "biophysics"),
        ("rods[0]/caConc", "caConc"),
        ('select="rods[0]"', 'select=""'),
        ("rods/0/rod/calcium", "calcium"),
    )
    (experiment,) = found.runs[0].experiments
    assert experiment.id == "rod"
    assert experiment.stimuli == ()
    assert [(o.variable, o.site.section) for o in experiment.outputs] == [("v", 0), ("v", 1), ("leak_all/iDensity", 0)]


def test_where_nothing_is_recorded_every_instance_runs(simulation_of):
    found = simulation_of(ROD, ("<OutputFile", "<!--"), ("</EventOutputFile>", "-->"), ("<Line", "<property"))
    assert [e.id for e in found.runs[0].experiments] == ["rods[0]", "rods[1]", "rods[2]"]
    assert [o.variable for e in found.runs[0].experiments for o in e.outputs] == ["v"] * 3


CONNECTED = """
        <projection id="chain" presynapticPopulation="rods" postsynapticPopulation="rods" synapse="syn">
            <connection id="0" preCellId="../rods/0/rod" postCellId="../rods/1/rod"/>
            <connectionWD id="1" preCellId="../rods/1/rod" postCellId="../rods/2/rod" weight="2" delay="1 ms"/>
        </projection>
        <synapticConnection from="rods[0]" to="rods[2]" synapse="syn" destination="synapses"/>
        <electricalProjection id="gaps" presynapticPopulation="rods" postsynapticPopulation="rods">
            <electricalConnectionInstance id="0" preCell="../rods/0/rod" postCell="../rods/1/rod" synapse="gap"/>
        </electricalProjection>
        <continuousProjection id="graded" presynapticPopulation="rods" postsynapticPopulation="rods">
            <continuousConnectionInstance id="0" preCell="../rods/0/rod" postCell="../rods/1/rod"
                                          preComponent="silent" postComponent="gs"/>
        </continuousProjection>
    </network>"""
SYNAPSES = """<expOneSynapse id="syn" gbase="1 nS" erev="0 mV" tauDecay="2 ms"/>
    <gapJunction id="gap" conductance="10 pS"/>
    <silentSynapse id="silent"/>
    <gradedSynapse id="gs" conductance="1 nS" delta="5 mV" Vth="-35 mV" k="0.025 per_ms" erev="0 mV"/>
    <network id="net" """


def test_connections_between_cells_are_refused_all_at_once_with_element_name_and_line(simulation_of):
    with pytest.raises(UnsupportedError) as raised:
        simulation_of(ROD, ("</network>", CONNECTED), ('<network id="net" ', SYNAPSES))
    issues = raised.value.issues
    assert {issue.code for issue in issues} == {"S010"}
    assert len(issues) == 4
    said = [issue.message for issue in issues]
    for message, words in zip(
        said,
        [
            ("<projection> 'chain'", "'rods' to 'rods'", "2 <connection>"),
            ("<synapticConnection>", "'rods[0]' to 'rods[2]'"),
            ("<electricalProjection> 'gaps'", "one <electricalConnectionInstance>"),
            ("<continuousProjection> 'graded'", "one <continuousConnectionInstance>"),
        ],
        strict=True,
    ):
        for word in words:
            assert word in message
    lines = [int(issue.where.rpartition(":")[2]) for issue in issues]
    assert lines == sorted(lines)
    assert all(issue.where.startswith("LEMS_rod.xml:") for issue in issues)


def test_a_projection_without_connections_connects_nothing(simulation_of):
    empty = (
        '<projection id="chain" presynapticPopulation="rods" postsynapticPopulation="rods" synapse="syn"/></network>'
    )
    assert simulation_of(ROD, ("</network>", empty)).runs


@pytest.mark.parametrize(
    ("code", "old", "new", "words"),
    [
        ("S001", '<Component type="Simulation"', '<Component type="Meta"', ("<Simulation>",)),
        ("S002", "</Lems>", '<Simulation id="other" target="net"/><Target component="other"/></Lems>', ("sim, other",)),
        ("S003", 'target="net"', 'target="nett"', ("nett", "not defined")),
        ("S003", 'target="net"', 'target="stim"', ("no network",)),
        ("S004", 'length="20 ms"', 'length="0 ms"', ("not positive",)),
        ("S004", 'step="0.05 ms"', "", ("no step",)),
        ("S004", 'step="0.05 ms"', 'step="0 ms"', ("not positive",)),
        ("S004", 'step="0.05 ms"', 'step="1e-12 ms"', ("steps",)),
        ("S005", 'step="0.05 ms"', 'step="0.05 mV"', ("not a time",)),
        ("S005", 'weight="-0.5"', 'weight="half"', ("half",)),
        ("S011", "</network>", '<cells id="c"/></network>', ("<cells>",)),
        ("S012", 'target="rods[0]"', 'target="rods[3]"', ("no instance 3",)),
        ("S012", 'target="rods[0]"', 'target="rod[0]"', ("populations: rods",)),
        ("S012", 'target="rods[0]"', 'target="rods[0]/v"', ("below",)),
        ("S012", 'input="stim"', 'input="stop"', ("stop", "not defined")),
        ("S012", 'input="stim"', 'input="leak"', ("no input component",)),
        ("S013", 'segmentId="1"', 'segmentId="5"', ("segment 5",)),
        ("S013", 'fractionAlong="0.9"', 'fractionAlong="9"', ("fraction",)),
        ("S013", "pulseGenerator", "pulseGeneratorDL", ("takes a current",)),
        ("S014", 'component="rod" type', 'component="cone" type', ("cone", "not defined")),
        ("S014", 'component="rod" type', 'component="stim" type', ("no cell",)),
        ("S014", '<instance id="2">', '<instance id="b">', ("whole number",)),
        ("S020", "leak_all/iDensity", "leak_all/g", ("leak_all/iDensity",)),
        ("S020", "rods/1/rod/1/v", "rods/1/rod/7/v", ("segment 7",)),
        ("S020", "rods/1/rod/1/v", "cones/1/rod/1/v", ("population 'cones'",)),
        ("S022", 'eventPort="spike"', 'eventPort="in"', ("'in'",)),
        ("S022", 'format="TIME_ID"', 'format="TIME"', ("TIME_ID",)),
        ("S022", '<EventSelection id="3" select="rods[0]"', '<EventSelection id="3" select="rods[9]"', ("rods[9]",)),
    ],
)
def test_faults_have_codes_places_and_remedies(simulation_of, code, old, new, words):
    changes = [(old, new)]
    if code == "S013" and old == "pulseGenerator":
        changes.append(('amplitude="100 pA"', 'amplitude="1"'))
    with pytest.raises((SimulationError, UnsupportedError)) as raised:
        simulation_of(ROD, *changes)
    found = [issue for issue in raised.value.issues if issue.code == code]
    assert found, raised.value.issues
    assert found[0].where.startswith("LEMS_rod.xml")
    for word in words:
        assert word in str(found[0])


def test_a_column_that_cannot_be_recorded_may_be_a_warning(lems_folder, tmp_path):
    for file in lems_folder.iterdir():
        (tmp_path / file.name).write_text(file.read_text().replace("leak_all/iDensity", "leak_all/g"))
    found = read_simulation(read(tmp_path / ROD, root=tmp_path), unrecordable=Severity.WARNING)
    assert [i.severity for i in found.issues if i.code == "S020"] == [Severity.WARNING]
    signals = [c.signal for c in found.files[0].columns]
    assert len(signals) == 4  # the others keep their places
    assert isinstance(signals[2], Constant)
    assert math.isnan(signals[2].value)


def test_two_faults_are_told_together(simulation_of):
    with pytest.raises(SimulationError) as raised:
        simulation_of(ROD, ('target="rods[0]"', 'target="rods[3]"'), ('target="../rods/1/rod"', 'target="../x/1/rod"'))
    assert [issue.code for issue in raised.value.issues] == ["S012", "S012", "S012"]
