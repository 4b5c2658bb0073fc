"""Laws of reading, editing and writing, over generated documents and over edits of a fixed one."""

from __future__ import annotations

import math
from difflib import SequenceMatcher
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nmlopt.document.edit import Edit, apply
from nmlopt.document.grammar import ParsedPath, Step, parse_path
from nmlopt.document.model import Document
from nmlopt.document.numbers import literals
from nmlopt.document.paths import listing, resolve
from nmlopt.document.read import read
from nmlopt.document.write import write
from nmlopt.errors import LemsError, NmloptError
from nmlopt.lems.expression import Num
from nmlopt.lems.parse import parse
from nmlopt.units import Quantity

MODEL = """\ufeff<?xml version='1.0'?>\r
<Lems><!-- <a v="1"/> -->\r
  <a id='x' v="1 mV"   w = '2mV' u="3"><b ion="na" v="4 ms"/><b ion="k" v=" 5ms "/><b v='6 s'/></a>\r
  <ComponentType name="t"><Constant name="c" dimension="none" value="7"/>
    <Dynamics><DerivedVariable name="r" value="exp(-8*v) + (-9)/(10 - x1) &lt; 1.1e1"/>
    <TimeDerivative variable="v" value="12 * (13)\r\n + (-v-14)"/></Dynamics></ComponentType>\r
</Lems>
"""
FINITE = st.floats(allow_nan=False, allow_infinity=False)
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=8)
relaxed = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def document(tmp_path_factory) -> Document:
    path = tmp_path_factory.mktemp("document") / "m.xml"
    path.write_bytes(MODEL.encode())
    return read(path)


def same(a: Quantity, b: Quantity) -> bool:
    return (a.value, math.copysign(1, a.value), a.unit) == (b.value, math.copysign(1, b.value), b.unit)


@relaxed
@given(data=st.data(), value=FINITE)
def test_what_is_set_is_read_back(document, data, value):
    address = data.draw(st.sampled_from(listing(document)))
    quantity = Quantity(value, address.quantity.unit)
    after = apply(document, [Edit(address.path, quantity)])
    (found,) = resolve(after, address.path)
    assert same(found.quantity, quantity)
    others = [(a.path, a.quantity) for a in listing(after) if a.path != address.path]
    assert others == [(a.path, a.quantity) for a in listing(document) if a.path != address.path]
    back = apply(after, [Edit(address.path, address.quantity)])
    assert [(a.path, a.quantity) for a in listing(back)] == [(a.path, a.quantity) for a in listing(document)]


@relaxed
@given(data=st.data(), values=st.tuples(FINITE, FINITE))
def test_edits_of_different_numbers_commute(document, data, values):
    pair = data.draw(st.lists(st.sampled_from(listing(document)), min_size=2, max_size=2, unique_by=lambda a: a.path))
    one, two = (Edit(a.path, Quantity(v, a.quantity.unit)) for a, v in zip(pair, values, strict=True))
    forth = apply(apply(document, [one]), [two])
    back = apply(apply(document, [two]), [one])
    at_once = apply(document, [two, one])
    assert forth.files[0].data == back.files[0].data == at_once.files[0].data
    assert forth.digest == back.digest == at_once.digest


@relaxed
@given(data=st.data(), value=FINITE)
def test_an_edit_changes_bytes_of_its_attribute_only(document, data, value):
    address = data.draw(st.sampled_from(listing(document)))
    before = document.files[0].data
    after = apply(document, [Edit(address.path, Quantity(value, address.quantity.unit))]).files[0].data
    start = address.element.offset
    end = before.index(b">", start)
    assert after[:start] == before[:start]
    assert after.endswith(before[end:])
    matcher = SequenceMatcher(None, before.decode(), after.decode(), autojunk=False)
    removed = "".join(before.decode()[a:b] for op, a, b, _, _ in matcher.get_opcodes() if op != "equal")
    assert set(removed) <= set("0123456789.-e+")


@relaxed
@given(data=st.data(), value=FINITE)
def test_units_are_the_authors(document, data, value):
    address = data.draw(st.sampled_from([a for a in listing(document) if a.quantity.unit == "mV"]))
    given_in_volt = Quantity(value / 1e6, "V")
    (found,) = resolve(apply(document, [Edit(address.path, given_in_volt)]), address.path)
    assert same(found.quantity, given_in_volt.to("mV"))


@relaxed
@given(
    encoding=st.sampled_from(["utf-8", "utf-16", "iso-8859-1"]),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    quote=st.sampled_from("'\""),
    words=st.lists(st.text("äaß&<>'\" é\t", max_size=6), max_size=4),
    value=FINITE,
)
def test_files_are_copied_byte_by_byte(tmp_path_factory, encoding, end, quote, words, value):
    folder: Path = tmp_path_factory.mktemp("copy")
    attributes = " ".join(f"a{i}={quoteattr(w)}" for i, w in enumerate(words))
    declaration = f"<?xml version={quote}1.0{quote} encoding={quote}{encoding}{quote}?>"
    number = f"v={quote}{value!r}{quote}"
    text = end.join(
        [declaration, "<!-- é -->", "<Lems>", f"<x id='1' {attributes} {number}/>", "<?pi?>", "</Lems>", ""]
    )
    (folder / "m.xml").write_bytes(text.encode(encoding))
    document = read(folder / "m.xml")
    (written,) = write(document, folder / "out")
    assert written.read_bytes() == text.encode(encoding)
    after = apply(document, [Edit("x:1/v", Quantity(1.25))])
    codec = document.files[0].encoding
    changed = text.replace(number, f"v={quote}1.25{quote}")
    assert after.files[0].data.decode(codec).removeprefix("\ufeff") == changed


@relaxed
@given(
    steps=st.lists(
        st.builds(
            Step,
            WORDS,
            st.none() | WORDS,
            st.lists(st.tuples(WORDS, WORDS), max_size=2).map(tuple),
            st.none() | st.integers(1, 99),
        ),
        min_size=1,
        max_size=4,
    ),
    attribute=WORDS,
    literal=st.none() | st.integers(1, 99),
)
def test_paths_are_read_as_they_are_written(steps, attribute, literal):
    path = ParsedPath(tuple(steps), attribute, literal)
    assert parse_path(str(path)) == path


@relaxed
@given(st.text(st.sampled_from(list("0123456789.eE+-*/^()xgt ")), max_size=14))
def test_literals_are_numbered_as_the_expression_parser_does(text):
    seen: list[float] = []
    try:
        parse(text, lambda _k, value: seen.append(value) or Num(value))
    except LemsError:
        return
    assert [found.value for found in literals(text)] == seen


@relaxed
@given(data=st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_any_bytes_are_read_or_refused(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("any") / "m.nml"
    for content in (data, b"<Lems>" + data + b"</Lems>", b'<Lems><a id="' + data + b'" v="1"/></Lems>'):
        path.write_bytes(content)
        try:
            document = read(path)
        except NmloptError:
            continue
        for address in listing(document):
            assert resolve(document, address.path) == (address,)
        assert document.files[0].data == content


@relaxed
@given(st.text(max_size=30) | st.text(st.sampled_from(list("ab/:[]{}@='*1 ")), max_size=20))
def test_any_path_resolves_or_is_refused(document, path):
    try:
        assert resolve(document, path)
    except NmloptError as error:
        assert all(issue.code.startswith("P") for issue in error.issues)
