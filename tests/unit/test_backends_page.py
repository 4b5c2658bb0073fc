"""The table of docs/backends.md is what the backends state."""

from __future__ import annotations

import backends_page

from nmlopt.exporters.registry import names


def test_the_table_is_up_to_date():
    text = backends_page.TARGET.read_text(encoding="utf-8")
    assert backends_page.page(text) == text, "run python tests/tools/backends_page.py"


def test_every_backend_is_described():
    text = backends_page.TARGET.read_text(encoding="utf-8")
    assert [name for name in names() if f"\n**{name}** " not in text] == []
