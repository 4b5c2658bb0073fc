"""The catalogue of codes is complete, and its page in docs is what it makes."""

from __future__ import annotations

import re

from nmlopt.codes.catalogue import CODES, page

_CODE = re.compile(r'"([DUPLIBV]\d{3})"')


def test_page_in_docs_is_up_to_date(root):
    written = (root / "docs" / "checks.md").read_text(encoding="utf-8")
    assert written == page(), "run: python -m nmlopt.codes > docs/checks.md"


def test_every_code_that_the_sources_name_is_explained(root):
    folders = [root / "nmlopt", root / "exporters"]
    texts = [p.read_text(encoding="utf-8") for f in folders for p in f.rglob("*.py") if p.parent.name != "codes"]
    named = {code for text in texts for code in _CODE.findall(text)}
    assert named - CODES.keys() == set()
    assert CODES.keys() - named == set()


def test_every_code_says_what_to_do():
    for code, meaning in CODES.items():
        assert meaning.title and meaning.remedy.endswith("."), code
        assert not meaning.title.endswith("."), code
