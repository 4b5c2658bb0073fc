"""All published models that lie beside the checkout are read, listed, checked and edited without an error."""

from __future__ import annotations

import pytest
from lxml import etree

from nmlopt.document.checks import check
from nmlopt.document.edit import Edit, apply
from nmlopt.document.paths import listing, resolve
from nmlopt.document.read import read
from nmlopt.errors import Severity
from nmlopt.units import Quantity

SPREAD = 7
"""Numbers per file that are edited."""


@pytest.fixture(scope="module")
def models(shared_data):
    return sorted(p for p in (shared_data / "osb").rglob("*") if p.suffix in (".nml", ".xml"))


def test_every_file_is_read_listed_and_checked(models):
    assert len(models) > 150
    for path in models:
        document = read(path)
        found = listing(document)
        assert len({a.path for a in found}) == len(found), path
        for address in found[:: max(1, len(found) // SPREAD)]:
            assert resolve(document, address.path) == (address,), (path, address.path)
        errors = [str(issue) for issue in check(document) if issue.severity is Severity.ERROR]
        assert not errors, (path, errors[:3])


def test_the_tree_is_that_of_lxml(models):
    for path in models:
        source = read(path).files[0]
        ours = [(e.tag, dict(e.attributes)) for e in source.root.walk()]
        tree = etree.fromstring(source.data)
        theirs = [
            (etree.QName(e).localname, {etree.QName(k).localname: v for k, v in e.attrib.items()})
            for e in tree.iter(etree.Element)
        ]
        assert ours == theirs, path


def test_edits_change_their_lines_only(models):
    for path in models:
        document = read(path)
        found = listing(document)
        chosen = found[:: max(1, len(found) // SPREAD)]
        wanted = {a.path: Quantity(a.quantity.value * 1.7 - 3.0, a.quantity.unit) for a in chosen}
        after = apply(document, [Edit(*item) for item in wanted.items()])
        assert {a.path: a.quantity for a in listing(after) if a.path in wanted} == wanted
        changed = {
            f"{old.path}:{number}"
            for old, new in zip(document.files, after.files, strict=True)
            for number, pair in enumerate(zip(old.data.split(b"\n"), new.data.split(b"\n"), strict=True), 1)
            if pair[0] != pair[1]
        }
        # an attribute may stand on a later line than its tag begins
        assert len(changed) <= len(wanted), path
        assert {line.rpartition(":")[0] for line in changed} == {a.element.file for a in chosen}, path
