"""The NMODL and hoc of the examples, text for text."""

from __future__ import annotations

from pathlib import Path

import pytest

from nmlopt.backend import Numerics, Settings
from nmlopt.document.paths import resolve
from nmlopt.document.read import read
from nmlopt.exporters.neuron.hoc import cell_text
from nmlopt.exporters.neuron.mod import plan
from nmlopt.ir.lower import lower

EXPECTED = Path(__file__).parent / "expected"
TOOLCHAIN = "golden"
FREE = {
    "hh_soma": (
        "cell:hh_soma/channelDensity:na/condDensity",
        "ionChannelHH:na_channel/gateHHrates:m/forwardRate/midpoint",
    ),
    "ball_and_stick": (),
    "izhikevich": (),
}


@pytest.mark.parametrize("numerics", list(Numerics))
@pytest.mark.parametrize("example", FREE)
def test_generated_mods(example, numerics, golden, root):
    document = read(root / "examples" / example / "model.nml")
    cell = lower(document, [resolve(document, path)[0] for path in FREE[example]])
    planned = plan(cell, Settings(numerics=numerics), TOOLCHAIN)
    for part in planned.parts:
        name = f"{example}.{numerics}.{part.suffix.rsplit('_', 1)[0]}.mod"
        golden(planned.files[f"{part.suffix}.mod"].replace(part.suffix, "SUFFIX"), EXPECTED / name)


def test_cell_template(golden, root):
    cell = lower(read(root / "examples" / "ball_and_stick" / "model.nml"))
    planned = plan(cell, Settings(), TOOLCHAIN)
    text = cell_text(cell, planned, [], [300.0])
    lines = [f"proc {p.name}\n" + "".join(f"  {line}\n" for line in p.lines) for p in text.procedures]
    tag = planned.parts[0].suffix.rsplit("_", 1)[1]
    golden("".join(lines).replace(tag, "TAG"), EXPECTED / "ball_and_stick.procedures.txt")


def test_names_depend_on_text_and_toolchain_only(root):
    document = read(root / "examples" / "hh_soma" / "model.nml")
    first, second = (plan(lower(document), Settings(dt_ms=dt), TOOLCHAIN) for dt in (0.025, 0.01))
    other = plan(lower(document), Settings(), "another compiler")
    assert first.files == second.files
    assert not set(first.files) & set(other.files)
