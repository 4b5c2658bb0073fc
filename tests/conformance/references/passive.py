"""Passive cells: capacitance, leak, units, shape, sections, groups. All references are exact."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

from tests.conformance.references.cable import MV, Piece, axial, cylinder, frustum, voltages
from tests.conformance.references.registry import LINEAR, reference, samples
from tests.conformance.references.solve import TIMES_MS

CLOSED = "closed form: exponentials towards the steady states of the pulse"
SOMA_AREA = cylinder(20, 20)
EXTRA = ((1.0, -65 * MV), (3.0, -40 * MV))


def one(piece: Piece, current_nA: float = 0.02) -> list:
    """v of one compartment."""
    return [samples(TIMES_MS, voltages([piece], [], TIMES_MS, {0: current_nA})[:, 0])]


def several(
    pieces: Sequence[Piece],
    resistances: Sequence[tuple[int, int, float]],
    *,
    current_nA: float = 0.05,
    at: int = 0,
    shown: Sequence[int] | None = None,
) -> list:
    """v of the pieces that are shown, as columns v, v1, v2, ..."""
    found = voltages(pieces, resistances, TIMES_MS, {at: current_nA})
    columns = range(len(pieces)) if shown is None else shown
    return [samples(TIMES_MS, found[:, k], f"v{n}" if n else "v") for n, k in enumerate(columns)]


@reference(
    "101-passive-decay",
    tests="v starts at initMembPotential and decays to the leak's reversal with C/g",
    rule="Cells.xml: cell, specificCapacitance, channelDensity, initMembPotential",
    method=CLOSED,
    mistakes={"v starts at -65 mV": {"v0_mV": -65.0}},
)
def passive_decay(v0_mV: float = -50.0) -> list:
    return one(Piece(SOMA_AREA, v0=v0_mV * MV), 0.0)


@reference(
    "102-units",
    tests="S_per_m2, F_per_m2, V, s and pA; blanks and exponents",
    rule="NeuroMLCoreDimensions.xml",
    method=CLOSED,
)
def units() -> list:
    return one(Piece(SOMA_AREA, v0=-50 * MV))


@reference(
    "103-spherical-soma",
    tests="a segment whose two points coincide is a sphere: area pi d^2",
    rule="Cells.xml: segment (surfaceArea)",
    method=CLOSED,
    mistakes={"the diameter is taken for a radius": {"diameter": 30.0}},
)
def sphere(diameter: float = 15.0) -> list:
    return one(Piece(math.pi * (diameter * 1e-6) ** 2))


@reference(
    "104-frustum",
    tests="a tapering segment has the area of a frustum's side, slanted",
    rule="NeuroML: a segment is a frustum; the core type's own area is that of a cylinder of the distal diameter",
    method=CLOSED,
    mistakes={
        "a cylinder of the distal diameter": {"area": cylinder(10, 8)},
        "the slant is left out": {"area": cylinder(10, 14)},
    },
    departures={"jLEMS": "a cylinder of the distal diameter, as the core type segment says"},
)
def taper(area: float = frustum(10, 20, 8)) -> list:
    return one(Piece(area))


def ball_and_stick(joint: float, stick: Piece | None = None, *, soma: Piece | None = None) -> list:
    """A soma and a stick of one compartment, `joint` ohm between their middles."""
    return several([soma or Piece(SOMA_AREA), stick or Piece(cylinder(100, 2))], [(0, 1, joint)])


TO_END = axial(10, 20) + axial(50, 2)


@reference(
    "105-axial-resistance",
    tests="axial resistance between two sections: half of each",
    rule="NeuroML: resistivity, sections of one compartment",
    method=LINEAR,
    mistakes={
        "no axial resistance": {"joint": 1.0},
        "all of the child's length": {"joint": axial(10, 20) + axial(100, 2)},
    },
)
def axial_resistance(joint: float = TO_END) -> list:
    return ball_and_stick(joint)


@reference(
    "106-fraction-along",
    tests="a child with fractionAlong 0.5 joins the middle of its parent",
    rule="Cells.xml: parent (fractionAlong)",
    method=LINEAR,
    mistakes={"it joins the parent's end": {"joint": axial(60, 4, ohm_m=10) + axial(50, 2, ohm_m=10)}},
)
def fraction_along(joint: float = axial(50, 2, ohm_m=10)) -> list:
    return several([Piece(cylinder(120, 4)), Piece(cylinder(100, 2))], [(0, 1, joint)])


@reference(
    "107-proximal-interpolated",
    tests="a child without proximal starts at fractionAlong of its parent, with the diameter there",
    rule="NeuroML schema: proximal is optional, the point of the parent at fractionAlong is meant",
    method=LINEAR,
    mistakes={"it starts at the parent's distal point": {"start": 4.0, "length": math.hypot(50, 10)}},
    departures={"jNeuroML_NEURON": "starts the child at the parent's distal point"},
)
def interpolated(start: float = 6.0, length: float = 50.0) -> list:
    middle = (start + 2) / 2
    child = Piece(frustum(length, start, 2))
    joint = axial(length / 2, start, middle)
    return several([Piece(frustum(20, 8, 4)), child], [(0, 1, joint)], current_nA=0.02)


@reference(
    "108-fraction-along-zero",
    tests="a child with fractionAlong 0 joins where its parent starts",
    rule="Cells.xml: parent (fractionAlong)",
    method=LINEAR,
    mistakes={"it joins the parent's end": {"joins": 2}},
)
def fraction_zero(joins: int = 0) -> list:
    pieces = [*[Piece(cylinder(40, 4))] * 3, Piece(cylinder(100, 2))]
    parent = [(0, 1, axial(40, 4)), (1, 2, axial(40, 4))]
    return several(pieces, [*parent, (joins, 3, axial(20, 4) + axial(50, 2))], at=2, shown=[1, 3])


def five(current_at: int) -> list:
    """A soma and a stick of 400 um in five compartments; soma and the stick's middle are shown."""
    pieces = [Piece(SOMA_AREA), *[Piece(cylinder(80, 2))] * 5]
    joints = [(0, 1, axial(10, 20) + axial(40, 2)), *[(k, k + 1, axial(80, 2)) for k in range(1, 5)]]
    return several(pieces, joints, at=current_at, shown=[0, 3])


