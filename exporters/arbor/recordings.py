"""What is recorded of a run: probes by kind, and the way from their samples to an output. No simulator in here.

A probe is a text: 'v', 't' (the time of the samples), 'int:<ion>', 'ext:<ion>', 'current:<ion>' (A/m², outward),
'state:<mechanism>:<state>' or, of an attached input, 'point:<label>:<mechanism>:<state>'.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from nmlopt.backend import Floats
from nmlopt.codegen.derived import Derived, Source, derived, placement_of
from nmlopt.codegen.derived_inputs import derived_input
from nmlopt.codegen.nmodl import ION_VARIABLES
from nmlopt.experiment.model import Attached, Experiment, Output
from nmlopt.experiment.voltage_clamps import Clamp, clamp_current, clamp_of
from nmlopt.exporters.arbor.mod import Part
from nmlopt.exporters.arbor.mod_text import outside, published
from nmlopt.exporters.arbor.stimuli import labels
from nmlopt.ir.model import Cell, MechanismKind

VOLTAGE, TIME = "v", "t"
_NONE = Source(VOLTAGE, 0.0)
_SIDES = {"i": "int", "o": "ext"}


@dataclass(frozen=True)
class Recorder:
    """One output: the compartment of its probes, the probes, and how its values follow: the voltage in mV as it is, the
    current of a clamp in nA, or a quantity in SI."""

    output: Output
    compartment: int
    probes: tuple[str, ...]
    quantity: Derived | None = None
    clamp: Clamp | None = None

    def values(self, recorded: Mapping[str, Floats], slots: Sequence[float], temperature_K: float) -> Floats:
        """The output's values from the samples of its probes; `slots` in SI."""
        if self.clamp is not None:
            return clamp_current(self.clamp, recorded[TIME], recorded[VOLTAGE])
        if self.quantity is None:
            return recorded[VOLTAGE]
        given = {name: recorded[source.variable] for name, source in self.quantity.sources.items()}
        return self.quantity.compute(given, slots, temperature_K)


@dataclass(frozen=True)
class Surroundings:
    """A compartment and the pools on it."""

    cell: Cell
    parts: Mapping[str, Part]
    compartment: int

    def concentration(self, ion: str, variable: str) -> Source:
        """Where an ion's concentration is recorded.

        Arbor has samples of the one outside where a mechanism writes it only; a constant one is a state of its pool,
        and without a pool both are zero.
        """
        for placement in self.cell.placements:
            mechanism = self.parts[placement.mechanism].mechanism
            is_pool = mechanism.kind is MechanismKind.POOL and mechanism.ion == ion
            if not is_pool or self.compartment not in placement.compartments:
                continue
            if variable in published(mechanism).values():
                return Source(f"{_SIDES[variable[-1]]}:{ion}")
            state = self.parts[mechanism.name].states.get(outside(mechanism) or "")
            return _NONE if state is None else Source(f"state:{mechanism.name}:{state}")
        return _NONE


def recorders(cell: Cell, parts: Sequence[Part], experiment: Experiment) -> tuple[Recorder, ...]:
    """One for each output of an experiment, in order."""
    by_name = {part.mechanism.name: part for part in parts}
    attached = {stimulus.id: label for label, stimulus in labels(experiment).items()}
    found = []
    for output in experiment.outputs:
        label = attached.get(output.variable.partition("/")[0])
        if label is None:
            found.append(_recorder(cell, by_name, experiment, output))
        else:
            found.append(_of_input(cell, by_name, output, label, labels(experiment)[label]))
    return tuple(found)


def probes(found: Iterable[Recorder]) -> tuple[tuple[int, str], ...]:
    """(compartment, probe) of all outputs, each once; a voltage where nothing else would count the steps."""
    wanted = dict.fromkeys((r.compartment, p) for r in found for p in r.probes if p != TIME)
    wanted |= dict.fromkeys((r.compartment, VOLTAGE) for r in found if not any(p != TIME for p in r.probes))
    return tuple(wanted)


def _of_input(cell: Cell, parts: Mapping[str, Part], output: Output, label: str, attached: Attached) -> Recorder:
    """An exposure of an attached input, whose place is its own and not the output's."""
    mechanism = cell.input_mechanism(attached.component)
    part = parts[mechanism.name]
    states = {name: f"point:{label}:{mechanism.name}:{text}" for name, text in part.states.items()}
    exposure = output.variable.partition("/")[2]
    surroundings = Surroundings(cell, parts, attached.site.compartment)

    def of_cell(name: str) -> Source | None:
        return _of_cell(surroundings, name)

    found = derived_input(mechanism, exposure, attached.weight, states=states, outside=of_cell)
    return _made(output, attached.site.compartment, found.quantity)


def _made(output: Output, compartment: int, quantity: Derived) -> Recorder:
    return Recorder(output, compartment, tuple(dict.fromkeys(s.variable for s in quantity.sources.values())), quantity)


def _recorder(cell: Cell, parts: Mapping[str, Part], experiment: Experiment, output: Output) -> Recorder:
    compartment = output.site.compartment
    if output.variable == "v":
        return Recorder(output, compartment, (VOLTAGE,))
    if output.variable == "i_clamp":
        clamp = clamp_of(experiment, output)
        return Recorder(output, clamp.compartment, (VOLTAGE, TIME), clamp=clamp)
    placement = placement_of(cell, output.variable, compartment)
    part = parts[placement.mechanism]
    surroundings = Surroundings(cell, parts, compartment)
    assert cell.geometry is not None
    area = cell.geometry.compartments[compartment].area_m2

    def sources(name: str) -> Source | None:
        return _source(part, surroundings, name, area)

    exposure = output.variable.partition("/")[2]
    quantity = derived(part.mechanism, placement, exposure, compartment=compartment, area_m2=area, sources=sources)
    return _made(output, compartment, quantity)


def _source(part: Part, surroundings: Surroundings, name: str, area_m2: float) -> Source | None:
    """The probe behind a state or an input; None for a number known beforehand."""
    if name in part.states:
        state, ion = part.states[name], part.mechanism.ion
        sides = {f"{ion}i": f"int:{ion}", f"{ion}o": f"ext:{ion}"}
        return Source(sides.get(state, f"state:{part.mechanism.name}:{state}"))
    if name in ("iCa", "iCa2"):
        return Source(f"current:{ION_VARIABLES[name][0]}", -area_m2)
    return _of_cell(surroundings, name)


def _of_cell(surroundings: Surroundings, name: str) -> Source | None:
    """The probe behind a variable of the cell."""
    if name in ION_VARIABLES:
        ion, variable = ION_VARIABLES[name]
        return surroundings.concentration(ion, variable)
    return {"v": Source(VOLTAGE, 0.001), "t": Source(TIME, 0.001)}.get(name)
