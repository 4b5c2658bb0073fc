"""Edits: only the bytes of the number change, in whatever encoding; units and spacing stay."""

from __future__ import annotations

import pytest

from nmlopt.document.edit import Edit, apply
from nmlopt.document.paths import listing, resolve
from nmlopt.errors import PathError, UnitsError
from nmlopt.units import Quantity


def edited(document, path, value, unit=""):
    return apply(document, [Edit(path, Quantity(value, unit))])


def main(document) -> bytes:
    return document.files[0].data


def test_only_the_number_changes(document):
    after = edited(document, "channelDensity:na/condDensity", 0.25, "S_per_cm2")
    assert main(after) == main(document).replace(b"'120.0  mS_per_cm2'", b"'250  mS_per_cm2'")
    assert resolve(after, "channelDensity:na/condDensity")[0].quantity == Quantity(250.0, "mS_per_cm2")
    assert after.digest != document.digest
    assert after.files[1] is document.files[1]
    assert resolve(document, "channelDensity:na/condDensity")[0].quantity.value == 120.0


def test_spacing_between_number_and_unit_stays(document):
    assert b'erev="5mV"' in main(edited(document, "channelDensity:na/erev", 5, "mV"))
    assert b'erev="5 mV"' in main(edited(document, "channelDensityNonUniform:k/erev", 5, "mV"))


def test_edit_in_an_included_file(document):
    after = edited(document, "forwardRate/midpoint", -41.5, "mV")
    assert main(after) == main(document)
    assert after.files[1].data == document.files[1].data.replace(b"-40mV", b"-41.5mV")


def test_same_value_leaves_every_byte(document):
    edits = [Edit(a.path, a.quantity) for a in listing(document)]
    assert apply(document, edits) is document
    assert edited(document, "channelDensity:na/condDensity", 120, "mS_per_cm2") is document


def test_several_edits_of_one_attribute_and_star(document):
    path = "inhomogeneousValue/value"
    after = apply(document, [Edit(f"{path}{{5}}", Quantity(7.0)), Edit(f"{path}{{1}}", Quantity(-0.5))])
    assert b'value="(-0.5) + 2*exp((-p - 10)/5) - x1e3*(7)"' in main(after)
    assert [resolve(after, f"{path}{{{k}}}")[0].quantity.value for k in range(1, 6)] == [-0.5, 2, 10, 5, 7]
    shared = edited(document, "segment:*/distal/x", 2.5)
    assert [a.quantity.value for a in resolve(shared, "segment:*/distal/x")] == [2.5, 2.5]


def test_numbers_are_written_as_the_schema_allows(document):
    after = edited(document, "channelDensity:na/condDensity", 1e22, "mS_per_cm2")
    assert b"'1e22  mS_per_cm2'" in main(after)
    assert b"'1e-07  mS_per_cm2'" in main(edited(document, "channelDensity:na/condDensity", 1e-7, "mS_per_cm2"))


def test_faults_of_all_edits_are_reported(document):
    edits = [Edit("channelDensity:no/erev", Quantity(1, "mV")), Edit("thing/x", Quantity(1))]
    with pytest.raises(PathError) as error:
        apply(document, edits)
    assert [i.code for i in error.value.issues] == ["P001", "P001"]


@pytest.mark.parametrize(
    ("path", "quantity", "code"),
    [
        ("channelDensity:na/erev", Quantity(1, "ms"), "U003"),
        ("channelDensity:na/erev", Quantity(1), "U003"),
        ("channelDensity:na/erev", Quantity(1, "mv"), "U002"),
        ("channelDensity:na/erev", Quantity(float("nan"), "mV"), "U004"),
        ("channelDensity:na/erev", Quantity(float("inf"), "V"), "U004"),
        ("inhomogeneousValue/value{1}", Quantity(1, "mV"), "U003"),
    ],
)
def test_wrong_quantity(document, path, quantity, code):
    with pytest.raises(UnitsError) as error:
        apply(document, [Edit(path, quantity)])
    assert [(i.code, i.where) for i in error.value.issues] == [(code, path)]


def test_one_number_takes_one_value(document):
    edits = [Edit("channelDensity:na/erev", Quantity(1, "mV")), Edit("channelDensity:*/erev", Quantity(2, "mV"))]
    with pytest.raises(PathError, match="P005"):
        apply(document, edits)
    same = [Edit("channelDensity:na/erev", Quantity(1, "mV")), Edit("channelDensity:*/erev", Quantity(0.001, "V"))]
    assert [a.quantity.value for a in resolve(apply(document, same), "channelDensity:*/erev")] == [1, 1]


def test_unit_of_the_document(lems):
    document = lems(
        '<Dimension name="d" l="1"/><Unit symbol="mile" dimension="d" scale="1609.344"/><a id="x" v="2mile"/>'
    )
    assert b'v="1mile"' in main(edited(document, "a:x/v", 1609.344, "m"))


TEXT = (
    '<?xml version="1.0" encoding="{0}"?>\r\n<!-- é <b id="x" v="0"/> -->\r\n<?pi v="1"?>\r\n'
    "<Lems note='é\u00e0' xmlns:q='u'>\r\n\t<b  v = '1\tmV'\r\n q:v='9' id=\"x\" ><![CDATA[<b id='x' v='0'>]]></b >"
    '<c id="é" é="1" v="&#49;&#x30;.5 mV" w="2&lt;3"/><Case id="z" condition="a &gt; 1 &amp; \r\n 2 &#60; x"/>'
    "\r\n</Lems>"
)


UNICODE = ["utf-8", "utf-16-le", "utf-16-be"]


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [*((e, "") for e in (*UNICODE, "iso-8859-1", "windows-1252")), *((e, "\ufeff") for e in UNICODE)],
)
def test_encodings_entities_and_line_ends(lems, encoding, mark):
    declared = "utf-16" if encoding.startswith("utf-16") else encoding
    text = mark + TEXT.format(declared)
    document = lems(text.encode(encoding))
    assert main(document) == text.encode(encoding)
    cases = [
        ("b:x/v", 1.0, "mV", -2.5, "'1\tmV'", "'-2.5\tmV'"),
        ("c:é/v", 10.5, "mV", 7.0, "&#49;&#x30;.5 mV", "7 mV"),
        ("c:é/é", 1.0, "", 7.0, 'é="1"', 'é="7"'),
        ("Case:z/condition{1}", 1.0, "", 3.0, "a &gt; 1 ", "a &gt; 3 "),
        ("Case:z/condition{2}", 2.0, "", -3.0, " 2 &#60;", " (-3) &#60;"),
    ]
    for path, before, unit, value, old, new in cases:
        assert resolve(document, path)[0].quantity == Quantity(before, unit)
        after = edited(document, path, value, unit)
        assert main(after) == text.replace(old, new).encode(encoding)
        assert resolve(after, path)[0].quantity == Quantity(value, unit)


def test_characters_beyond_sixteen_bits(lems):
    text = (
        '<?xml version="1.0" encoding="utf-16"?><Lems note="\U0001f600"><b id="\U0001f600\U0001f600" v="1 mV"/></Lems>'
    )
    document = lems(text.encode("utf-16-be"))
    assert main(edited(document, "b/v", 2, "mV")) == text.replace("1 mV", "2 mV").encode("utf-16-be")
