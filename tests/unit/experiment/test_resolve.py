"""Protocols against a cell: numbers in ms, mV, nA; sites as compartments."""

from __future__ import annotations

import pytest

from nmlopt.document.read import read
from nmlopt.errors import TargetsError
from nmlopt.experiment import model
from nmlopt.experiment.parameter_checks import check_parameters
from nmlopt.experiment.resolve import DEFAULT_TEMPERATURE_K, output_units, resolve
from nmlopt.ir.lower import lower


def experiments(targets, document, folder):
    return resolve(targets, document, lower(document), folder=folder)


def protocol(*stimuli, recordings=({"id": "r"},), **more):
    return {"id": "p", "duration": "0.1 s", "stimuli": list(stimuli), "recordings": list(recordings), **more}


def test_stimuli_in_ms_nanoampere_and_millivolt(ball, models, write):
    times = {"delay": "1e-3 s", "duration": "20 ms"}
    made = experiments(
        write(
            protocols=[
                protocol(
                    {"type": "pulse", "amplitude": "-50 pA", **times},
                    {"type": "ramp", "start": "0 nA", "finish": "1 uA", **times},
                    {"type": "sine", "amplitude": "1 nA", "period": "0.01 s", "phase": 1.5, **times},
                    {"type": "played", "file": "current.csv", "time_unit": "s", "unit": "pA"},
                    {"type": "voltage_clamp", "levels": [{"duration": "1 s", "target": "-0.07 V"}]},
                )
            ]
        ),
        ball,
        models,
    )
    pulse, ramp, sine, played, clamp = made[0].stimuli
    assert made[0].duration_ms == 100.0
    assert (pulse.delay_ms, pulse.duration_ms, pulse.amplitude) == (1.0, 20.0, -0.05)
    assert (ramp.start, ramp.finish) == (0.0, 1000.0)
    assert (sine.amplitude, sine.period_ms, sine.phase_rad) == (1.0, 10.0, 1.5)
    assert (played.times_ms, played.amplitudes) == ((0.0, 10000.0, 20000.0), (0.0, 0.0001, 0.0))
    assert (clamp.series_resistance_Mohm, clamp.levels) == (0.01, ((1000.0, -70.0),))


def test_sites_by_segment_and_by_distance(ball, models, write):
    recordings = [
        {"id": "soma"},
        {"id": "end", "at": {"segment": 1, "fraction_along": 1}},
        {"id": "near", "at": {"distance": "110 um", "towards": 1}},
    ]
    (made,) = experiments(write(protocols=[protocol(recordings=recordings)]), ball, models)
    soma, end, near = (output.site for output in made.outputs)
    assert soma.compartment == 0
    assert (end.section, end.x) == (1, 1.0)
    assert near.x == pytest.approx(0.5)  # 10 um of soma, then 100 of 200 um of dendrite


def test_the_clamp_says_where_its_current_is_recorded(ball, models, write):
    clamp = {"type": "voltage_clamp", "levels": [{"duration": "1 ms", "target": "0 mV"}], "at": {"segment": 1}}
    (made,) = experiments(
        write(protocols=[protocol(clamp, recordings=[{"id": "i", "quantity": "i_clamp"}])]), ball, models
    )
    assert made.outputs[0].site == made.stimuli[0].site


@pytest.mark.parametrize(
    ("of_protocol", "of_file", "expected"),
    [
        ("20 degC", "30 degC", 293.15),
        (None, "300 K", 300.0),
        (None, None, DEFAULT_TEMPERATURE_K),
    ],
)
def test_precedence_of_temperature(ball, models, write, of_protocol, of_file, expected):
    (made,) = experiments(write(protocols=[protocol(temperature=of_protocol)], temperature=of_file), ball, models)
    assert made.temperature_K == expected


def test_the_temperature_of_the_document(tmp_path, ball, models, write):
    network = (
        '<network id="net" type="networkWithTemperature" temperature="34 degC">'
        '<population id="pop" component="ball" size="1"/></network></neuroml>'
    )
    text = (models / "ball.cell.nml").read_text().replace("</neuroml>", network)
    (tmp_path / "net.nml").write_text(text)
    (made,) = experiments(write(), read(tmp_path / "net.nml"), models)
    assert made.temperature_K == 307.15


def test_precedence_of_initial_voltage(ball, models, write):
    two = [protocol(v_init="-0.07 V"), {**protocol(), "id": "q"}]
    first, second = experiments(write(protocols=two, v_init="-65 mV"), ball, models)
    assert (first.v_init_mV, second.v_init_mV) == (-70.0, -65.0)
    assert experiments(write(), ball, models)[0].v_init_mV is None


def point_cell(folder, text):
    file = folder / "point.nml"
    file.write_text(f'<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="x">{text}</neuroml>')
    return read(file)


def pulse(amplitude):
    return {"type": "pulse", "delay": "1 ms", "duration": "2 ms", "amplitude": amplitude}


IZHIKEVICH = '<izhikevichCell id="iz" v0="-70mV" thresh="30mV" a="0.02" b="0.2" c="-50" d="2"/>'
IAF = '<iafCell id="iaf" leakReversal="-50mV" thresh="-55mV" reset="-70mV" C="0.2nF" leakConductance="0.01uS"/>'
IAF_TAU = '<iafTauCell id="tau" leakReversal="-50mV" thresh="-55mV" reset="-70mV" tau="30ms"/>'


