"""Arbor and NEURON with one mistake in their generated text: what `verify` has to find and name."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from operator import methodcaller
from pathlib import Path
from unittest.mock import patch

from nmlopt.backend import Floats, Offer, Program, Recordings, Settings
from nmlopt.errors import Issue
from nmlopt.experiment.model import Experiment
from nmlopt.exporters.arbor import backend as arbor
from nmlopt.exporters.arbor import simulate as runs
from nmlopt.exporters.arbor.decoration import Decoration
from nmlopt.exporters.arbor.mod import Part
from nmlopt.exporters.neuron import backend as neuron
from nmlopt.exporters.neuron import mod as neuron_mod
from nmlopt.ir.model import Cell

Change = Callable[[str], str]


@dataclass(frozen=True)
class FaultyArbor:
    """Arbor whose mechanism `mechanism` has a text changed by `change`; `capacitance`: a factor of all of it."""

    mechanism: str
    change: Change
    label: str
    capacitance: float = 1.0

    name = "arbor"

    @property
    def offer(self) -> Offer:
        return arbor.ArborBackend().offer

    def version(self) -> str:
        return arbor.ArborBackend().version()

    def unsupported(self, cell: Cell, experiments: Sequence[Experiment]) -> tuple[Issue, ...]:
        return arbor.ArborBackend().unsupported(cell, experiments)

    def compile(self, cell: Cell, settings: Settings) -> Program:
        with patch.object(arbor, "parts", self._parts):
            program = arbor.ArborBackend().compile(cell, settings)
        return replace(program, digest=f"{program.digest} {self.label}")

    def simulate(self, program: Program, experiments: Sequence[Experiment], values: Floats) -> tuple[Recordings, ...]:
        with patch.object(runs, "decoration", self._decoration):
            return arbor.ArborBackend().simulate(program, experiments, values)

    def export(self, program: Program, experiments: Sequence[Experiment], folder: Path) -> tuple[Path, ...]:
        raise NotImplementedError

    def _parts(self, cell: Cell) -> tuple[Part, ...]:
        return tuple(self._changed(part) for part in _parts(cell))

    def _changed(self, part: Part) -> Part:
        if part.mechanism.name != self.mechanism:
            return part
        text = self.change(part.text)
        assert text != part.text, f"the fault does not touch {part.file}:\n{part.text}"
        return replace(part, text=text)

    def _decoration(self, *arguments: object) -> Decoration:
        made = _decoration(*arguments)
        properties = [(r, n, self.capacitance * x if n == "cm" else x) for r, n, x in made.properties]
        return replace(made, properties=tuple(properties))


@dataclass(frozen=True)
class FaultyNeuron:
    """NEURON with a text changed by `change`, where that finds something to change."""

    change: Change
    label: str

    name = "neuron"

    @property
    def offer(self) -> Offer:
        return neuron.NeuronBackend().offer

    def version(self) -> str:
        return neuron.NeuronBackend().version()

    def unsupported(self, cell: Cell, experiments: Sequence[Experiment]) -> tuple[Issue, ...]:
        return neuron.NeuronBackend().unsupported(cell, experiments)

    def compile(self, cell: Cell, settings: Settings) -> Program:
        with patch.object(neuron_mod, "_text", self._text):
            program = neuron.NeuronBackend().compile(cell, settings)
        return replace(program, digest=f"{program.digest} {self.label}")

    def simulate(self, program: Program, experiments: Sequence[Experiment], values: Floats) -> tuple[Recordings, ...]:
        with patch.object(neuron_mod, "_text", self._text):
            return neuron.NeuronBackend().simulate(program, experiments, values)

    def export(self, program: Program, experiments: Sequence[Experiment], folder: Path) -> tuple[Path, ...]:
        raise NotImplementedError

    def _text(self, *arguments: object) -> str:
        return self.change(_text(*arguments))


_text = neuron_mod._text
_parts = arbor.parts
_decoration = runs.decoration


def faster(state: str, factor: float) -> Change:
    """A state whose rates are multiplied, as by another q10."""
    return partial(re.sub, rf"\b(\w*{state}_(?:gain|loss)) = (.*)", rf"\1 = {factor} * (\2)")


def replaced(old: str, new: str) -> Change:
    """A piece of text instead of another, everywhere."""
    return methodcaller("replace", old, new)
