"""Which mechanisms of a cell become one NMODL file: those that share their sections, where that costs nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from nmlopt.codegen.merge import can_merge
from nmlopt.ir.model import Cell, Mechanism, Placement

MAX_REPETITION = 3
"""Sections are told apart by what lies on them while the text grows by this factor at most."""
_NAME_LENGTH = 40


@dataclass(frozen=True, slots=True)
class Unit:
    """Mechanisms for one NMODL file, each with the placements that are in this file.

    `partial`: some section is covered in part only, so that compartments must be switched off; one mechanism then.
    """

    name: str
    members: tuple[tuple[Mechanism, tuple[Placement, ...]], ...]
    partial: bool


@dataclass(frozen=True, slots=True)
class _Copy:
    """Placements of a mechanism that do not overlap, with the sections they cover wholly and those in part."""

    name: str
    mechanism: Mechanism
    placements: tuple[Placement, ...]
    whole: frozenset[int]
    part: frozenset[int]


def units(cell: Cell, *, merge: bool) -> tuple[Unit, ...]:
    """The files to generate. Without `merge`, one for each mechanism (for each copy, where placements overlap).

    A section's class is the set of mechanisms on all of it; each class becomes a file, in which a mechanism that lies
    on several classes is repeated. Where that repeats too much, only mechanisms with the same sections are merged.
    """
    copies = tuple(copy for mechanism in cell.mechanisms for copy in _copies(cell, mechanism))
    if not merge or cell.geometry is None:
        alone = (Unit(c.name, ((c.mechanism, c.placements),), bool(c.part)) for c in copies)
        return tuple(alone)
    able = {c.name for c in copies if can_merge(c.mechanism)}
    groups = _groups([c for c in copies if c.name in able])
    found: list[Unit] = []
    for copy in copies:
        if copy.name not in able:
            found.append(Unit(copy.name, ((copy.mechanism, copy.placements),), bool(copy.part)))
        elif copy.part:
            placed = _within(cell, copy.placements, copy.part)
            found.append(Unit(copy.name, ((copy.mechanism, placed),), partial=True))
    for members, sections in groups:
        placed_members = tuple((c.mechanism, _within(cell, c.placements, sections)) for c in members)
        found.append(Unit("_".join(c.name for c in members)[:_NAME_LENGTH], placed_members, partial=False))
    return tuple(_distinct(found))


def _groups(copies: Sequence[_Copy]) -> list[tuple[tuple[_Copy, ...], frozenset[int]]]:
    """Mechanisms and the sections on which they are merged."""
    by_section: dict[int, list[int]] = {}
    for index, copy in enumerate(copies):
        for section in sorted(copy.whole):
            by_section.setdefault(section, []).append(index)
    classes: dict[tuple[int, ...], list[int]] = {}
    for section in sorted(by_section):
        classes.setdefault(tuple(by_section[section]), []).append(section)
    if sum(map(len, classes)) <= MAX_REPETITION * len(copies):
        return [(tuple(copies[k] for k in held), frozenset(sections)) for held, sections in classes.items()]
    alike: dict[frozenset[int], list[_Copy]] = {}
    for copy in copies:
        if copy.whole:
            alike.setdefault(copy.whole, []).append(copy)
    return [(tuple(held), sections) for sections, held in alike.items()]


def _distinct(found: Sequence[Unit]) -> Iterator[Unit]:
    taken: set[str] = set()
    for unit in found:
        name, count = unit.name, 2
        while name in taken:
            name, count = f"{unit.name}_{count}", count + 1
        taken.add(name)
        yield replace(unit, name=name)


def _copies(cell: Cell, mechanism: Mechanism) -> Iterator[_Copy]:
    """Placements that overlap add up in NeuroML, but NEURON holds a mechanism once per section: one copy each."""
    copies: list[tuple[set[int], list[Placement]]] = []
    for placement in cell.placements:
        if placement.mechanism != mechanism.name:
            continue
        covered = set(placement.compartments)
        for taken, members in copies:
            if taken.isdisjoint(covered):
                taken |= covered
                members.append(placement)
                break
        else:
            copies.append((covered, [placement]))
    for k, (covered, placements) in enumerate(copies):
        name = mechanism.name if k == 0 else f"{mechanism.name}_{k + 1}"
        yield _Copy(name, mechanism, tuple(placements), *_coverage(cell, covered))


def _coverage(cell: Cell, covered: set[int]) -> tuple[frozenset[int], frozenset[int]]:
    """The sections covered wholly, and in part."""
    if cell.geometry is None:
        return frozenset(), frozenset()
    touched: dict[int, bool] = {}
    sections = {cell.geometry.compartments[k].section for k in covered}
    for index, compartment in enumerate(cell.geometry.compartments):
        if compartment.section in sections:
            touched[compartment.section] = touched.get(compartment.section, True) and index in covered
    whole = frozenset(section for section, all_of_it in touched.items() if all_of_it)
    return whole, frozenset(touched) - whole


def _within(cell: Cell, placements: Sequence[Placement], sections: frozenset[int]) -> tuple[Placement, ...]:
    """The placements on these sections only."""
    assert cell.geometry is not None
    compartments = cell.geometry.compartments
    found = []
    for placement in placements:
        kept = [i for i, k in enumerate(placement.compartments) if compartments[k].section in sections]
        if not kept:
            continue
        where = tuple(placement.compartments[i] for i in kept)
        local = tuple((name, tuple(values[i] for i in kept)) for name, values in placement.locals)
        found.append(replace(placement, compartments=where, locals=local))
    return tuple(found)
