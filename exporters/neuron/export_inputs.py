"""Attached inputs in an exported folder: hoc that makes them, sets them and queues their events."""

from __future__ import annotations

from collections.abc import Sequence

from nmlopt.codegen.templating import num
from nmlopt.experiment.model import Attached, Experiment, Output
from nmlopt.exporters.neuron.derived_inputs import derived_input
from nmlopt.exporters.neuron.hoc import node
from nmlopt.exporters.neuron.input_parts import InputPart
from nmlopt.exporters.neuron.mod import Plan
from nmlopt.ir.model import Cell

_PER_LINE = 8


class AttachedText:
    """The hoc of the inputs of one experiment; `index` tells its objects from those of other experiments."""

    def __init__(self, cell: Cell, plan: Plan, sections: Sequence[str], index: int, experiment: Experiment) -> None:
        self._cell = cell
        self._plan = plan
        self._sections = sections
        self._parts = {part.mechanism.component: part for part in plan.inputs}
        attached = [s for s in experiment.stimuli if isinstance(s, Attached)]
        self._names = {a.id: (f"input_{index}_{k}", a) for k, a in enumerate(attached)}

    @property
    def objects(self) -> list[str]:
        """The object names to declare."""
        endings = ("", "_connection", "_events")
        return [f"{name}{ending}" for name, _ in self._names.values() for ending in endings]

    def setup(self) -> list[str]:
        """Lines that make the inputs."""
        return [line for name, attached in self._names.values() for line in self._one(name, attached)]

    def deliver(self) -> list[str]:
        """Lines that queue the events, to come after finitialize()."""
        named = self._names.values()
        return [f"deliver({name}_connection, {name}_events)" for name, attached in named if attached.events_ms]

    def owns(self, output: Output) -> bool:
        """Whether an output is of one of these inputs."""
        return output.variable.partition("/")[0] in self._names

    def source(self, output: Output) -> tuple[str, float] | None:
        """(hoc variable, factor) of an output that is recorded as it is; None if it follows from several."""
        id_, _, exposure = output.variable.partition("/")
        name, attached = self._names[id_]
        found = derived_input(self._plan, self._parts[attached.component], exposure, attached.weight)
        quantity = found.quantity
        if quantity.steps or set(quantity.sources) != {quantity.result} or quantity.result not in found.own:
            return None
        source = quantity.sources[quantity.result]
        return f"{name}.{source.variable}", source.factor

    def _one(self, name: str, attached: Attached) -> list[str]:
        part: InputPart = self._parts[attached.component]
        section, x = node(self._cell, self._sections, attached.site.compartment)
        lines = [f"cell.{section} {{ {name} = new {part.suffix}({x}) }}"]
        lines += [f"{name}.present = 1", f"{name}.weight = {num(attached.weight)}"]
        lines += [f"setpointer {name}.{own}, cell.point.{variable}" for own, variable in part.pointers.items()]
        if attached.events_ms:
            texts = [num(time) for time in attached.events_ms]
            rows = [texts[k : k + _PER_LINE] for k in range(0, len(texts), _PER_LINE)]
            lines += [f"{name}_connection = new NetCon(nil, {name})", f"{name}_events = new Vector()"]
            lines += [f"{name}_events.append({', '.join(row)})" for row in rows]
        return lines
