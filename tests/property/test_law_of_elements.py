"""A slot in any place works: every number of every kind of element, in NEURON, bit for bit (DESIGN §1.2).

For each document one number of each kind (element type and attribute) is a slot, all in one program. Each slot alone
changes what is recorded; all of them changed together give the bits of the edited document, compiled without a slot.
"""

from __future__ import annotations

import random
import re
from pathlib import Path

import numpy as np
import pytest
from element_documents import TYPES, example
from law import alike, experiment, run, same

from nmlopt.backend import Numerics, Settings
from nmlopt.document.edit import Edit, apply
from nmlopt.document.model import Document
from nmlopt.document.paths import Address, listing
from nmlopt.document.read import read
from nmlopt.exporters import registry
from nmlopt.ir.lower import classify, lower
from nmlopt.units import Quantity

pytestmark = pytest.mark.neuron

DATA = "tests/data/elements"
POINT_CELLS = sorted(
    name
    for name, type_ in TYPES.items()
    if type_.extends("baseCell") and not type_.extends("cell") and type_.dynamics is not None
)
AMPLITUDES = {"izhikevichCell": 15.0, "izhikevich2007Cell": 0.4, "adExIaFCell": 0.5}
AMPLITUDES |= {"pointCellCondBased": 0.01, "pointCellCondBasedCa": 0.01}
NOT_AS_JNEUROML_DOES = {"iafTauCell", "iafTauRefCell"}  # they start above threshold here, and only a crossing fires
SILENT = {
    "spikeThresh/value": "spikes of a cell with morphology are found in its trace",
    "pointCellCondBased/thresh": "it moves a flag, not the voltage",
    "pointCellCondBasedCa/thresh": "it moves a flag, not the voltage",
    "pinskyRinzelCA3Cell/gNmda": "the synaptic variables start at 0, and nothing moves them",
    "pinskyRinzelCA3Cell/gAmpa": "the synaptic variables start at 0, and nothing moves them",
}
"""Numbers that no trace shows."""
SILENT_IN_ARBOR = {"resistivity/value": "NEURON's section ends show its rounding; here is one compartment"}


@pytest.mark.parametrize(
    ("model", "component"),
    [
        ("gates.nml", "gates"),
        ("calcium.nml", "calcium"),
        pytest.param("gates.nml", "schemes", marks=pytest.mark.slow),
        pytest.param("calcium.nml", "shelled", marks=pytest.mark.slow),
        pytest.param("calcium.nml", "traubs", marks=pytest.mark.slow),
        pytest.param("calcium.nml", "populated", marks=pytest.mark.slow),
        ("varying.nml", "varying"),
    ],
)
@pytest.mark.parametrize("numerics", [Numerics.CNEXP, pytest.param(Numerics.JNEUROML, marks=pytest.mark.slow)])
def test_elements_of_cells(model: str, component: str, numerics: Numerics, root: Path) -> None:
    check(read(root / DATA / model), component, numerics, 0.1)


@pytest.mark.arbor
@pytest.mark.parametrize(
    ("model", "component"),
    [
        ("calcium.nml", "shelled"),
        pytest.param("calcium.nml", "calcium", marks=pytest.mark.slow),
        pytest.param("gates.nml", "gates", marks=pytest.mark.slow),
        pytest.param("gates.nml", "schemes", marks=pytest.mark.slow),
        pytest.param("calcium.nml", "traubs", marks=pytest.mark.slow),
        pytest.param("calcium.nml", "populated", marks=pytest.mark.slow),
        pytest.param("varying.nml", "varying", marks=pytest.mark.slow),
    ],
)
def test_elements_of_cells_in_arbor(model: str, component: str, root: Path) -> None:
    """Slot against slot bit for bit; without slots Arbor's compiler rearranges literals."""
    check(read(root / DATA / model), component, Numerics.CNEXP, 0.1, backend="arbor")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "numerics"),
    [
        (name, numerics)
        for name in POINT_CELLS
        for numerics in Numerics
        if numerics is Numerics.CNEXP or name not in NOT_AS_JNEUROML_DOES
    ],
)
def test_point_cells(name: str, numerics: Numerics, tmp_path: Path) -> None:
    made = example(name)
    assert made is not None
    path = tmp_path / "model.nml"
    path.write_text(made.text)
    check(read(path), "c", numerics, AMPLITUDES.get(name, 0.2))


def check(document: Document, component: str, numerics: Numerics, amplitude: float, backend: str = "neuron") -> None:
    """Each slot alone shows; all together equal the recompiled document."""
    compiler = registry.load(backend)
    silent = SILENT | (SILENT_IN_ARBOR if backend == "arbor" else {})
    free = one_of_each(document, component)
    assert free
    drawn = random.Random(f"{component}/{numerics}")
    settings = Settings(numerics=numerics, dt_ms=0.01)
    program = compiler.compile(lower(document, free, component=component), settings)
    experiments = (experiment(program.cell, amplitude, 40.0),)
    published = [slot.default for slot in program.slots]
    wanted = [value * drawn.uniform(0.93, 1.07) for value in published]
    alone = [[*published[:k], value, *published[k + 1 :]] for k, value in enumerate(wanted)]
    base, changed, *single = run(program, experiments, [published, wanted, *alone])
    assert base.status == changed.status == "ok", (base.detail, changed.detail)
    for address, found in zip(free, single, strict=True):
        assert found.status == "ok", (address.path, found.detail)
        moved = any(not np.array_equal(found.traces[key].y, trace.y) for key, trace in base.traces.items())
        assert moved or kind(address) in silent, f"{address.path} changes nothing"
    edits = [
        Edit(address.path, Quantity(value, address.quantity.unit)) for address, value in zip(free, wanted, strict=True)
    ]
    folded = compiler.compile(lower(apply(document, edits), component=component), settings)
    compare = alike if backend == "arbor" else same
    compare(run(folded, experiments, [[]])[0], changed, "the edited document")


def one_of_each(document: Document, component: str) -> list[Address]:
    """The first bindable number of each kind."""
    addresses = listing(document)
    uses = classify(document, addresses, component=component)
    found: dict[str, Address] = {}
    for address in addresses:
        if uses[address.path] == "bindable" and address.quantity.value != 0.0 and not is_scale(address):
            found.setdefault(kind(address), address)
    return list(found.values())


def is_scale(address: Address) -> bool:
    """A unit in disguise ('MV = 1 mV') of a user type."""
    return bool(re.search(r"/Constant:M[VSM]/", address.path))


def kind(address: Address) -> str:
    """Element type and attribute."""
    element = address.element
    literal = f"{{{address.literal}}}" if address.literal else ""
    return f"{element.attributes.get('type', element.tag)}/{address.attribute}{literal}"