def test_point_cells_take_what_their_type_takes(tmp_path, write):
    document = point_cell(tmp_path, IZHIKEVICH)
    (made,) = experiments(write(protocols=[protocol(pulse("12"))]), document, tmp_path)
    assert made.stimuli == (model.Pulse(model.Site(0, 0.5, 0), 1.0, 2.0, 12.0),)
    document = point_cell(tmp_path, IAF)
    (made,) = experiments(write(protocols=[protocol(pulse("12 pA"))]), document, tmp_path)
    assert made.stimuli[0].amplitude == 0.012


@pytest.mark.parametrize(
    ("cell", "amplitude", "code"),
    [(IZHIKEVICH, "1 nA", "T054"), (IAF, "1", "T054"), (IAF, "1 nanoA", "T022"), (IAF_TAU, "1 nA", "T056")],
)
def test_inputs_that_do_not_fit_the_cell(tmp_path, write, cell, amplitude, code):
    document = point_cell(tmp_path, cell)
    with pytest.raises(TargetsError) as caught:
        experiments(write(protocols=[protocol(pulse(amplitude))]), document, tmp_path)
    assert [(i.code, i.where) for i in caught.value.issues] == [(code, "$.protocols[0].stimuli[0].amplitude")]


def test_a_point_cell_has_no_segments(tmp_path, write):
    document = point_cell(tmp_path, IAF)
    with pytest.raises(TargetsError, match="point cell"):
        experiments(write(protocols=[protocol(recordings=[{"id": "r", "at": {"segment": 1}}])]), document, tmp_path)


def test_all_faults_of_all_protocols_at_once(ball, models, write):
    faulty = protocol(
        pulse("1 mV"),
        {"type": "played", "file": "missing.csv"},
        recordings=[{"id": "a", "quantity": "na/x"}, {"id": "b", "at": {"segment": 9}}],
    )
    with pytest.raises(TargetsError) as caught:
        experiments(write(protocols=[faulty, {**faulty, "id": "q"}]), ball, models)
    assert sorted(i.code for i in caught.value.issues) == sorted(["T054", "T055", "T053", "T052"] * 2)


def test_output_units(ball, models, write):
    recordings = [{"id": "v"}, {"id": "m", "quantity": "na/m/q"}, {"id": "i", "quantity": "i_clamp"}]
    clamp = {"type": "voltage_clamp", "levels": [{"duration": "1 ms", "target": "0 mV"}]}
    (made,) = experiments(write(protocols=[protocol(clamp, recordings=recordings)]), ball, models)
    assert [output_units(lower(ball), output) for output in made.outputs] == ["mV", "", "nA"]


def synaptic(models, write, *stimuli, recordings=({"id": "r"},), path="iafCell:iaf/leakConductance"):
    """Experiments of the small synaptic cell, and its cell."""
    document = read(models / "synaptic.nml")
    free = [{"id": "g", "paths": [path], "lower": "1 nS", "upper": "20 nS"}]
    targets = write(parameters=free, protocols=[protocol(*stimuli, recordings=recordings)])
    cell, issues = check_parameters(targets, document)
    if cell is None or issues:
        raise TargetsError(issues)
    return resolve(targets, document, cell, folder=models)[0], cell


def test_inputs_of_the_document(models, write):
    given = {"type": "input", "component": "excitation", "weight": 2.5, "events": ["20 ms", "0.01 s"]}
    ticking = {"type": "input", "id": "b", "component": "excitation", "source": "clock", "delay": "1.5 ms"}
    made, cell = synaptic(
        models, write, given, ticking, {"type": "input", "component": "noise", "seed": 3},
        {"type": "input", "component": "pulse"}, recordings=[{"id": "g", "quantity": "b/g"}],
        path="expOneSynapse:excitation/gbase",
    )  # fmt: skip
    first, second, noise, pulse = made.stimuli
    assert first == model.Attached(first.site, "excitation", "excitation", 2.5, (10.0, 20.0))
    assert second.id == "b"
    assert second.events_ms == pytest.approx([11.5 + 10 * k for k in range(10)], abs=0.011)
    assert 3 < len(noise.events_ms) < 20
    assert pulse.events_ms == ()
    assert [output.variable for output in made.outputs] == ["b/g"]
    assert {m.component for m in cell.mechanisms if m.component} == {"excitation", "noise", "pulse"}
    assert [slot.path for slot in cell.slots] == ["expOneSynapse:excitation/gbase"]


@pytest.mark.parametrize(
    ("stimulus", "quantity", "code"),
    [
        ({"component": "exitation"}, "v", "T057"),
        ({"component": "iaf"}, "v", "T057"),
        ({"component": "pulse", "events": ["1 ms"]}, "v", "T057"),
        ({"component": "excitation", "source": "pulse"}, "v", "T057"),
        ({"component": "excitation", "source": "gone"}, "v", "T057"),
        ({"component": "excitation"}, "excitation/conductance", "T053"),
    ],
)
def test_what_is_wrong_with_an_input(models, write, stimulus, quantity, code):
    with pytest.raises(TargetsError) as caught:
        synaptic(models, write, {"type": "input", **stimulus}, recordings=[{"id": "r", "quantity": quantity}])
    assert code in {issue.code for issue in caught.value.issues}
