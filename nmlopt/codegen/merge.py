"""Several current mechanisms of the same compartments as one: a simulator then visits each compartment once.

The merged equations are those of the members side by side under names of their own; nothing is computed differently.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from nmlopt.codegen.analysis import Definitions, linear
from nmlopt.codegen.nmodl import Current, Writer
from nmlopt.codegen.nmodl_states import decays
from nmlopt.ir.model import Assigned, Dynamics, Mechanism, MechanismKind, Parameter, Placement, State
from nmlopt.lems.expression import Expr, Sym
from nmlopt.lems.trees import substitute

Placed = tuple[Mechanism, tuple[Placement, ...]]


@dataclass(frozen=True, slots=True)
class Merged:
    """One mechanism out of several; `names` holds for each member its old variable names -> the new ones."""

    mechanism: Mechanism
    placements: tuple[Placement, ...]
    currents: tuple[Current, ...]
    names: tuple[Mapping[str, str], ...]


def can_merge(mechanism: Mechanism) -> bool:
    """Whether a mechanism may share one with others: a current per area, linear in v, of states that are decays.

    Other states and currents need a costlier treatment (derivimplicit, sparse, di/dv by two evaluations), which would
    fall upon all members.
    """
    dynamics = mechanism.dynamics
    if mechanism.kind is not MechanismKind.DENSITY or dynamics.kinetics or dynamics.conditions or dynamics.regimes:
        return False
    writer = Writer(mechanism, partial=False)
    if linear(Sym(mechanism.current), "v", Definitions(dynamics.assigned)) is None:
        return False
    return decays(dynamics.states, writer) is not None


def merged(name: str, members: Sequence[Placed]) -> Merged:
    """The members as one mechanism; a single one keeps its names."""
    if len(members) == 1:
        mechanism, placements = members[0]
        own = {n: n for n in _own_names(mechanism)}
        current = (Current(mechanism.ion, mechanism.current),) if mechanism.current else ()
        return Merged(mechanism, placements, current, (own,))
    names = _distinct_names([m for m, _ in members])
    dynamics = [_renamed(m.dynamics, table) for (m, _), table in zip(members, names, strict=True)]
    whole = Dynamics(
        inputs=tuple(dict.fromkeys(n for d in dynamics for n in d.inputs)),
        states=tuple(s for d in dynamics for s in d.states),
        assigned=tuple(a for d in dynamics for a in d.assigned),
    )
    parameters = [
        Parameter(table[p.name], p.value) for (m, _), table in zip(members, names, strict=True) for p in m.parameters
    ]
    placed = [
        replace(p, values=tuple((table[n], value) for n, value in p.values))
        for (_, group), table in zip(members, names, strict=True)
        for p in group
    ]
    currents = [Current(m.ion, table[m.current]) for (m, _), table in zip(members, names, strict=True)]
    whole_mechanism = Mechanism(name, MechanismKind.DENSITY, whole, tuple(parameters))
    return Merged(whole_mechanism, tuple(placed), tuple(currents), tuple(names))


def _own_names(mechanism: Mechanism) -> tuple[str, ...]:
    dynamics = mechanism.dynamics
    return (
        *(p.name for p in mechanism.parameters),
        *(s.name for s in dynamics.states),
        *(a.name for a in dynamics.assigned),
        *(name for scheme in dynamics.kinetics for name in scheme.states),
    )


def _distinct_names(mechanisms: Sequence[Mechanism]) -> list[dict[str, str]]:
    """'<mechanism>_<variable>', with an underscore more where that is taken."""
    taken: set[str] = set()
    found = []
    for mechanism in mechanisms:
        table: dict[str, str] = {}
        for name in _own_names(mechanism):
            new = f"{mechanism.name}_{name}"
            while new in taken:
                new += "_"
            taken.add(new)
            table[name] = new
        found.append(table)
    return found


def _renamed(dynamics: Dynamics, names: Mapping[str, str]) -> Dynamics:
    table: dict[str, Expr] = {old: Sym(new) for old, new in names.items()}
    states = tuple(
        State(
            names[s.name],
            substitute(s.initial, table),
            None if s.derivative is None else substitute(s.derivative, table),
        )
        for s in dynamics.states
    )
    assigned = tuple(Assigned(names[a.name], substitute(a.value, table)) for a in dynamics.assigned)
    return Dynamics(dynamics.inputs, states, assigned)
