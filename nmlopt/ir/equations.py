"""The equations of one component while it is flattened, under names that are C-safe and unique."""

from __future__ import annotations

import re
from collections.abc import Collection

from nmlopt.ir.flat import EMPTY_SUM, Definition, Flat, Own, Structural
from nmlopt.ir.model import Condition, KineticScheme, Regime, State
from nmlopt.lems.expression import Expr, Sym
from nmlopt.lems.trees import names


class Equations:
    """Collects what a `Flat` holds. `reserved` names are never given to a variable."""

    def __init__(self, reserved: Collection[str]) -> None:
        self._names = set(reserved)
        self._definitions: list[Definition] = []
        self._inputs: dict[str, None] = {}
        self._exposures: dict[str, str] = {}
        self._own: dict[str, Own] = {}
        self.states: dict[str, State] = {}
        self.core_states: set[str] = set()
        self.conditions: list[Condition] = []
        self.regimes: list[Regime] = []
        self.kinetics: list[KineticScheme] = []

    def unique(self, path: tuple[str, ...], name: str) -> str:
        """A name for a variable of the component at `path`, the plain joined one if it is still free."""
        base = re.sub(r"\W", "_", "_".join((*path, name)), flags=re.ASCII)
        base = base if re.match(r"[A-Za-z]", base) else f"x{base}"
        made, count = base, 2
        while made in self._names:
            made, count = f"{base}_{count}", count + 1
        self._names.add(made)
        return made

    def define(self, path: tuple[str, ...], name: str, value: Expr, *, core: bool) -> Expr:
        """Name a value; a value that is a name or a structural number already stands for itself."""
        if isinstance(value, Sym | Structural):
            return value
        return self.variable(path, name, value, core=core)

    def variable(self, path: tuple[str, ...], name: str, value: Expr, *, core: bool) -> Sym:
        """Name a value, whatever it is."""
        made = self.unique(path, name)
        self._definitions.append(Definition(made, value, core))
        return Sym(made)

    def is_constant(self, expr: Expr) -> bool:
        """Whether numbers alone decide about `expr`: it rests on no state, time, voltage or concentration."""
        values = {d.name: d.value for d in self._definitions}
        known = {*self._own, "temperature"}
        waiting, seen = list(names(expr)), set[str]()
        while waiting:
            name = waiting.pop()
            if name in values and name not in seen:
                waiting.extend(names(values[name]))
            elif name not in values and name not in known:
                return False
            seen.add(name)
        return True

    def state(self, path: tuple[str, ...], name: str) -> Sym:
        """A state variable, whose equations follow later."""
        made = self.unique(path, name)
        self.states[made] = State(made, EMPTY_SUM, None)
        return Sym(made)

    def own(self, path: tuple[str, ...], name: str, dimension: str) -> Sym:
        """An attribute that each placement gives."""
        made = self.unique(path, name)
        self._own[made] = Own(made, name, dimension)
        return Sym(made)

    def own_input(self, name: str) -> None:
        """An input that each placement gives as a number."""
        self._own[name] = Own(name, "")

    def use_input(self, name: str) -> None:
        """An input that the equations read."""
        self._inputs[name] = None

    def expose(self, path: tuple[str, ...], name: str, variable: str) -> None:
        """A name under which a variable can be recorded."""
        self._exposures["/".join((*path, name))] = variable

    def finish(self) -> Flat:
        """Everything collected."""
        return Flat(
            definitions=tuple(self._definitions),
            states=tuple(self.states.values()),
            inputs=tuple(self._inputs),
            conditions=tuple(self.conditions),
            regimes=tuple(self.regimes),
            kinetics=tuple(self.kinetics),
            exposures=tuple(self._exposures.items()),
            own=tuple(self._own.values()),
            core_states=frozenset(self.core_states),
        )
