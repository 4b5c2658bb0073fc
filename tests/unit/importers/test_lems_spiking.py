"""Spike sources of a network become events of synapses on single cells; random ones are seeded, each on its own."""

from __future__ import annotations

import pytest

from nmlopt.document.read import read
from nmlopt.errors import Severity, SimulationError
from nmlopt.experiment.model import Attached
from nmlopt.importers.lems_simulation import read_simulation
from nmlopt.importers.simulation_model import Recorded, Since

ROD = "LEMS_rod.xml"
COMPONENTS = """<spikeGenerator id="clock" period="3 ms"/>
    <spikeGeneratorPoisson id="noise" averageRate="500 Hz"/>
    <expOneSynapse id="syn" gbase="1 nS" erev="0 mV" tauDecay="2 ms"/>
    <poissonFiringSynapse id="rain" averageRate="300 Hz" synapse="syn" spikeTarget="./syn"/>
    <network id="net" """
CONNECTIONS = """<population id="clocks" component="clock" size="1"/>
        <population id="noises" component="noise" size="2"/>
        <synapticConnectionWD from="clocks[0]" to="rods[0]" synapse="syn" weight="2" delay="1 ms"/>
        <projection id="p" presynapticPopulation="noises" postsynapticPopulation="rods" synapse="syn">
            <connection id="0" preCellId="../noises[0]" postCellId="../rods/0/rod"/>
            <connectionWD id="1" preCellId="../noises[1]" postCellId="../rods/1/rod" postSegmentId="1"
                          postFractionAlong="0.9" weight="0.5" delay="2 ms"/>
        </projection>
        <explicitInput target="rods[1]" input="rain"/>
    </network>"""
CHANGES = (
    ('<network id="net" ', COMPONENTS),
    ("</network>", CONNECTIONS),
    ('quantity="rods[0]/caConc"', 'quantity="rods[0]/synapses:syn:1/g"'),
    ("rods/1/rod/1/v", "rods/1/rod/rain/tsince"),
)


def attached(experiment) -> list[Attached]:
    return [s for s in experiment.stimuli if isinstance(s, Attached)]


def test_sources_become_events_with_delay_and_weight_where_the_connection_ends(simulation_of):
    first, second = simulation_of(ROD, *CHANGES).runs[0].experiments
    clock, noise = attached(first)
    assert (clock.id, clock.component, clock.weight) == ("syn", "syn", 2.0)
    assert clock.events_ms == pytest.approx([4.0, 7.0, 10.0, 13.0, 16.0, 19.0])
    assert (noise.id, noise.component, noise.weight) == ("syn:1", "syn", 1.0)
    assert noise.site.section == 0
    other, rain = attached(second)
    assert (other.weight, other.site.section, other.site.x) == pytest.approx((0.5, 1, 0.9))
    assert min(other.events_ms) > 2.0
    assert (rain.id, rain.component) == ("rain", "syn")  # the synapse inside makes the current


def test_sources_fire_on_the_steps_that_are_taken(lems_folder, tmp_path):
    """A clock of 3.003 ms fires at the end of the step in which its time is up."""
    text = (lems_folder / ROD).read_text()
    for old, new in (*CHANGES, ('period="3 ms"', 'period="3.003 ms"')):
        text = text.replace(old, new)
    (tmp_path / "passive.cell.nml").write_text((lems_folder / "passive.cell.nml").read_text())
    (tmp_path / ROD).write_text(text)
    document = read(tmp_path / ROD, root=tmp_path)
    for step_ms, first_ms in ((0.05, 3.05), (0.01, 3.01), (0.001, 3.003)):
        found = read_simulation(document, step_ms=step_ms)
        (clock, _) = attached(found.runs[0].experiments[0])
        assert clock.events_ms[0] == pytest.approx(first_ms + 1.0, abs=1e-9)
        assert found.step_ms == step_ms


def test_random_sources_are_seeded_and_differ_from_each_other(simulation_of):
    def events(*changes):
        runs = simulation_of(ROD, *CHANGES, *changes).runs[0].experiments
        return [s.events_ms for e in runs for s in attached(e)]

    first, again, other = events(), events(), events(('seed="7"', 'seed="8"'))
    assert first == again
    assert first[0] == other[0]  # the clock
    assert all(a != b for a, b in zip(first[1:], other[1:], strict=True))
    assert len(first[1]) > 3
    assert first[1] != tuple(t - 2.0 for t in first[2])


def test_randomness_is_told(simulation_of):
    told = [i for i in simulation_of(ROD, *CHANGES).issues if i.code == "S040"]
    assert {i.severity for i in told} == {Severity.INFO}
    assert ["'noise'" in told[0].message, "'rain'" in told[1].message] == [True, True]


def test_synapses_and_sources_can_be_recorded(simulation_of):
    (file,) = simulation_of(ROD, *CHANGES).files
    signals = {c.id: c.signal for c in file.columns}
    found = simulation_of(ROD, *CHANGES).runs[0].experiments[0]
    assert isinstance(signals["ca"], Recorded)
    assert {o.id: o.variable for o in found.outputs}[signals["ca"].output] == "syn:1/g"
    assert isinstance(signals["v1"], Since)


def test_a_network_of_sources_alone_holds_nothing_to_simulate(simulation_of):
    with pytest.raises(SimulationError) as raised:
        simulation_of(
            ROD,
            ('<network id="net" ', COMPONENTS),
            ('target="net"', 'target="quiet"'),
            ("</Lems>", '<network id="quiet"><population id="c" component="clock" size="1"/></network></Lems>'),
            ("<OutputFile", "<!--"),
            ("</EventOutputFile>", "-->"),
            ("<Line", "<property"),
        )
    assert [issue.code for issue in raised.value.issues] == ["S015"]
