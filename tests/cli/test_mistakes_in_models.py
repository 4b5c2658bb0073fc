"""Mistakes in NeuroML files: found with a stable code, file and line, and a remedy; hostile files do no harm."""

from __future__ import annotations

import pytest
from mistakes import Mistake, replaced

XML = '<?xml version="1.0"?>\n'
OPENING = '<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="part">'
NA = '<ionChannelHH id="na" conductance="10pS" species="na">'
LEAK = '<ionChannelHH id="leak" conductance="10pS"/>'
DENSITY = '<channelDensity id="leak_all" ionChannel="leak"'


def _include(href: str):
    return replaced(LEAK, f'<include href="{href}"/>\n    {LEAK}')


def _second_cell(text: str) -> str:
    begin, end = text.index("    <cell id="), text.index("</cell>") + len("</cell>\n")
    return text[:end] + text[begin:end].replace('id="simplecell"', 'id="other"') + text[end:]


FILES = (
    Mistake(
        "missing model",
        "D001",
        "modell.nml",
        ("model.nml",),
        arguments=("check", "modell.nml", "targets.json"),
    ),
    Mistake("folder as a model", "D001", ".", ("file",), arguments=("check", ".", "targets.json")),
    Mistake(
        "missing targets", "T002", "target.json", ("nmlopt init",), arguments=("check", "model.nml", "target.json")
    ),
    Mistake("folder as targets", "T002", ".", ("directory",), arguments=("check", "model.nml", ".")),
    Mistake("include that is missing", "D009", "model.nml:10", ("channel.nml",), model=_include("channel.nml")),
    Mistake(
        "include outside the root",
        "D008",
        "model.nml:10",
        ("--root",),
        model=_include("../../../../../../../etc/channel.nml"),
    ),
    Mistake("absolute include", "D007", "model.nml:10", ("relative",), model=_include("/etc/channel.nml")),
    Mistake(
        "include from the network", "D007", "model.nml:10", ("network",), model=_include("http://example.org/na.nml")
    ),
    Mistake("XML that is not closed", "D002", "model.nml:58:3", ("tag",), model=replaced("</cell>", "")),
    Mistake(
        "attribute without quotes",
        "D002",
        "model.nml:12",
        ("",),
        model=replaced('conductance="10pS" s', "conductance=10pS s"),
    ),
    Mistake(
        "entities that grow",
        "D003",
        "model.nml:2",
        ("entit", "DOCTYPE"),
        model=lambda _: XML + '<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;">]><neuroml>&c;</neuroml>',
    ),
    Mistake(
        "entity of another file",
        "D003",
        "model.nml:2",
        ("entit", "DOCTYPE"),
        model=lambda _: XML + '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><neuroml>&b;</neuroml>',
    ),
    Mistake(
        "elements nested without end",
        "D004",
        "model.nml:2",
        ("deep",),
        model=lambda _: XML + OPENING + "<a>" * 5000 + "</a>" * 5000 + "</neuroml>",
    ),
    Mistake("another kind of XML", "D006", "model.nml:2", ("neuroml",), model=lambda _: XML + "<html/>"),
    Mistake("empty file", "D002", "model.nml:1", ("",), model=lambda _: ""),
    Mistake(
        "fault in an included file",
        "D002",
        "part.nml:2",
        ("",),
        model=_include("part.nml"),
        files={"part.nml": XML + OPENING + "<ionChannelHH>"},
    ),
)

CONTENTS = (
    Mistake("number that is not finite", "D030", "model.nml:45", ("finite",), model=replaced('"0.0003 S', '"inf S')),
    Mistake("no number", "D030", "model.nml:45", ("finite",), model=replaced('"0.0003 S', '"NaN S')),
    Mistake(
        "unknown unit", "D031", "model.nml:45", ("S_per_cm2",), model=replaced("0.0003 S_per_cm2", "0.0003 S_per_cmm2")
    ),
    Mistake(
        "unit of another dimension",
        "D020",
        "model.nml:45",
        ("S_per_cm2",),
        model=replaced("0.0003 S_per_cm2", "0.0003 mV"),
    ),
    Mistake(
        "misspelt attribute",
        "D020",
        "model.nml:45",
        ("did you mean condDensity?",),
        model=replaced("condDensity=", "condDens="),
    ),
    Mistake(
        "channel that does not exist",
        "D034",
        "model.nml:45",
        ("did you mean", "leak"),
        model=replaced('ionChannel="leak"', 'ionChannel="leek"'),
    ),
    Mistake("two channels of one id", "D032", "model.nml:12", ("leak",), model=replaced('id="na" c', 'id="leak" c')),
    Mistake(
        "group that does not exist",
        "D045",
        "model.nml:45",
        ("dendrite",),
        model=replaced(DENSITY, f'{DENSITY} segmentGroup="dendrite"'),
    ),
    Mistake(
        "member that does not exist",
        "D043",
        "model.nml:37",
        ("7",),
        model=replaced('<member segment="0"/>', '<member segment="7"/>'),
    ),
    Mistake(
        "unsupported element in a cell",
        "I006",
        "model.nml:48",
        ("<odd>", "not supported"),
        model=lambda text: replaced("<spikeThresh", '<odd id="x"/><spikeThresh')(
            replaced("<ionChannelHH", '<ComponentType name="odd" extends="baseStandalone"/><ionChannelHH')(text)
        ),
    ),
    Mistake(
        "misspelt element",
        "D020",
        "model.nml:13",
        ("did you mean gateHHrates",),
        model=lambda text: replaced("</gateHHrates>", "</gateHHrate>")(replaced("<gateHHrates", "<gateHHrate")(text)),
    ),
    Mistake(
        "component of an unknown type",
        "D020",
        "model.nml:10",
        ("leakyThing",),
        model=replaced(LEAK, '<Component id="leak" type="leakyThing"/>'),
    ),
    Mistake(
        "density without a diameter",
        "I122",
        "model.nml:31",
        ("diameters must be above 0",),
        model=lambda text: text.replace('diameter="10"', 'diameter="0"'),
    ),
    Mistake(
        "no capacitance",
        "I020",
        "model.nml:44",
        ("specificCapacitance",),
        model=replaced('<specificCapacitance value="1 uF_per_cm2"/>', ""),
    ),
    Mistake(
        "two cells and none chosen",
        "T040",
        "$",
        ("component",),
        model=_second_cell,
        targets=lambda t: t.pop("component"),
    ),
    Mistake(
        "two cells and none chosen, without targets",
        "I002",
        "",
        ("--component",),
        model=_second_cell,
        arguments=("init", "model.nml"),
    ),
    Mistake("no cell", "T040", "$.component", ("cell",), model=lambda _: XML + OPENING + LEAK + "</neuroml>"),
)


@pytest.mark.parametrize("mistake", [*FILES, *CONTENTS], ids=lambda m: m.name)
def test_it_is_found_where_it_is(mistake, make_mistake):
    make_mistake(mistake)


def test_files_that_include_each_other_are_read_once(call, simplecell, tmp_path):
    part = XML + OPENING + '<include href="model.nml"/></neuroml>'
    text = (simplecell / "model.nml").read_text(encoding="utf-8")
    (tmp_path / "model.nml").write_text(_include("part.nml")(text), encoding="utf-8")
    (tmp_path / "part.nml").write_text(part, encoding="utf-8")
    outcome = call("check", tmp_path / "model.nml", simplecell / "targets.json", "--no-run")
    assert outcome.code == 0, outcome.err
