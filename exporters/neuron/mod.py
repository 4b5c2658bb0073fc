"""From a cell to its NMODL files: which mechanism is copied how often, under which name, with which text."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment

from nmlopt.backend import Numerics, Settings
from nmlopt.codegen.nmodl import Interface, Writer
from nmlopt.codegen.nmodl_current import current_interface, current_text
from nmlopt.codegen.nmodl_point import point_interface, point_text
from nmlopt.codegen.nmodl_pool import pool_interface, pool_text
from nmlopt.codegen.templating import environment
from nmlopt.ir.model import Cell, Mechanism, MechanismKind, Placement

TEMPLATES = Path(__file__).parent / "templates"
_TAG_LENGTH = 8


@dataclass(frozen=True, slots=True)
class Part:
    """One generated mechanism: placements that do not overlap, its NEURON name, its variables.

    `partial`: some section is covered in part only, so that `present` switches compartments off.
    """

    mechanism: Mechanism
    placements: tuple[Placement, ...]
    partial: bool
    suffix: str
    interface: Interface


@dataclass(frozen=True, slots=True)
class Plan:
    """All generated mechanisms of a cell, the name of the sinusoidal clamp, and the texts of all files."""

    parts: tuple[Part, ...]
    sine: str
    files: Mapping[str, str]

    def part_of(self, placement: str) -> Part:
        """The part that holds a placement. Raises KeyError."""
        return {p.id: part for part in self.parts for p in part.placements}[placement]


def plan(cell: Cell, settings: Settings, toolchain: str) -> Plan:
    """The mechanisms and texts of a cell; names end in a digest of the texts and of `toolchain` (versions, flags)."""
    unnamed = [
        Part(mechanism, placements, _partial(cell, placements), name, _interface(mechanism, settings))
        for mechanism in cell.mechanisms
        for name, placements in _copies(cell, mechanism)
    ]
    env = _environment()
    digest = hashlib.sha256(toolchain.encode())
    digest.update(env.get_template("sine.mod.j2").render(suffix="sine").encode())
    for part in unnamed:
        digest.update(_text(part, settings, env).encode())
    tag = digest.hexdigest()[:_TAG_LENGTH]
    parts = tuple(replace(part, suffix=f"{part.suffix}_{tag}") for part in unnamed)
    sine = f"sine_{tag}"
    files = {f"{part.suffix}.mod": _text(part, settings, env) for part in parts}
    files[f"{sine}.mod"] = env.get_template("sine.mod.j2").render(suffix=sine)
    return Plan(parts, sine, files)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return environment(TEMPLATES)


def _copies(cell: Cell, mechanism: Mechanism) -> list[tuple[str, tuple[Placement, ...]]]:
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
    return [
        (mechanism.name if k == 0 else f"{mechanism.name}_{k + 1}", tuple(members))
        for k, (_, members) in enumerate(copies)
    ]


def _partial(cell: Cell, placements: Sequence[Placement]) -> bool:
    if cell.geometry is None:
        return False
    covered = {index for p in placements for index in p.compartments}
    touched = {cell.geometry.compartments[index].section for index in covered}
    return any(c.section in touched and k not in covered for k, c in enumerate(cell.geometry.compartments))


def _interface(mechanism: Mechanism, settings: Settings) -> Interface:
    writer = Writer(mechanism, partial=False)
    match mechanism.kind:
        case MechanismKind.POOL:
            return pool_interface(writer)
        case MechanismKind.POINT_CELL:
            return point_interface(writer, lag=settings.numerics is Numerics.JNEUROML)
    return current_interface(writer)


def _text(part: Part, settings: Settings, env: Environment) -> str:
    writer = Writer(part.mechanism, part.partial)
    lag = settings.numerics is Numerics.JNEUROML
    match part.mechanism.kind:
        case MechanismKind.POOL:
            mod = pool_text(writer, part.suffix, lag=lag)
        case MechanismKind.POINT_CELL:
            mod = point_text(writer, part.suffix, lag=lag)
        case _:
            mod = current_text(writer, part.suffix, lag=lag, tables=settings.tables)
    return env.get_template("mechanism.mod.j2").render(mod=mod)
