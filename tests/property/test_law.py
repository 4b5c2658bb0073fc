"""The law of DESIGN §1.2, bit for bit in every backend: an edited document and a bound slot are the same cell.

simulate(compile(lower(apply(doc, edits))), e, defaults) == simulate(compile(lower(doc, free)), e, values(edits)),
where the left side is lowered without any slot (every number is folded into the text) and with the same slots. Numbers
are drawn at random over the kinds of numbers that a cell has; each draw means a build, so they are few per cell.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from law import alike, experiment, run, same

from nmlopt.backend import Numerics, Program, Settings
from nmlopt.document.edit import Edit, apply
from nmlopt.document.model import Document
from nmlopt.document.paths import Address, listing
from nmlopt.document.paths import resolve as resolve_path
from nmlopt.document.read import read
from nmlopt.experiment.model import Experiment
from nmlopt.exporters import registry
from nmlopt.ir.lower import classify, lower
from nmlopt.units import Quantity

pytestmark = pytest.mark.neuron

MAX_FREE = 10
SLOW = pytest.mark.slow


@dataclass(frozen=True)
class Subject:
    """A cell and what drives it: a current (nA, or a plain number), from 5 ms on."""

    model: str
    amplitude: float
    component: str | None = None
    duration_ms: float = 40.0


OURS = {
    "simplecell": Subject("benchmarks/simplecell/model.nml", 0.2),
    "hh_soma": Subject("examples/hh_soma/model.nml", 0.2),
    "ball_and_stick": Subject("examples/ball_and_stick/model.nml", 0.2),
    "izhikevich": Subject("examples/izhikevich/model.nml", 0.15),
}
_ALLEN = "AllenInstituteNeuroML/CellTypesDatabase/models/NeuroML2"
SHARED = {
    "hh_detailed": Subject("NeuroML2/LEMSexamples/LEMS_NML2_Ex5_DetCell.xml", 0.08),
    "pospischil_lts": Subject("PospischilEtAl2008/NeuroML2/cells/LTS/LEMS_LTS.xml", 0.3),
    "golgi_soma": Subject("SolinasEtAl-GolgiCell/NeuroML2/LEMS_Soma_Test_HELPER.xml", 0.04),
    "allen_483108201": Subject(f"{_ALLEN}/LEMS_483108201.xml", 0.6),
    "ghk": Subject("ghk-nernst/NeuroML2/LEMS_ghk_na_k_ca.xml", 0.005),
    "izhikevich_2007": Subject("IzhikevichModel/NeuroML2/LEMS_2007One.xml", 0.1, duration_ms=150.0),
    "iaf_ref": Subject("NeuroML2/LEMSexamples/LEMS_NML2_Ex0_IaF.xml", 0.001, "iafRef"),
    "fitzhugh_nagumo": Subject("FitzHugh-Nagumo/NeuroML2/LEMS_FitzHughNagumo.xml", 0.0),
}
SETTINGS = {
    "cnexp": Settings(),
    "jneuroml": Settings(numerics=Numerics.JNEUROML),
    "tables": Settings(tables=True),
}
ALL_SETTINGS = pytest.mark.parametrize("settings", SETTINGS)
WITH_TABLES = ("hh_soma", "ball_and_stick")
"""Of our cells; the others would only make the fast tests longer."""
OURS_AND_SETTINGS = [(n, s) for n in OURS for s in SETTINGS if s != "tables" or n in WITH_TABLES]


@pytest.mark.parametrize(("name", "settings"), OURS_AND_SETTINGS)
def test_law_on_our_cells(name: str, settings: str, root: Path) -> None:
    subject = OURS[name]
    check(subject, read(root / subject.model), SETTINGS[settings], seed=name)


@pytest.mark.slow
@ALL_SETTINGS
@pytest.mark.parametrize("name", SHARED)
def test_law_on_published_cells(name: str, settings: str, shared_data: Path) -> None:
    subject = SHARED[name]
    check(subject, read(shared_data / "osb" / subject.model), SETTINGS[settings], seed=name)


@pytest.mark.arbor
@pytest.mark.parametrize("name", ["hh_soma", "ball_and_stick"])
def test_law_in_arbor(name: str, root: Path) -> None:
    subject = OURS[name]
    check(subject, read(root / subject.model), Settings(), seed=name, backend="arbor")


@pytest.mark.arbor
@pytest.mark.slow
@pytest.mark.parametrize("name", ["hh_detailed", "pospischil_lts", "golgi_soma", "allen_483108201", "ghk"])
def test_law_in_arbor_on_published_cells(name: str, shared_data: Path) -> None:
    subject = SHARED[name]
    check(subject, read(shared_data / "osb" / subject.model), Settings(), seed=name, backend="arbor")


@pytest.mark.parametrize("name", OURS)
def test_law_in_the_native_kernel(name: str, root: Path) -> None:
    subject = OURS[name]
    check(subject, read(root / subject.model), Settings(), seed=name, backend="native")


@pytest.mark.slow
@pytest.mark.parametrize("name", SHARED)
def test_law_in_the_native_kernel_on_published_cells(name: str, shared_data: Path) -> None:
    subject = SHARED[name]
    check(subject, read(shared_data / "osb" / subject.model), Settings(), seed=name, backend="native")


@pytest.mark.parametrize("settings", ["cnexp", pytest.param("tables", marks=pytest.mark.slow)])
def test_law_where_exponentials_are_shared(settings: str, root: Path) -> None:
    """Rates whose slopes agree come from one exponential; with slots, bound values decide which do."""
    subject = Subject("benchmarks/nmodl_speed/cable.nml", 0.5, duration_ms=20.0)
    document = read(root / subject.model)
    rates = [a for a in listing(document) if re.search(r"hh_(na|k).*/(scale|midpoint)$", a.path)]
    free = [a for a in rates if not re.search("hh_na/gateHHrates:m/reverse", a.path)]
    check_bits(subject, document, SETTINGS[settings], free, random.Random(settings))


@pytest.mark.java
@pytest.mark.parametrize("name", ["izhikevich", *(pytest.param(n, marks=SLOW) for n in ("hh_soma", "ball_and_stick"))])
def test_law_in_lems(name: str, root: Path) -> None:
    """jLEMS itself, and jNeuroML's export to NEURON for the cell with several compartments; few slots: Java starts."""
    subject, drawn = OURS[name], random.Random(name)
    document = read(root / subject.model)
    check_bits(subject, document, Settings(), draw(document, subject.component, drawn)[:4], drawn, "lems")