@reference(
    "109-internal-divisions",
    tests="numberInternalDivisions is the number of compartments of a section, of equal length",
    rule="NeuroML: property numberInternalDivisions of a segmentGroup with neuroLexId sao864921383",
    method=LINEAR,
    mistakes={"one compartment": {"divisions": 1}},
)
def divisions(divisions: int = 5) -> list:
    if divisions == 5:
        return five(0)
    return ball_and_stick(axial(10, 20) + axial(200, 2), Piece(cylinder(400, 2)))


@reference(
    "110-segments-of-a-section",
    tests="compartments divide a section by length, across its segments; areas and resistances follow the frusta",
    rule="NeuroML: a segmentGroup with neuroLexId sao864921383 is one unbranched section",
    method=LINEAR,
    mistakes={"diameters are averaged along the section": {"is_even": True}},
)
def segments_of_a_section(is_even: bool = False) -> list:
    def d(x: float) -> float:
        if is_even:
            return 4 - 3 * x / 120
        return 4 - x / 60 if x <= 60 else 3 - 2 * (x - 60) / 60

    def between(part: object, start: float, end: float) -> float:
        cuts = [start, *([60.0] if start < 60 < end else []), end]
        return sum(part(b - a, d(a), d(b)) for a, b in pairwise(cuts))  # type: ignore[operator]

    pieces = [Piece(SOMA_AREA), *[Piece(between(frustum, 40 * k, 40 * (k + 1))) for k in range(3)]]
    joints = [axial(10, 20) + between(axial, 0, 20), between(axial, 20, 60), between(axial, 60, 100)]
    return several(pieces, [(k, k + 1, r) for k, r in enumerate(joints)], shown=[0, 1, 3])


@reference(
    "111-resistivity-by-group",
    tests="each group's resistivity holds in its compartments",
    rule="Cells.xml: resistivity (segmentGroup)",
    method=LINEAR,
    mistakes={"one resistivity for the cell": {"ohm_m": 1.0}},
)
def resistivity(ohm_m: float = 40.0) -> list:
    return ball_and_stick(axial(10, 20) + axial(50, 2, ohm_m=ohm_m))


@reference(
    "112-capacitance-by-group",
    tests="each group's specificCapacitance holds in its compartments",
    rule="Cells.xml: specificCapacitance (segmentGroup)",
    method=LINEAR,
    mistakes={"one capacitance for the cell": {"capacitance": 0.01}},
)
def capacitance(capacitance: float = 0.03) -> list:
    return ball_and_stick(TO_END, Piece(cylinder(100, 2), capacitance=capacitance))


@reference(
    "121-later-value-holds",
    tests="of two values for a compartment, one for the whole cell and a later one for its group, the later one holds",
    rule="NeuroML: groups overlap; document order decides",
    method=LINEAR,
    mistakes={"the first value holds": {"capacitance": 0.01}, "they add": {"capacitance": 0.04}},
)
def later_value(capacitance: float = 0.03) -> list:
    return ball_and_stick(TO_END, Piece(cylinder(100, 2), capacitance=capacitance))


