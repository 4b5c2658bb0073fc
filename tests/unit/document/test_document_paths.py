"""Paths: grammar, resolution, canonical form, messages, listing."""

from __future__ import annotations

import pytest

from nmlopt.document.grammar import parse_path
from nmlopt.document.paths import listing, resolve
from nmlopt.errors import PathError
from nmlopt.units import Quantity

MEMBRANE = "cell:hh/biophysicalProperties:bio/membraneProperties"


def fault(document, path):
    with pytest.raises(PathError) as error:
        resolve(document, path)
    assert len(error.value.issues) == 1
    return error.value.issues[0]


@pytest.mark.parametrize(
    ("path", "canonical", "quantity"),
    [
        ("cell:hh/channelDensity:na/condDensity", f"{MEMBRANE}/channelDensity:na/condDensity", (120.0, "mS_per_cm2")),
        ("channelDensity:leak/erev", f"{MEMBRANE}/channelDensity:leak/erev", (-54.3, "mV")),
        ("channelDensity[@ion=na]/erev", f"{MEMBRANE}/channelDensity:na/erev", (50.0, "mV")),
        ("initMembPotential/value", f"{MEMBRANE}/initMembPotential/value", (-65.0, "mV")),
        (
            "specificCapacitance[@segmentGroup=dend]/value",
            f"{MEMBRANE}/specificCapacitance[@segmentGroup=dend]/value",
            (2.0, "uF_per_cm2"),
        ),
        (
            "specificCapacitance[@segmentGroup=all]/value",
            f"{MEMBRANE}/specificCapacitance[@segmentGroup=all]/value",
            (1.0, "uF_per_cm2"),
        ),
        (
            "specificCapacitance[2]/value",
            f"{MEMBRANE}/specificCapacitance[@segmentGroup=dend]/value",
            (2.0, "uF_per_cm2"),
        ),
        ("ionChannel:na/gate:m/forwardRate/midpoint", "ionChannel:na/gate:m/forwardRate/midpoint", (-40.0, "mV")),
        ("ionChannelHH:na/gateHHrates:m/reverseRate/rate", "ionChannel:na/gate:m/reverseRate/rate", (4.0, "per_ms")),
        ("HHExpRate/scale", "ionChannel:na/gate:m/reverseRate/scale", (-18.0, "mV")),
        ("segment:1/distal/diameter", "cell:hh/morphology:m/segment:1/distal/diameter", (2.0, "")),
        ("Constant:TIME_SCALE/value", "ComponentType:odd/Constant:TIME_SCALE/value", (1.0, "ms")),
        (
            "'cell':\"hh\"/channelDensity[@ion='na'][@ionChannel=na]/'erev'",
            f"{MEMBRANE}/channelDensity:na/erev",
            (50.0, "mV"),
        ),
    ],
)
def test_path_leads_to_its_number(document, path, canonical, quantity):
    (address,) = resolve(document, path)
    assert address.path == canonical
    assert address.quantity == Quantity(*quantity)
    assert address.literal is None
    assert resolve(document, canonical) == (address,)


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("inhomogeneousValue/value", [1e-3, 2, 10, 5, -4]),
        ("DerivedVariable:v1/value", [2]),
        ("Case[1]/condition", [3]),
        ("Case[1]/value", [5]),
        ("Case[2]/value", [6]),
    ],
)
def test_literals_of_expressions(document, path, values):
    found = [resolve(document, f"{path}{{{k}}}")[0] for k in range(1, len(values) + 1)]
    assert [a.quantity for a in found] == [Quantity(float(v)) for v in values]
    assert [a.literal for a in found] == list(range(1, len(values) + 1))
    issue = fault(document, f"{path}{{{len(values) + 1}}}")
    assert issue.code == "P004"
    assert f"{{1}} is {values[0]:g}" in issue.hint


def test_star_is_every_match_in_order(document):
    found = resolve(document, "cell:hh/channelDensity:*/erev")
    assert [a.quantity.value for a in found] == [50, -54.3]
    assert [a.quantity.value for a in resolve(document, "membraneProperties/*/erev")] == [50, -54.3, -77]
    assert [a.quantity.value for a in resolve(document, "*:na/erev")] == [50]
    assert [a.quantity.value for a in resolve(document, "*[@ion=k]/erev")] == [-77]
    assert len(resolve(document, "segment:*/distal/x")) == 2
    assert fault(document, "channelDensity:*/nothing").code == "P001"
    assert fault(document, "pulse:*/delay").code == "P001"


def test_full_path_wins_over_paths_that_skip(lems):
    document = lems('<a id="x" v="1"><c id="y"><b id="z" v="2"/></c><b id="z" v="3"/></a>')
    assert [a.quantity.value for a in resolve(document, "a:x/b:z/v")] == [3]
    assert [a.quantity.value for a in resolve(document, "a:x/c:y/b:z/v")] == [2]
    assert fault(document, "b:z/v").code == "P002"


