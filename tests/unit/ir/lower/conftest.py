"""Small documents, and a reference interpreter of lowered cells that shares nothing with the backends."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from nmlopt.document.model import Document
from nmlopt.document.read import read
from nmlopt.ir.model import Cell, Mechanism, Placement
from nmlopt.lems.evaluate import compile_expression, evaluate
from nmlopt.lems.expression import Expr, Num, SlotRef, Sym
from nmlopt.lems.trees import rebuild

CELL = """
  <cell id="c">
    <morphology id="m"><segment id="0"><proximal x="0" y="0" z="0" diameter="10"/>
      <distal x="0" y="0" z="0" diameter="10"/></segment></morphology>
    <biophysicalProperties id="b">
      <membraneProperties>{densities}<spikeThresh value="0 mV"/><specificCapacitance value="1 uF_per_cm2"/>
        <initMembPotential value="-65 mV"/></membraneProperties>
      <intracellularProperties>{species}<resistivity value="100 ohm_cm"/></intracellularProperties>
    </biophysicalProperties>
  </cell>"""

DENSITY = '<channelDensity id="d" ionChannel="x" condDensity="1 S_per_m2" erev="50 mV"/>'


@pytest.fixture
def document(tmp_path: Path) -> Callable[[str], Document]:
    """Reads a NeuroML text."""

    def make(body: str, name: str = "model.nml") -> Document:
        path = tmp_path / name
        path.write_text(f'<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="n">{body}\n</neuroml>\n')
        return read(path)

    return make


@pytest.fixture
def cell_document(document: Callable[[str], Document]) -> Callable[..., Document]:
    """A one-compartment cell around channels, densities (default: one of channel x) and species."""

    def make(channels: str, densities: str = DENSITY, species: str = "", other: str = "") -> Document:
        return document(channels + other + CELL.format(densities=densities, species=species))

    return make


class Interpreter:
    """Evaluates a lowered cell by its definition: parameters, then assigned variables, then derivatives."""

    def __init__(self, cell: Cell, slots: Sequence[float] = (), temperature: float = 279.45) -> None:
        self.cell = cell
        self.slots = [slot.unit.to_si(value) for slot, value in zip(cell.slots, slots, strict=True)]
        self.bind_names = {"temperature": temperature}

    def parameters(self, placement: Placement) -> dict[str, float]:
        """Bind-time numbers of a mechanism where it is placed (its first compartment)."""
        local = {name: values[0] for name, values in placement.locals}
        names = {**self.bind_names, **local}
        found = {p.name: p.value for p in self.cell.mechanism(placement.mechanism).parameters if p.value is not None}
        return {name: float(evaluate(expr, names, self.slots)) for name, expr in [*found.items(), *placement.values]}

    def variables(self, placement: Placement, known: Mapping[str, float]) -> dict[str, float]:
        """All names of a mechanism, given its inputs and states."""
        names = {**self.parameters(placement), **known}
        for assigned in self.cell.mechanism(placement.mechanism).dynamics.assigned:
            names[assigned.name] = float(evaluate(assigned.value, names))
        return names

    def initial(self, placement: Placement, inputs: Mapping[str, float]) -> dict[str, float]:
        """States at t = 0."""
        mechanism = self.cell.mechanism(placement.mechanism)
        names = {**self.parameters(placement), **inputs}
        for _ in range(2):
            for state in mechanism.dynamics.states:
                names.setdefault(state.name, 0.0)
            for assigned in mechanism.dynamics.assigned:
                names[assigned.name] = float(evaluate(assigned.value, names))
            for state in mechanism.dynamics.states:
                names[state.name] = float(evaluate(state.initial, names))
        return {state.name: names[state.name] for state in mechanism.dynamics.states}

    def derivatives(self, placement: Placement, names: Mapping[str, float]) -> dict[str, float]:
        """Derivatives per second from all names."""
        mechanism = self.cell.mechanism(placement.mechanism)
        return {
            s.name: float(evaluate(s.derivative, names)) for s in mechanism.dynamics.states if s.derivative is not None
        }


@pytest.fixture
def interpreter() -> type[Interpreter]:
    return Interpreter


@pytest.fixture
def bound() -> Callable[..., Cell]:
    """The cell with every slot, and so every parameter, replaced by its number: equal cells compute equal bits."""

    def make(cell: Cell, values: Sequence[float] | None = None, temperature: float = 300.0) -> object:
        given = [slot.default for slot in cell.slots] if values is None else values
        slots = [slot.unit.to_si(v) for slot, v in zip(cell.slots, given, strict=True)]
        mechanisms = [_bound_mechanism(m, slots, temperature) for m in cell.mechanisms]
        placements = [
            (p.mechanism, p.id, p.compartments, [(n, _number(e, p, slots, temperature)) for n, e in p.values])
            for p in cell.placements
        ]
        passive = [
            [(compile_expression(a.value)({}, slots), a.compartments) for a in group]
            for group in (cell.capacitance, cell.resistivity, cell.initial_v, cell.spike_threshold)
        ]
        point = None if cell.point_capacitance is None else evaluate(cell.point_capacitance, {}, slots)
        return mechanisms, placements, passive, point, cell.geometry

    return make


def _number(expr: Expr, placement: Placement, slots: Sequence[float], temperature: float) -> object:
    columns = [
        dict(zip([n for n, _ in placement.locals], row, strict=True))
        for row in zip(*[values for _, values in placement.locals], strict=True)
    ] or [{}]
    return [evaluate(expr, {**names, "temperature": temperature}, slots) for names in columns]


def _bound_mechanism(mechanism: Mechanism, slots: Sequence[float], temperature: float) -> object:
    numbers = {
        p.name: Num(float(evaluate(p.value, {"temperature": temperature}, slots)))
        for p in mechanism.parameters
        if p.value is not None
    }

    def fill(expr: Expr) -> Expr:
        assert not isinstance(expr, SlotRef), "a slot outside of a parameter"
        if isinstance(expr, Sym):
            return numbers.get(expr.name, expr)
        return rebuild(expr, fill)

    d = mechanism.dynamics
    own = [p.name for p in mechanism.parameters if p.value is None]
    return (
        *(mechanism.name, mechanism.kind, mechanism.ion, mechanism.current, own, d.inputs, d.exposures),
        [(s.name, fill(s.initial), s.derivative and fill(s.derivative)) for s in d.states],
        [(a.name, fill(a.value)) for a in d.assigned],
        [(fill(c.test), [(n, fill(e)) for n, e in c.assignments], c.regime, c.next_regime) for c in d.conditions],
        [(r.name, [(n, fill(e)) for n, e in (*r.derivatives, *r.on_entry)]) for r in d.regimes],
        [[(t.source, t.target, fill(t.forward), fill(t.reverse)) for t in k.transitions] for k in d.kinetics],
    )