@reference(
    "113-initial-potential-by-group",
    tests="each group starts at its own initMembPotential",
    rule="Cells.xml: initMembPotential (segmentGroup)",
    method=LINEAR,
    mistakes={"one potential for the cell": {"v0": -65 * MV}},
)
def initial_potential(v0: float = -40 * MV) -> list:
    return several([Piece(SOMA_AREA), Piece(cylinder(100, 2), v0=v0)], [(0, 1, TO_END)], current_nA=0.0)


def star(arms: Mapping[int, float]) -> list[tuple[int, int, float]]:
    """Resistances (ohm) between pieces that meet in one point through `arms` (Kennelly 1899)."""
    total = sum(1 / r for r in arms.values())
    return [(i, j, arms[i] * arms[j] * total) for i in arms for j in arms if i < j]


def fork(chosen: Sequence[int], *, current_nA: float = 0.05, at: int = 0) -> list:
    """Five sections, 0-1, 1-2, 1-3, 3-4, of which the chosen have one more leak."""
    sizes = [(20, 20), (100, 3), (100, 2), (100, 2), (80, 1)]
    pieces = [
        Piece(cylinder(*size), EXTRA) if k in chosen else Piece(cylinder(*size)) for k, size in enumerate(sizes)
    ]  # fmt: skip
    # three sections meet at the end of section 1, where there is no membrane: a star of half sections is a mesh
    halves = [axial(length / 2, diameter) for length, diameter in sizes]
    joints = [(0, 1, halves[0] + halves[1]), *star({k: halves[k] for k in (1, 2, 3)})]
    return several(pieces, [*joints, (3, 4, halves[3] + halves[4])], current_nA=current_nA, at=at, shown=range(5))


@reference(
    "114-group-includes",
    tests="a segmentGroup holds what the groups hold that it includes, at any depth",
    rule="Cells.xml: segmentGroup, include",
    method=LINEAR,
    mistakes={"included groups are followed once only": {"chosen": (1,)}},
)
def includes(chosen: Sequence[int] = (1, 2, 4)) -> list:
    return fork(chosen)


@reference(
    "115-group-members",
    tests="a density on a segmentGroup of members, which is no section, is on those segments",
    rule="Cells.xml: segmentGroup, member",
    method=LINEAR,
    mistakes={"the density is nowhere": {"chosen": ()}},
    departures={"jNeuroML_NEURON": "inserts the density nowhere: its section lists come from includes only"},
)
def members(chosen: Sequence[int] = (2, 4)) -> list:
    return fork(chosen)


@reference(
    "116-group-path",
    tests="a path holds all segments between its ends, both included",
    rule="Cells.xml: path, from, to",
    method=LINEAR,
    mistakes={"the density is nowhere": {"chosen": ()}, "only the ends": {"chosen": (0, 3)}},
    departures={"jNeuroML_NEURON": "does not resolve path"},
)
def path(chosen: Sequence[int] = (0, 1, 3)) -> list:
    return fork(chosen)


@reference(
    "117-group-subtree",
    tests="a subTree holds a segment and all that descends from it",
    rule="Cells.xml: subTree, from",
    method=LINEAR,
    mistakes={"the density is nowhere": {"chosen": ()}, "without its first segment": {"chosen": (4,)}},
    departures={"jNeuroML_NEURON": "does not resolve subTree"},
)
def subtree(chosen: Sequence[int] = (3, 4)) -> list:
    return fork(chosen)


@reference(
    "118-morphology-by-reference",
    tests="a cell that names its morphology and biophysicalProperties, which stand outside it",
    rule="NeuroML schema: cell (attributes morphology, biophysicalProperties)",
    method=CLOSED,
)
def by_reference() -> list:
    return one(Piece(cylinder(10, 8)))


@reference(
    "119-input-fraction-along",
    tests="an input's fractionAlong chooses the compartment it acts on",
    rule="Networks.xml: input (segmentId, fractionAlong)",
    method=LINEAR,
    mistakes={"it acts on the middle of the segment": {"at": 3}},
)
def input_fraction(at: int = 5) -> list:
    return five(at)


@reference(
    "120-input-segment",
    tests="an input's segmentId; without fractionAlong it acts on the middle",
    rule="Networks.xml: input",
    method=LINEAR,
    mistakes={"it acts on the first segment": {"at": 0}},
)
def input_segment(at: int = 4) -> list:
    return fork((), at=at, current_nA=0.02)
