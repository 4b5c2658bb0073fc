"""Inheritance of ComponentTypes as jLEMS has it."""

from __future__ import annotations

import pytest

from nmlopt.document.parse import parse_element
from nmlopt.errors import LemsError
from nmlopt.lems.types import core_types, document_types, is_core


def types_of(text: str):
    return document_types(parse_element(f"<Lems>{text}</Lems>".encode(), "a.xml").children)


def test_core_types_are_all_there() -> None:
    core = core_types().types
    assert len(core) > 200
    assert core["izhikevich2007Cell"].lineage[-1] == "baseStandalone"
    assert all(is_core(t.element) for t in core.values())


def test_dynamics_is_inherited_only_if_there_is_none() -> None:
    core = core_types().types
    assert core["channelDensityVShift"].dynamics is core["channelDensity"].dynamics
    assert core["iafRefCell"].dynamics is not core["iafCell"].dynamics
    assert core["baseGate"].dynamics is None


def test_declarations_are_inherited_and_overridden() -> None:
    core = core_types().types
    shifted = core["channelDensityVShift"].declarations["vShift"]
    assert (shifted.kind, shifted.owner) == ("Parameter", "channelDensityVShift")
    assert core["channelDensity"].declarations["vShift"].kind == "Constant"
    assert core["gateHHrates"].declarations["instances"].owner == "baseGate"
    fixed = core["openState"].declarations["relativeConductance"].fixed
    assert fixed is not None
    assert fixed.attributes["value"] == "1"


def test_types_may_stand_in_any_order() -> None:
    table = types_of('<ComponentType name="b" extends="a"/><ComponentType name="a" extends="gate"/>')
    assert table.get("b").lineage == ("b", "a", "gate", "baseGate")


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ('<ComponentType name="a" extends="nope"/>', ["L010"]),
        ('<ComponentType name="a" extends="b"/><ComponentType name="b" extends="a"/>', ["L011", "L011"]),
        ('<ComponentType name="a"/><ComponentType name="a"/>', ["L012"]),
        ('<ComponentType name="a" extends="n1"/><ComponentType name="b" extends="n2"/>', ["L010", "L010"]),
    ],
)
def test_faults_are_all_reported(text: str, codes: list[str]) -> None:
    with pytest.raises(LemsError) as caught:
        types_of(text)
    assert [i.code for i in caught.value.issues] == codes
    assert all(i.where == "a.xml:1" for i in caught.value.issues)
