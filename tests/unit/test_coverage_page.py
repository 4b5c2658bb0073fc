"""docs/coverage.md says what is so: it is up to date, has no holes, and what it calls accepted can be generated."""

from __future__ import annotations

import coverage_table
import pytest
from element_documents import FILES, TYPES, Example, example
from lems_constructs import constructs

from nmlopt.backend import Numerics, Settings
from nmlopt.document.read import read
from nmlopt.exporters.neuron.backend import NeuronBackend
from nmlopt.exporters.neuron.mod import plan
from nmlopt.ir.lower import lower

BETWEEN_CELLS = {"gapJunction", "gradedSynapse", "linearGradedSynapse"}
"""They need the voltage of another cell."""
NO_EXAMPLE = {"baseCell", "baseSpikingCell", "baseGate"}
"""Roots of other base types, never used by themselves."""
REFUSED_CONSTRUCTS = {
    "`Attachments`, another variable than a current", "`ComponentRequirement`, `InstanceRequirement`",
    "`select` with an index", "`select` that finds nothing", "`ConditionalDerivedVariable` with a gap",
    "a variable defined by itself", "`StateScalarField`, `DerivedScalarField`", "an unknown element in `Dynamics`",
    "`factorial()`", "`random()`", "`KineticScheme` in a point cell",
}  # fmt: skip


@pytest.fixture(scope="module")
def page():
    return coverage_table.table()


def test_the_page_is_up_to_date(page):
    assert page == coverage_table.TARGET.read_text(encoding="utf-8"), "run python tests/tools/coverage_table.py"


def test_every_type_that_acts_on_one_cell_is_accepted(page):
    rows = [line[2:].split(" | ") for line in page.splitlines() if line.startswith("| ")]
    heads = {"Type", "Construct", "---"}
    refused = {first for first, ir, neuron, *_ in rows if first not in heads and not ir == neuron == "yes"}
    assert refused == {f"`{name}`" for name in BETWEEN_CELLS} | REFUSED_CONSTRUCTS
    surveyed = {n for n, t in TYPES.items() if t.element.file.split(":")[1] in FILES}
    assert {n for n in surveyed if example(n) is None} == NO_EXAMPLE


def test_whatever_neuron_accepts_can_be_generated(tmp_path):
    """In both numerics, with and without tables; `unsupported` is the only place that knows what cannot."""
    names = [n for n, t in TYPES.items() if t.element.file.split(":")[1] in FILES]
    examples = [e for n in names if (e := example(n)) is not None and not e.is_source and n not in BETWEEN_CELLS]
    examples += [Example(text) for _, name, text in constructs() if name not in REFUSED_CONSTRUCTS]
    settings = [Settings(), Settings(tables=True), Settings(numerics=Numerics.JNEUROML)]
    path = tmp_path / "model.nml"
    for k, made in enumerate(dict.fromkeys(examples)):
        path.write_text(made.text, encoding="utf-8")
        cell = lower(read(path), inputs=made.inputs)
        assert NeuronBackend().unsupported(cell, ()) == ()
        assert plan(cell, settings[k % 3], "x").files
