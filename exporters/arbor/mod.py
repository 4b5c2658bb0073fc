"""From a cell to mechanisms in Arbor's dialect of NMODL: one for each mechanism of the cell, under its own name.

All numbers that are bound are RANGE: in Arbor a GLOBAL belongs to a mechanism, not to a cell, and candidates of one
batch are cells of one recipe.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment

from nmlopt.codegen.nmodl import interface
from nmlopt.codegen.templating import environment
from nmlopt.exporters.arbor.defaults import defaults
from nmlopt.exporters.arbor.mod_text import text_of, writer_of
from nmlopt.ir.model import Cell, Mechanism

VOLTAGE_CLAMP = "nmlopt_voltage_clamp"
TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True)
class Part:
    """One generated mechanism: its equations, the names of its parameters and states, its text.

    `needs_temperature`, `needs_area`: parameters of these names are to be bound too; `needs_weight`: the weight of an
    attached input.
    """

    mechanism: Mechanism
    parameters: Mapping[str, str]
    states: Mapping[str, str]
    needs_temperature: bool
    needs_area: bool
    needs_weight: bool
    file: str
    text: str


def parts(cell: Cell) -> tuple[Part, ...]:
    """The mechanisms of a cell as Arbor is given them."""
    return tuple(_part(cell, mechanism) for mechanism in cell.mechanisms)


def _part(cell: Cell, mechanism: Mechanism) -> Part:
    writer = writer_of(mechanism)
    mod = text_of(writer)
    face = interface(writer)
    names = {**face.shared, **face.own}
    values = dict.fromkeys(mod.parameters, 1.0)
    values |= {names.get(name, name): value for name, value in defaults(cell, mechanism).items()}
    return Part(
        mechanism,
        names,
        face.states,
        face.needs_temperature,
        face.needs_area,
        "weight" in mechanism.dynamics.inputs,
        f"{mechanism.name}.mod",
        _environment().get_template("mechanism.mod.j2").render(mod=mod, values=values),
    )


def files(made: Sequence[Part]) -> dict[str, str]:
    """The texts to compile by file name: the mechanisms of a cell, and the voltage clamp."""
    clamp = _environment().get_template("voltage_clamp.mod.j2").render(name=VOLTAGE_CLAMP)
    return {**{part.file: part.text for part in made}, f"{VOLTAGE_CLAMP}.mod": clamp}


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return environment(TEMPLATES)
