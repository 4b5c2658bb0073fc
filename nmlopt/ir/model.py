"""The simulator-neutral cell: what `lower` makes of a document and what every backend compiles.

All expressions are in SI; inward (depolarising) currents are positive, as in LEMS. Everything is frozen and picklable.
Numbers that a candidate changes appear as `SlotRef`; all others are literals.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from nmlopt.document.packed import PackedDocument
from nmlopt.lems.expression import Expr
from nmlopt.units import Unit


@dataclass(frozen=True, slots=True)
class Slot:
    """A place that takes one number per candidate.

    `path` is the canonical path of the attribute; `default` its present value in the author's `unit`. Values given to
    a backend are in that unit; `unit.to_si` is the conversion `lower` uses too.
    """

    path: str
    unit: Unit
    default: float


# ---------------------------------------------------------------------------------------------------- geometry


@dataclass(frozen=True, slots=True)
class Section:
    """An unbranched cable. `points` are (x, y, z, diameter) in µm, at least two, proximal first.

    It joins section `parent` (index, -1 for the root) at the length fraction `parent_x`. `segments` are the NeuroML
    segment ids along it; `divisions` is the number of compartments.
    """

    name: str
    points: tuple[tuple[float, float, float, float], ...]
    parent: int
    parent_x: float
    divisions: int
    segments: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Compartment:
    """One discretised piece: its section, the length fraction `x` of its centre, membrane area in m²."""

    section: int
    x: float
    area_m2: float


@dataclass(frozen=True, slots=True)
class Site:
    """A point of the cell: section index, length fraction along it, and the compartment that holds it."""

    section: int
    x: float
    compartment: int


@dataclass(frozen=True, slots=True)
class Span:
    """Where a segment lies: its section and the length fractions of its proximal and distal end."""

    segment: int
    section: int
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Geometry:
    """Sections in an order in which parents come first; compartments by section, then by x.

    `regions` maps a segmentGroup id ('all' always exists) to its compartments in ascending order (a compartment belongs
    to the segment that holds its centre). `spans` lists every segment.
    """

    sections: tuple[Section, ...]
    compartments: tuple[Compartment, ...]
    spans: tuple[Span, ...]
    regions: tuple[tuple[str, tuple[int, ...]], ...]


# ---------------------------------------------------------------------------------------------------- dynamics


@dataclass(frozen=True, slots=True)
class State:
    """A state variable: its value at t = 0 and its derivative per second (None: constant between events).

    `preset` is the number of the component that is named like the state with a 0 after it (y0 of y), if there is one:
    NEURON takes it for what the state holds before anything is computed at t = 0, and so numerics jneuroml does.
    """

    name: str
    initial: Expr
    derivative: Expr | None
    preset: Expr | None = None


@dataclass(frozen=True, slots=True)
class Assigned:
    """A variable computed from inputs, parameters, states and earlier assigned variables at every step."""

    name: str
    value: Expr


@dataclass(frozen=True, slots=True)
class Condition:
    """When `test` holds after a step (a level, not an edge): the assignments, a spike, a change of regime.

    `regime` ('' for any) is the regime in which it is tested.
    """

    test: Expr
    assignments: tuple[tuple[str, Expr], ...] = ()
    emits_spike: bool = False
    regime: str = ""
    next_regime: str = ""


@dataclass(frozen=True, slots=True)
class OnEvent:
    """What an event that arrives at `port` of the component does: assignments, one after the other.

    Events that it hands on to its children are part of it, after its own assignments.
    """

    port: str
    assignments: tuple[tuple[str, Expr], ...]


@dataclass(frozen=True, slots=True)
class Regime:
    """A mode of a point cell: derivatives that hold only in it, assignments on entry."""

    name: str
    is_initial: bool
    derivatives: tuple[tuple[str, Expr], ...]
    on_entry: tuple[tuple[str, Expr], ...]


@dataclass(frozen=True, slots=True)
class Transition:
    """One edge of a kinetic scheme: occupancy flows source -> target at `forward`, back at `reverse` (1/s)."""

    source: str
    target: str
    forward: Expr
    reverse: Expr


@dataclass(frozen=True, slots=True)
class KineticScheme:
    """States whose occupancies sum to one and start at steady state."""

    states: tuple[str, ...]
    transitions: tuple[Transition, ...]


@dataclass(frozen=True, slots=True)
class Dynamics:
    """A flattened ComponentType: one system of equations.

    `inputs` are those of v (V), t (s), temperature (K), caConc, caConcExt, caConc2, caConcExt2 (mol/m³), iCa, iCa2
    (A, inward, of the compartment), surfaceArea (m², of the compartment), iSyn (A), ISyn (1) that the equations read;
    for a mechanism of kind INPUT also weight (1, of the attachment) and V (1, of a dimensionless point cell).
    `exposures` maps canonical names that can be recorded (`m/q`, `iDensity`, `concentration`) to variables.
    """

    inputs: tuple[str, ...]
    states: tuple[State, ...]
    assigned: tuple[Assigned, ...]
    conditions: tuple[Condition, ...] = ()
    regimes: tuple[Regime, ...] = ()
    kinetics: tuple[KineticScheme, ...] = ()
    exposures: tuple[tuple[str, str], ...] = ()
    events: tuple[OnEvent, ...] = ()


# ---------------------------------------------------------------------------------------------------- mechanisms


class MechanismKind(StrEnum):
    """What a mechanism is to the cell."""

    DENSITY = "density"
    """a current per membrane area: exposure `iDensity`, A/m², inward positive"""
    POPULATION = "population"
    """an absolute current per compartment: exposure `i`, A, inward positive (channelPopulation)"""
    POOL = "pool"
    """an ion concentration: exposures `concentration` and `extConcentration`, mol/m³"""
    POINT_CELL = "point cell"
    """a whole cell without morphology; has a state `v` (V) unless it is dimensionless"""
    INPUT = "input"
    """a current onto one compartment or point cell: exposure `i` (A) or `I` (1), inward; experiments attach it"""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A bind-time number (SI) of a mechanism: appears in its equations as `Sym(name)`.

    `value` holds for all placements (leaves: Num, SlotRef, Sym('temperature')); None: each placement gives its own.
    """

    name: str
    value: Expr | None = None


