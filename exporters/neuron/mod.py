"""From a cell to its NMODL files: which mechanisms share one, under which name, with which text."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment

from nmlopt.backend import Numerics, Settings
from nmlopt.codegen.merge import Merged, merged
from nmlopt.codegen.nmodl import Current, Interface, Writer
from nmlopt.codegen.nmodl_current import current_interface, current_text
from nmlopt.codegen.nmodl_point import point_interface, point_text
from nmlopt.codegen.nmodl_pool import pool_interface, pool_text
from nmlopt.codegen.templating import environment
from nmlopt.codegen.tune import one_valued, tuned
from nmlopt.exporters.neuron.grouping import Unit, units
from nmlopt.exporters.neuron.input_parts import InputPart, input_parts, input_texts, with_inputs
from nmlopt.ir.model import Cell, Mechanism, MechanismKind, Placement

TEMPLATES = Path(__file__).parent / "templates"
_TAG_LENGTH = 7


@dataclass(frozen=True, slots=True)
class Member:
    """A mechanism of the cell within a part: as the cell has it, and the NMODL names of its states."""

    mechanism: Mechanism
    placements: tuple[Placement, ...]
    states: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Part:
    """One generated mechanism: its equations and the numbers to bind, its NEURON name, its variables.

    `members` are the cell's mechanisms it stands for, for recording by canonical names. `partial`: some section is
    covered in part only, so that `present` switches compartments off.
    """

    mechanism: Mechanism
    placements: tuple[Placement, ...]
    currents: tuple[Current, ...]
    members: tuple[Member, ...]
    partial: bool
    suffix: str
    interface: Interface


@dataclass(frozen=True, slots=True)
class Plan:
    """All generated mechanisms of a cell, the name of the sinusoidal clamp, the texts of all files, and its inputs."""

    parts: tuple[Part, ...]
    sine: str
    files: Mapping[str, str]
    inputs: tuple[InputPart, ...] = ()

    def member_of(self, placement: str, exposure: str, compartment: int) -> tuple[Part, Member]:
        """The part and the member of '<placement id>/<exposure>' at a compartment. Raises KeyError.

        A density and a species may share an id; what they expose tells them apart.
        """
        for part in self.parts:
            for member in part.members:
                if exposure in dict(member.mechanism.dynamics.exposures) and any(
                    p.id == placement and compartment in p.compartments for p in member.placements
                ):
                    return part, member
        raise KeyError(f"{placement} at compartment {compartment}")


def plan(cell: Cell, settings: Settings, toolchain: str) -> Plan:
    """The mechanisms and texts of a cell; names end in a digest of the texts and of `toolchain` (versions, flags)."""
    is_textbook = settings.numerics is not Numerics.JNEUROML
    cell = with_inputs(cell, lag=not is_textbook)
    unnamed = [_part(unit, settings) for unit in units(cell, merge=is_textbook)]
    env = _environment()
    digest = hashlib.sha256(toolchain.encode())
    digest.update(env.get_template("sine.mod.j2").render(suffix="sine").encode())
    for part in unnamed:
        digest.update(_text(part, settings, env).encode())
    lag = settings.numerics is Numerics.JNEUROML
    inputs = input_parts(cell, lag=lag)
    for mod in input_texts(inputs, lag=lag):
        digest.update(env.get_template("mechanism.mod.j2").render(mod=mod).encode())
    tag = f"z{digest.hexdigest()[:_TAG_LENGTH]}"  # NEURON adds up currents by name: the order may not hang on the tag
    inputs = tuple(replace(part, suffix=f"{part.suffix}_{tag}") for part in inputs)
    parts = tuple(replace(part, suffix=f"{part.suffix}_{tag}") for part in unnamed)
    sine = f"sine_{tag}"
    files = {f"{part.suffix}.mod": _text(part, settings, env) for part in parts}
    files[f"{sine}.mod"] = env.get_template("sine.mod.j2").render(suffix=sine)
    for mod in input_texts(inputs, lag=lag):
        files[f"0_{mod.suffix}.mod"] = env.get_template("mechanism.mod.j2").render(mod=mod)
    return Plan(parts, sine, files, inputs)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return environment(TEMPLATES)


def _part(unit: Unit, settings: Settings) -> Part:
    whole = _improved(unit, settings)
    face = _interface(whole.mechanism, settings)
    members = tuple(
        Member(mechanism, placements, _states(mechanism, names, face))
        for (mechanism, placements), names in zip(unit.members, whole.names, strict=True)
    )
    return Part(whole.mechanism, whole.placements, whole.currents, members, unit.partial, unit.name, face)


def _improved(unit: Unit, settings: Settings) -> Merged:
    """The members as one mechanism; in textbook numerics, currents in the form that runs fastest."""
    is_current = all(m.kind in (MechanismKind.DENSITY, MechanismKind.POPULATION) for m, _ in unit.members)
    if settings.numerics is Numerics.JNEUROML or not is_current:
        return merged(unit.name, unit.members)
    return tuned(merged(unit.name, [one_valued(m, p) for m, p in unit.members]), share=not settings.tables)


def _states(mechanism: Mechanism, names: Mapping[str, str], face: Interface) -> dict[str, str]:
    """The NMODL names of a member's states."""
    dynamics = mechanism.dynamics
    own = [*(s.name for s in dynamics.states), *(name for k in dynamics.kinetics for name in k.states)]
    return {name: face.states[names[name]] for name in own if names[name] in face.states}


def _interface(mechanism: Mechanism, settings: Settings) -> Interface:
    writer = Writer(mechanism, partial=False)
    match mechanism.kind:
        case MechanismKind.POOL:
            return pool_interface(writer)
        case MechanismKind.POINT_CELL:
            return point_interface(writer, lag=settings.numerics is Numerics.JNEUROML)
    return current_interface(writer)


def _text(part: Part, settings: Settings, env: Environment) -> str:
    writer = Writer(part.mechanism, part.partial, part.currents)
    lag = settings.numerics is Numerics.JNEUROML
    match part.mechanism.kind:
        case MechanismKind.POOL:
            mod = pool_text(writer, part.suffix, lag=lag)
        case MechanismKind.POINT_CELL:
            mod = point_text(writer, part.suffix, lag=lag)
        case _:
            mod = current_text(writer, part.suffix, lag=lag, tables=settings.tables)
    return env.get_template("mechanism.mod.j2").render(mod=mod)
