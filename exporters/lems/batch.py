"""Candidates and experiments as populations of one LEMS file, each a copy of the cell with names of its own."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from nmlopt.backend import Program
from nmlopt.document.edit import Edit, apply
from nmlopt.document.model import Document, Element
from nmlopt.document.packed import unpack
from nmlopt.errors import BackendError, Issue
from nmlopt.experiment.model import Attached, Experiment, Output
from nmlopt.experiment.sites import CLAMP_CURRENT, VOLTAGE, has_voltage, input_dimension
from nmlopt.exporters.lems.copies import Changes, definitions, needed, printed
from nmlopt.exporters.lems.kinetics import Moment
from nmlopt.exporters.lems.lems_file import Column, LemsFile, Table
from nmlopt.exporters.lems.quantities import Recorded, input_path, path_of
from nmlopt.exporters.lems.start import at_start
from nmlopt.exporters.lems.stimuli import Place, Target, Wiring, wiring
from nmlopt.ir.inputs import input_element
from nmlopt.ir.model import Site
from nmlopt.lems.resolve import Components, components
from nmlopt.units import Quantity

_IS_ID: Final = re.compile(r"(?!c\d)[A-Za-z_]\w*", re.ASCII)
SIMULATION: Final = "nmlopt_simulation"
NETWORK: Final = "nmlopt_network"
_MORE_STEPS: Final = 1.25
_MILLI: Final = 1e3
_NANO: Final = 1e9


@dataclass(frozen=True, slots=True)
class Unit:
    """One run: a candidate (its number and its values in the slots' units) and an experiment."""

    row: int
    values: tuple[float, ...]
    experiment: Experiment


@dataclass(frozen=True, slots=True)
class Reading:
    """How an output is had from a table: the sum of columns (from 1 on; column 0 is time) times a factor.

    `late` is how many rows after its moment a value is written: jLEMS and jNeuroML's export compute what is no state
    before they step the states.
    """

    output: Output
    columns: tuple[int, ...]
    factor: float
    late: int
    corrected: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Copy:
    """A candidate's cell and inputs as they stand in a LEMS file: what is printed, and under which names."""

    known: Components
    cell: Element
    changes: Changes
    definitions: str
    text: str


@dataclass(frozen=True, slots=True)
class Part:
    """A unit as it stands in a LEMS file: what belongs to it, and how its table is read."""

    unit: Unit
    copy: Copy
    wiring: Wiring
    table: Table
    readings: tuple[Reading, ...]
    population: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """How units are written: where a site is on a cell (for inputs, for recordings), how early edges come.

    `recorded` gives the steps of a path between a cell and a variable at a site; `corrected` where on its section the
    site is (0 to 1), if these steps mean another place of that section.
    """

    place: Place
    recorded: Callable[[Site], str]
    corrected: Callable[[Site], float | None]
    early_ms: float = 0.0


def parts(program: Program, units: Sequence[Unit], layout: Layout) -> tuple[Part, ...]:
    """The units under names of their own; those of one candidate and one start share its copy of the cell."""
    shared: defaultdict[tuple[int, float | None, float], list[int]] = defaultdict(list)
    for number, unit in enumerate(units):
        shared[unit.row, unit.experiment.v_init_mV, unit.experiment.temperature_K].append(number)
    made: dict[int, Part] = {}
    for count, numbers in enumerate(shared.values()):
        copy = _copy(program, [units[k] for k in numbers], f"__{count}")
        made |= {k: part_of(program, units[k], copy, f"p{k}", layout) for k in numbers}
    return tuple(made[k] for k in range(len(units)))


def _copy(program: Program, units: Sequence[Unit], suffix: str) -> Copy:
    document = edited(program, units[0].values)
    known = components(document)
    cell = known.reference(program.cell.id, "baseCell", document.file(document.main).root)
    attached = dict.fromkeys(name for unit in units for name in _attached(unit.experiment))
    tops = needed(known, [*(input_element(known, name) for name in attached), cell])
    names = {e.attributes["id"]: e.attributes["id"] + suffix for e in tops if "id" in e.attributes}
    start = at_start(known, program.cell, cell, tops, moment_of(program, units[0]), suffix=suffix)
    changes = Changes(names, start.attributes, start.children)
    return Copy(known, cell, changes, definitions(known), start.types + printed(known, tops, changes))


def moment_of(program: Program, unit: Unit) -> Moment:
    """Where a unit starts."""
    slots = [slot.unit.to_si(value) for slot, value in zip(program.slots, unit.values, strict=True)]
    return Moment(unit.experiment.v_init_mV, unit.experiment.temperature_K, slots)


def part_of(program: Program, unit: Unit, copy: Copy, name: str, layout: Layout) -> Part:
    """A unit in its copy of the cell, in a population called `name`."""
    is_plain = input_dimension(program.cell) == "none"
    component = copy.changes.name(program.cell.id)
    target = Target(name, component, is_plain, layout.place, copy.changes.name, layout.early_ms)
    wired = wiring(unit.experiment, target, lambda name: _takes_events(program, name))
    table, readings = _table(program, copy, unit.experiment, target, wired, layout)
    population = (
        f'<population id="{name}" component="{component}" type="populationList">',
        '  <instance id="0"><location x="0" y="0" z="0"/></instance>',
        "</population>",
    )
    return Part(unit, copy, wired, table, readings, population)


def lems_file(program: Program, parts: Sequence[Part]) -> LemsFile:
    """The file of parts that share their definitions and their temperature; it runs a step more, for what is late."""
    made = LemsFile(
        simulation=SIMULATION,
        network=NETWORK,
        duration_ms=max(p.unit.experiment.duration_ms for p in parts) + _MORE_STEPS * program.settings.dt_ms,
        dt_ms=program.settings.dt_ms,
        temperature_K=parts[0].unit.experiment.temperature_K,
        definitions=parts[0].copy.definitions,
        copies=[copy.text for copy in dict.fromkeys(p.copy for p in parts)],
    )
    for each in parts:
        made.components += each.wiring.components
        made.inside += each.population
        made.tables.append(each.table)
    for each in parts:
        made.inside += each.wiring.network
    return made


def edited(program: Program, values: Sequence[float]) -> Document:
    """The document with a candidate's numbers, in the author's units."""
    document = base(program)
    slots = zip(program.slots, values, strict=True)
    return apply(document, [Edit(slot.path, Quantity(value, slot.unit.symbol)) for slot, value in slots])


@lru_cache(maxsize=2)
def base(program: Program) -> Document:
    """The program's document. Raises BackendError B092 if the cell came without one."""
    if program.cell.document is None:
        raise BackendError(Issue("B092", f"'{program.cell.id}' comes without its document", hint="lower it from one"))
    return unpack(program.cell.document)


def _attached(experiment: Experiment) -> tuple[str, ...]:
    return tuple(dict.fromkeys(s.component for s in experiment.stimuli if isinstance(s, Attached)))


def _takes_events(program: Program, component: str) -> bool:
    return bool(program.cell.input_mechanism(component).dynamics.events)


def _table(
    program: Program, copy: Copy, experiment: Experiment, target: Target, wired: Wiring, layout: Layout
) -> tuple[Table, tuple[Reading, ...]]:
    columns: list[Column] = []
    readings = []
    for output in experiment.outputs:
        first = len(columns) + 1
        root = f"{target.population}/0/{target.component}/{layout.recorded(output.site)}"
        found = list(_paths(program, copy, output, experiment, wired))
        paths = [root + each.path for each in found]
        late = 0 if all(each.is_state for each in found) else 1
        ids = [f"c{first + k}" for k in range(len(paths))]
        if len(ids) == 1 and _IS_ID.fullmatch(output.id):
            ids = [output.id]
        columns += [Column(*pair) for pair in zip(ids, paths, strict=True)]
        numbers = tuple(range(first, first + len(paths)))
        readings.append(Reading(output, numbers, _factor(program, output), late, layout.corrected(output.site)))
    name = target.population
    return Table(f"{name}_out", f"{name}.dat", tuple(columns)), tuple(readings)


def _factor(program: Program, output: Output) -> float:
    if output.variable == CLAMP_CURRENT:
        return _NANO
    return _MILLI if output.variable == VOLTAGE and has_voltage(program.cell) else 1.0


def _paths(program: Program, copy: Copy, output: Output, experiment: Experiment, wired: Wiring) -> Iterator[Recorded]:
    """The LEMS paths, below a place of the cell, of which an output is the sum."""
    if output.variable == CLAMP_CURRENT:
        yield from (Recorded(f"{clamp}/i", is_state=False) for clamp in wired.clamps)
        return
    known, name = copy.known, copy.changes.name
    owner, _, exposure = output.variable.partition("/")
    component = next((s.component for s in experiment.stimuli if isinstance(s, Attached) and s.id == owner), None)
    if component is not None:
        path = input_path(known, input_element(known, component), exposure, name)
        path = None if path is None else replace(path, path=f"{wired.attached[owner]}/{path.path}")
    else:
        path = path_of(known, copy.cell, output.variable, name)
    if path is None:
        message = f"'{output.variable}' of '{program.cell.id}' has no path in LEMS"
        raise BackendError(Issue("B093", message, hint="record another variable, or use --backend neuron"))
    yield path
