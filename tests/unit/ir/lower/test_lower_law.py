"""The law of slots (DESIGN 1.2) at the level of equations: an edited document and a bound slot give equal bits."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from nmlopt.document.edit import Edit, apply
from nmlopt.document.paths import listing
from nmlopt.document.read import read
from nmlopt.ir.lower import classify, lower
from nmlopt.units import Quantity

SHARED = [
    "PospischilEtAl2008/NeuroML2/cells/LTS/LTS.cell.nml",
    "BahlEtAl2012_ReducedL5PyrCell/NeuroML2/LEMS_pyr_single_comp.xml",
    "SolinasEtAl-GolgiCell/NeuroML2/TestSoma_HELPER.cell.nml",
    "IzhikevichModel/NeuroML2/LEMS_2007One.xml",
    "ghk-nernst/NeuroML2/LEMS_ghk_na_k_ca.xml",
    "AllenInstituteNeuroML/CellTypesDatabase/models/NeuroML2/Soma_Test.cell.nml",
    "Thalamocortical/NeuroML2/cells/nRT.cell.nml",
    "BlueBrainProjectShowcase/NMC/NeuroML2/Soma_AllNML2.cell.nml",
    "FitzHugh-Nagumo/NeuroML2/LEMS_FitzHughNagumo.xml",
]


@pytest.mark.parametrize("name", SHARED)
def test_edit_and_slot_give_the_same_equations(name: str, shared_data: Path, bound) -> None:
    document = read(shared_data / "osb" / name)
    addresses = listing(document)
    uses = classify(document, addresses)
    bindable = [a for a in addresses if uses[a.path] == "bindable"]
    assert len(bindable) >= 5
    drawn = random.Random(name)
    for _ in range(3):
        free = drawn.sample(bindable, k=min(len(bindable), drawn.choice([1, 4, 40])))
        values = [a.quantity.value * drawn.uniform(0.9, 1.1) + drawn.choice([0.0, 1e-3]) for a in free]
        edits = [Edit(a.path, Quantity(v, a.quantity.unit)) for a, v in zip(free, values, strict=True)]
        edited = apply(document, edits)
        assert bound(lower(document, free), values) == bound(lower(edited))
        assert bound(lower(document, free)) == bound(lower(document))


@pytest.mark.parametrize("name", SHARED[:3])
def test_what_is_bindable_can_be_freed_and_the_rest_is_refused(name: str, shared_data: Path) -> None:
    from nmlopt.errors import PathError

    document = read(shared_data / "osb" / name)
    addresses = listing(document)
    uses = classify(document, addresses)
    cell = lower(document, [a for a in addresses if uses[a.path] == "bindable"])
    assert [s.path for s in cell.slots] == [p for p, use in uses.items() if use == "bindable"]
    refused = [a for a in addresses if uses[a.path] != "bindable"]
    with pytest.raises(PathError) as caught:
        lower(document, refused)
    assert len(caught.value.issues) == len(refused)
    assert {i.code for i in caught.value.issues} == {"P020", "P021"}