def test_siblings_without_id_are_told_apart_by_references_then_counted(lems):
    document = lems(
        '<a id="x"><b ion="na" v="1"/><b ion="k" v="2"/><b v="3"/><b v="4"/><c v="5"/><d id="e" v="6"/>'
        '<d id="e" v="7"/><d v="8"/></a>'
    )
    paths = [a.path.removeprefix("a:x/") for a in listing(document)]
    assert paths == ["b[@ion=na]/v", "b[@ion=k]/v", "b[3]/v", "b[4]/v", "c/v", "d:e[1]/v", "d:e[2]/v", "d[3]/v"]
    assert [resolve(document, f"a:x/{p}")[0].quantity.value for p in paths] == [1, 2, 3, 4, 5, 6, 7, 8]


def test_canonical_paths_do_not_change_with_numbers(lems):
    first = listing(lems('<a id="x"><b v="1"/><b v="2"/></a>'))
    second = listing(lems('<a id="x"><b v="7"/><b v="7"/></a>', name="two.xml"))
    assert [a.path for a in first] == [a.path for a in second]


def test_words_with_signs_are_quoted(lems):
    document = lems("""<a id="p/q:r" v="1"/><a id="it's" v="2"/><a id="*" v="3"/><b><c tag=" x " value="4"/></b>""")
    paths = [a.path for a in listing(document)]
    assert paths[:3] == ["a:'p/q:r'/v", "a:'it''s'/v", "a:'*'/v"]
    assert [resolve(document, p)[0].quantity.value for p in paths] == [1, 2, 3, 4]
    assert [str(parse_path(p)) for p in paths] == paths


@pytest.mark.parametrize(
    "path",
    [
        "",
        "v",
        "/v",
        "a:x/",
        "a//v",
        "a:/v",
        "a:x",
        "a[x]/v",
        "a[@b]/v",
        "a[0]/v",
        "a/v{0}",
        "a/v{x}",
        "a b/v",
        "a:'x/v",
        "*",
    ],
)
def test_what_is_no_path(document, path):
    issue = fault(document, path)
    assert issue.code == "P003"
    assert "cell:hh" in issue.hint


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("cel:hh/channelDensity:na/erev", "did you mean cell:hh/channelDensity:na/erev"),
        ("cell:hx/channelDensity:na/erev", "did you mean cell:hh/channelDensity:na/erev"),
        ("cell:hh/channelDensity:nal/erev", "did you mean cell:hh/channelDensity:na/erev"),
        ("cell:hh/chanelDensity:na/erev", "did you mean cell:hh/channelDensity:na/erev"),
        ("cell:hh/channelDensity:na/condDensty", f"did you mean {MEMBRANE}/channelDensity:na/condDensity"),
        ("cell:hh/initMembPotential", f"did you mean {MEMBRANE}/initMembPotential/value"),
        ("cell:hh/membraneProperties:x/erev", "there is no 'membraneProperties:x' below 'cell:hh'"),
        ("thing/value", "there is no 'thing' in the document"),
    ],
)
def test_no_match_says_what_is_near(document, path, hint):
    issue = fault(document, path)
    assert issue.code == "P001"
    assert hint in issue.hint


def test_several_matches_are_listed(document):
    issue = fault(document, "cell:hh/channelDensity/erev")
    assert issue.code == "P002"
    assert f"{MEMBRANE}/channelDensity:na/erev (model.nml:17)" in issue.hint
    assert f"{MEMBRANE}/channelDensity:leak/erev" in issue.hint


@pytest.mark.parametrize(
    "path",
    [
        "segment:0/name",
        "member/segment",
        "channelDensity:na/ion",
        "inhomogeneousValue/value",
        "channelDensity:na/erev{1}",
        "inhomogeneousParameter:p/metric",
    ],
)
def test_what_is_no_number(document, path):
    assert fault(document, path).code == "P004"


def test_numbers_that_are_not_finite_cannot_be_used(lems):
    document = lems('<a id="x" u="NaN" v="1e999 mV" w="inf"/>')
    assert [fault(document, f"a:x/{name}").code for name in "uvw"] == ["P004"] * 3
    assert listing(document) == ()


def test_listing_holds_every_number_once_and_resolves(document):
    found = listing(document)
    paths = [a.path for a in found]
    assert len(set(paths)) == len(paths)
    assert all(resolve(document, a.path) == (a,) for a in found)
    assert f"{MEMBRANE}/channelDensityNonUniform:k/variableParameter/inhomogeneousValue/value{{5}}" in paths
    assert "ionChannel:na/conductance" in paths
    assert not [p for p in paths if "annotation" in p or "/segment/" in p or p.endswith(("/id", "/name", "/segment"))]


def test_listing_by_pattern(document):
    assert [a.path for a in listing(document, "erev")] == [a.path for a in listing(document) if "erev" in a.path]
    assert len(listing(document, "*/erev")) == 3
    assert len(listing(document, "ionChannel:na*/m?dpoint")) == 2
    assert listing(document, "nothing") == ()


def test_address_knows_its_place(document):
    assert resolve(document, "channelDensity:na/erev")[0].where == "model.nml:17"
    assert resolve(document, "forwardRate/rate")[0].where == "channels/na.channel.nml:4"
