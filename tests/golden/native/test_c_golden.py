"""The generated C of the examples, text for text; what is the same in all kernels is left out."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from nmlopt.backend import Settings
from nmlopt.document.paths import resolve
from nmlopt.document.read import read
from nmlopt.exporters.native.backend import layout_of
from nmlopt.exporters.native.source import Layout, kernel
from nmlopt.ir.lower import lower

EXPECTED = Path(__file__).parent / "expected"
FREE = {
    "hh_soma": (
        "cell:hh_soma/channelDensity:na/condDensity",
        "ionChannelHH:na_channel/gateHHrates:m/forwardRate/midpoint",
    ),
    "izhikevich": (),
}
STARTS = {"hh_soma": "/* density", "izhikevich": "static void m_"}
END = "static const int holds[]"


@pytest.mark.parametrize("example", FREE)
def test_generated_kernels(example, golden, root):
    document = read(root / "examples" / example / "model.nml")
    cell = lower(document, [resolve(document, path)[0] for path in FREE[example]])
    text = kernel(cell, layout_of(cell, Settings())).text
    own = text[text.index(STARTS[example]) : text.index(END)]
    golden(own, EXPECTED / f"{example}.c")


def test_neither_values_of_slots_nor_the_tree_are_in_the_text(root, tmp_path):
    """One kernel serves every candidate and every morphology with the same mechanisms."""
    model = root / "examples" / "ball_and_stick" / "model.nml"
    path = "cell:ball_and_stick/channelDensity:na_soma/condDensity"
    text = model.read_text(encoding="utf-8")
    other = tmp_path / "model.nml"
    for old, new in (('x="420"', 'x="400"'), ('value="11"', 'value="7"'), ('condDensity="45 ', 'condDensity="50 ')):
        assert text.count(old) == 1
        text = text.replace(old, new)
    shutil.copytree(model.parent / "channels", tmp_path / "channels")
    other.write_text(text, encoding="utf-8")
    first, second = (kernel(lower(d, resolve(d, path)), Layout(8)) for d in map(read, (model, other)))
    assert first.text == second.text