def check(subject: Subject, document: Document, settings: Settings, *, seed: str, backend: str = "neuron") -> None:
    """Three programs, with and without slots, give the same bits; so do A, B, A in one program, in any batch."""
    drawn = random.Random(f"{seed}/{settings.numerics}")
    check_bits(subject, document, settings, draw(document, subject.component, drawn), drawn, backend)


def check_bits(
    subject: Subject,
    document: Document,
    settings: Settings,
    free: list[Address],
    drawn: random.Random,
    backend: str = "neuron",
) -> None:
    """The law for these slots and other values of them."""
    compiler = registry.load(backend)
    program = compiler.compile(lower(document, free, component=subject.component), settings)
    made = experiment(program.cell, subject.amplitude, subject.duration_ms, else_K=279.45)
    able = [o for o in made.outputs if not compiler.unsupported(program.cell, (replace(made, outputs=(o,)),))]
    experiments = (replace(made, outputs=tuple(able)),)
    assert able[:1] == list(made.outputs[:1]) and len(able) > 0.5 * len(made.outputs)
    b = [slot.default for slot in program.slots]
    a = bearable(program, experiments, b, [value * drawn.uniform(0.8, 1.2) for value in b])
    edits = [Edit(address.path, Quantity(value, address.quantity.unit)) for address, value in zip(free, a, strict=True)]
    edited = apply(document, edits)
    first, second, third = run(program, experiments, [a, b, a])
    assert first.status == second.status == "ok", (first.detail, second.detail, edits)
    same(first, third, "A, B, A")
    same(run(program, experiments, [b])[0], second, "B alone")
    same(run(program, experiments, [a])[0], first, "A alone")
    assert not np.array_equal(first.traces["e", "0"].y, second.traces["e", "0"].y)

    again = [resolve_path(edited, address.path)[0] for address in free]
    with_slots = compiler.compile(lower(edited, again, component=subject.component), settings)
    assert [slot.default for slot in with_slots.slots] == a
    same(run(with_slots, experiments, [a])[0], first, f"edited, same slots: {edits}")
    if backend == "arbor":
        assert with_slots.folder == program.folder, "built once for all values of the slots"

    for source, bound, what in ((edited, first, f"edited: {edits}"), (document, second, "as published")):
        folded = compiler.compile(lower(source, component=subject.component), settings)
        outcome = run(folded, experiments, [[]])[0]
        if backend != "arbor":
            same(outcome, bound, f"no slots, {what}")
        else:  # modcc, Arbor's compiler of mechanisms, rearranges what it can compute beforehand
            alike(outcome, bound, f"no slots, {what}")


def bearable(
    program: Program, experiments: tuple[Experiment, ...], published: list[float], wanted: list[float]
) -> list[float]:
    """The wanted values, taken one after another; one with which the cell does not run stays as published.

    A changed '3' of a shell's volume, r^3, is no cell any more.
    """
    found = list(published)
    for k, value in enumerate(wanted):
        tried = [*found[:k], value, *found[k + 1 :]]
        if run(program, experiments, [tried])[0].status == "ok":
            found = tried
    assert sum(x != y for x, y in zip(found, published, strict=True)) >= min(4, len(published)), program.slots
    return found


def draw(document: Document, component: str | None, drawn: random.Random) -> list[Address]:
    """Bindable numbers, one of each kind (element and attribute) before a second one of any kind."""
    addresses = listing(document)
    uses = classify(document, addresses, component=component)
    able = [a for a in addresses if uses[a.path] == "bindable" and a.quantity.value != 0.0 and not is_scale(a)]
    drawn.shuffle(able)
    seen: dict[str, int] = {}

    def rank(address: Address) -> int:
        kind = f"{address.element.tag}/{address.attribute}" + ("{}" if address.literal else "")
        seen[kind] = seen.get(kind, 0) + 1
        return seen[kind]

    ranked = sorted(((rank(a), i) for i, a in enumerate(able)), key=lambda pair: pair[0])
    return [able[i] for _, i in ranked[:MAX_FREE]]


def is_scale(address: Address) -> bool:
    """A unit in disguise ('VOLT_SCALE = 1 mV'): 20 % of it is no cell any more."""
    return bool(re.search(r"_SCALE|/Constant:", address.path))
