"""What is recorded of a run: probes by kind, and the way from their samples to an output. No simulator in here.

A probe is a text: 'v', 't' (the time of the samples), 'int:<ion>', 'ext:<ion>', 'current:<ion>' (A/m², outward) or
'state:<mechanism>:<state>'.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from nmlopt.backend import Floats
from nmlopt.codegen.derived import Derived, Source, derived, placement_of
from nmlopt.codegen.nmodl import ION_VARIABLES
from nmlopt.experiment.model import Experiment, Output
from nmlopt.exporters.arbor.mod import Part
from nmlopt.ir.model import Cell

VOLTAGE, TIME = "v", "t"
_SIDES = {"i": "int", "o": "ext"}


@dataclass(frozen=True)
class Recorder:
    """One output: the compartment, the probes its values need, and how they follow (None: the voltage in mV)."""

    output: Output
    probes: tuple[str, ...]
    quantity: Derived | None

    @property
    def compartment(self) -> int:
        """Where its probes are."""
        return self.output.site.compartment

    def values(self, recorded: Mapping[str, Floats], slots: Sequence[float], temperature_K: float) -> Floats:
        """The output's values from the samples of its probes; `slots` in SI."""
        if self.quantity is None:
            return recorded[VOLTAGE]
        given = {name: recorded[source.variable] for name, source in self.quantity.sources.items()}
        return self.quantity.compute(given, slots, temperature_K)


def recorders(cell: Cell, parts: Sequence[Part], experiment: Experiment) -> tuple[Recorder, ...]:
    """One for each output of an experiment, in order."""
    by_name = {part.mechanism.name: part for part in parts}
    return tuple(_recorder(cell, by_name, output) for output in experiment.outputs)


def probes(found: Iterable[Recorder]) -> tuple[tuple[int, str], ...]:
    """(compartment, probe) of all outputs, each once; a voltage where nothing else would count the steps."""
    wanted = dict.fromkeys((r.compartment, p) for r in found for p in r.probes if p != TIME)
    wanted |= dict.fromkeys((r.compartment, VOLTAGE) for r in found if not any(p != TIME for p in r.probes))
    return tuple(wanted)


def _recorder(cell: Cell, parts: Mapping[str, Part], output: Output) -> Recorder:
    if output.variable == "v":
        return Recorder(output, (VOLTAGE,), None)
    compartment = output.site.compartment
    placement = placement_of(cell, output.variable, compartment)
    part = parts[placement.mechanism]
    assert cell.geometry is not None
    area = cell.geometry.compartments[compartment].area_m2

    def sources(name: str) -> Source | None:
        return _source(part, name, area)

    exposure = output.variable.partition("/")[2]
    quantity = derived(part.mechanism, placement, exposure, compartment=compartment, area_m2=area, sources=sources)
    return Recorder(output, tuple(dict.fromkeys(s.variable for s in quantity.sources.values())), quantity)


def _source(part: Part, name: str, area_m2: float) -> Source | None:
    """The probe behind a state or an input; None for a number known beforehand."""
    if name in part.states:
        state = part.states[name]
        ion = part.mechanism.ion
        return Source(f"int:{ion}" if state == f"{ion}i" else f"state:{part.mechanism.name}:{state}")
    if name in ("iCa", "iCa2"):
        return Source(f"current:{ION_VARIABLES[name][0]}", -area_m2)
    if name in ION_VARIABLES:
        ion, variable = ION_VARIABLES[name]
        return Source(f"{_SIDES[variable[-1]]}:{ion}")
    return {"v": Source(VOLTAGE, 0.001), "t": Source(TIME, 0.001)}.get(name)
