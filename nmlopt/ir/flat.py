"""The form between a component tree and `Dynamics`: named equations before bind-time numbers are split off."""

from __future__ import annotations

from dataclasses import dataclass

from nmlopt.ir.model import Condition, Dynamics, KineticScheme, OnEvent, Regime, State
from nmlopt.lems.expression import Expr, Num


class Structural(Num):
    """A number that no document can change: an empty sum or product, a `<Fixed>` value or literal of a core type.

    Only these may be simplified by value: a number of the document must not, as it may be a slot next time.
    """

    __slots__ = ()


EMPTY_SUM = Structural(0.0)
EMPTY_PRODUCT = Structural(1.0)


@dataclass(frozen=True, slots=True)
class Definition:
    """A named value. `is_core`: its expression is a core type's, whose literals never change."""

    name: str
    value: Expr
    is_core: bool


@dataclass(frozen=True, slots=True)
class Own:
    """A number that each placement gives: its name in the equations, its attribute ('': from elsewhere), dimension."""

    name: str
    attribute: str
    dimension: str = "*"


@dataclass(frozen=True, slots=True)
class Flat:
    """A flattened component.

    `definitions` in an order in which each reads earlier ones, states and inputs only; among them are the numbers of
    the document. `own` are the numbers that each placement gives.
    """

    definitions: tuple[Definition, ...]
    states: tuple[State, ...]
    inputs: tuple[str, ...]
    conditions: tuple[Condition, ...] = ()
    regimes: tuple[Regime, ...] = ()
    kinetics: tuple[KineticScheme, ...] = ()
    exposures: tuple[tuple[str, str], ...] = ()
    own: tuple[Own, ...] = ()
    core_states: frozenset[str] = frozenset()
    events: tuple[OnEvent, ...] = ()


@dataclass(frozen=True, slots=True)
class Bound:
    """Run-time dynamics and the bind-time numbers split from them.

    `shared`: value for all placements; `own`: values that a placement computes from its own numbers (`Flat.own`).
    """

    dynamics: Dynamics
    shared: tuple[tuple[str, Expr], ...]
    own: tuple[tuple[str, Expr], ...]
