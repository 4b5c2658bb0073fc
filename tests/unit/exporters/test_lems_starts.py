"""What is written otherwise than it stands in a document, so that jLEMS starts where other simulators do."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from lxml import etree

from nmlopt.backend import Numerics, Program, Settings
from nmlopt.document.paths import resolve
from nmlopt.document.read import read
from nmlopt.experiment.model import Experiment, Output
from nmlopt.exporters.lems.batch import Unit, lems_file, parts
from nmlopt.exporters.lems.layout import for_jlems
from nmlopt.exporters.lems.lems_file import text_of
from nmlopt.ir.lower import lower
from nmlopt.ir.model import Site

CASES = Path(__file__).parents[2] / "conformance" / "cases"
SITE = Site(0, 0.5, 0)


def written(model: Path, *experiments: Experiment, rows=((),), free: str = "") -> etree._Element:
    """The LEMS file of candidates (a tuple of values each)."""
    document = read(model)
    cell = lower(document, resolve(document, free) if free else ())
    program = Program("lems", cell, Settings(numerics=Numerics.JNEUROML), document.digest, {}, Path())
    units = [Unit(k, tuple(row), e) for k, row in enumerate(rows) for e in experiments]
    return etree.fromstring(text_of(lems_file(program, parts(program, units, for_jlems(program)))))


def made(id_: str, v_init_mV: float | None = None, temperature_K: float = 279.45) -> Experiment:
    return Experiment(id_, 5.0, temperature_K, (), (Output("v", SITE),), v_init_mV)


def open_at_start(file: etree._Element) -> list[float]:
    return [float(e.get("nmlopt_start")) for e in file.iter("openState")]


def sigmoid(v_mV: float, midpoint_mV: float) -> float:
    return 1.0 / (1.0 + math.exp(-(v_mV - midpoint_mV) / 8.0))


def test_a_scheme_starts_at_the_steady_state_of_the_first_voltage():
    """Of the document, or of the experiment; with each candidate's own numbers."""
    file = written(
        CASES / "210-ks-tau-inf" / "model.nml", made("own"), made("other", -40.0),
        rows=((-50.0,), (-30.0,)), free="ionChannelKS:test/steadyState/midpoint",
    )  # fmt: skip
    wanted = [sigmoid(v, midpoint) for midpoint in (-50.0, -30.0) for v in (-65.0, -40.0)]
    assert open_at_start(file) == pytest.approx(wanted, rel=1e-12)
    closed = [float(e.get("nmlopt_start")) for e in file.iter("closedState")]
    assert [a + b for a, b in zip(open_at_start(file), closed, strict=True)] == pytest.approx([1.0] * 4, rel=1e-12)


def test_each_start_has_types_of_its_own():
    file = written(CASES / "210-ks-tau-inf" / "model.nml", made("a"), made("b", -40.0), made("c", None, 300.0))
    used = [e.get("type") for tag in ("openState", "closedState") for e in file.iter(tag)]
    assert sorted(used) == sorted(e.get("name") for e in file.iter("ComponentType"))
    assert len(set(used)) == 6


def test_what_the_rates_read_of_a_pool_is_its_first_concentration(tmp_path):
    """0.1 of the scale: 0.01 / (0.01 + 0.25)."""
    text = (CASES / "224-calcium-dependent-gate" / "model.nml").read_text(encoding="utf-8")
    begin, end = text.index('<gateHHtauInf id="m"'), text.index("</gateHHtauInf>") + len("</gateHHtauInf>")
    gate = (
        '<gateKS id="m" instances="1"><closedState id="c"/><openState id="o"/><tauInfTransition from="c" to="o">'
        '<steadyState type="calcium_inf"/><timeCourse type="fixedTimeCourse" tau="4 ms"/></tauInfTransition></gateKS>'
    )
    text = text[:begin] + gate + text[end:]
    begin, end = text.index('<ionChannelHH id="test"'), text.index('<ionChannelHH id="calcium"')
    text = text[:begin] + text[begin:end].replace("ionChannelHH", "ionChannelKS") + text[end:]
    (tmp_path / "model.nml").write_text(text, encoding="utf-8")
    assert open_at_start(written(tmp_path / "model.nml", made("e"))) == pytest.approx([0.01 / 0.26], rel=1e-9)


def test_a_frustum_becomes_a_cylinder_of_its_area():
    """The core type knows the distal diameter only; the length stays."""
    model = CASES / "104-frustum" / "model.nml"
    (area,) = (c.area_m2 for c in lower(read(model)).geometry.compartments)
    (segment,) = written(model, made("e")).iter("segment")
    first, last = ({k: float(v) for k, v in segment.find(tag).attrib.items()} for tag in ("proximal", "distal"))
    assert first["diameter"] == last["diameter"]
    length = math.dist(*([end[axis] for axis in "xyz"] for end in (first, last)))
    assert math.pi * first["diameter"] * length * 1e-12 == pytest.approx(area, rel=1e-9)