@dataclass(frozen=True, slots=True)
class Mechanism:
    """Equations that are instantiated on compartments. They hold no SlotRef: slots sit in parameters.

    `name` is a C-safe identifier, unique in the cell. `ion` is '' or the pool ion ('ca', 'ca2') that its current feeds,
    or, for a pool, that it holds. `current` names the variable that holds the current ('' for a pool or point cell).
    `component` is the id of the input component in the document ('' for other kinds); `where` (`file:line`) is where
    the first density, species or cell with these equations stands, for messages; it is no part of what the cell is.
    """

    name: str
    kind: MechanismKind
    dynamics: Dynamics
    parameters: tuple[Parameter, ...]
    ion: str = ""
    current: str = ""
    component: str = ""
    where: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Placement:
    """A mechanism on compartments. `id` is the id of the density, population, species or cell in the document.

    `values` give the mechanism's own-valued parameters: SI expressions over Num, SlotRef, Sym('temperature') and the
    names in `locals`, each a tuple with one number per compartment (such as `p` of an inhomogeneous parameter, in
    `locals` order of `compartments`).
    """

    mechanism: str
    id: str
    compartments: tuple[int, ...]
    values: tuple[tuple[str, Expr], ...] = ()
    locals: tuple[tuple[str, tuple[float, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Assignment:
    """One membrane or cytoplasm property (SI, leaves Num and SlotRef) on compartments; a later one overrides."""

    value: Expr
    compartments: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """A neuron, ready to compile.

    A cell with morphology has a geometry; a point cell has a one-compartment geometry of none (`geometry` is None) and
    exactly one POINT_CELL mechanism with one placement on compartment 0. `point_capacitance` (F) is None if the
    membrane equation of a point cell holds no capacitance. `temperature_K` is the document's own, if it states one.
    Mechanisms of kind INPUT have no placement: experiments attach them where they want.
    `document_digest`, `document` and `slots` let a backend that works on documents (LEMS) write its own; the bytes are
    no part of what the cell is.
    """

    id: str
    type: str
    slots: tuple[Slot, ...]
    geometry: Geometry | None
    mechanisms: tuple[Mechanism, ...]
    placements: tuple[Placement, ...]
    capacitance: tuple[Assignment, ...] = ()
    resistivity: tuple[Assignment, ...] = ()
    initial_v: tuple[Assignment, ...] = ()
    spike_threshold: tuple[Assignment, ...] = ()
    point_capacitance: Expr | None = None
    document_digest: str = ""
    temperature_K: float | None = None
    document: PackedDocument | None = field(default=None, compare=False, repr=False)

    def mechanism(self, name: str) -> Mechanism:
        """The mechanism of that name. Raises KeyError."""
        return {m.name: m for m in self.mechanisms}[name]

    def input_mechanism(self, component: str) -> Mechanism:
        """The mechanism of an input or synapse component that was compiled in. Raises KeyError."""
        return {m.component: m for m in self.mechanisms if m.kind is MechanismKind.INPUT}[component]
