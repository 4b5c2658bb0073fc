"""The text of a LEMS file: definitions, components, one network, one Simulation with what is recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from nmlopt.codegen.templating import environment

TEMPLATES: Final = Path(__file__).parent / "templates"
CORE: Final = ("Cells.xml", "PyNN.xml", "Networks.xml", "Inputs.xml", "Simulation.xml")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of an OutputFile."""

    id: str
    quantity: str


@dataclass(frozen=True, slots=True)
class Table:
    """An OutputFile."""

    id: str
    file: str
    columns: tuple[Column, ...]


@dataclass(slots=True)
class LemsFile:
    """What stands in one LEMS file. Texts are whole lines without line ends; `definitions` and `copies` are blocks."""

    simulation: str
    network: str
    duration_ms: float
    dt_ms: float
    temperature_K: float
    includes: Sequence[str] = CORE
    definitions: str = ""
    copies: list[str] = field(default_factory=list)
    components: list[str] = field(default_factory=list)
    inside: list[str] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    comment: str = ""


def text_of(file: LemsFile) -> str:
    """The LEMS file as text."""
    return environment(TEMPLATES).get_template("lems.xml.j2").render(file=file)
