"""Flattens a component and all it holds into one system of equations.

One mechanism for every ComponentType, core or custom: a name is looked up in the component's own Dynamics, parameters
and constants, then in the enclosing components; selects follow children and references. It works on demand, so that
only what the wanted variables need is read.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import TypeAlias

from nmlopt.document.model import Element
from nmlopt.errors import Issue, LemsError
from nmlopt.ir.cases import conditional
from nmlopt.ir.equations import Equations
from nmlopt.ir.events import collect_events
from nmlopt.ir.flat import EMPTY_PRODUCT, EMPTY_SUM, Flat, Structural
from nmlopt.ir.kinetics import collect_kinetics
from nmlopt.ir.model import State
from nmlopt.ir.modes import derivative_by_mode
from nmlopt.ir.numbers import Numbers
from nmlopt.ir.select import Select, matching, parse_select
from nmlopt.ir.simplify import simplified
from nmlopt.lems.expression import Expr, Num, Op, Sym
from nmlopt.lems.resolve import Components, Instance
from nmlopt.lems.trees import rebuild
from nmlopt.lems.types import Declaration, is_core, place

STRUCTURAL_PARAMETERS: Mapping[tuple[str, str], str] = {
    ("baseGate", "instances"): "the number of gates is a power in the equations, not a number of them",
}

Collect: TypeAlias = "Callable[[Flattener, Instance], None]"
Below: TypeAlias = Callable[[Instance, str], "tuple[Instance, ...] | None"]


class Flattener:
    """Flattens one root instance.

    `inputs` are the names known outside it, with what stands for them; `own_inputs` those of them that each placement
    gives as a number. `owner` is the instance whose parameters are given by each placement, too. `collect` adds what
    conditions do in a component to the equations; `below` finds the instances under a declared name. The
    regimes of `modal` stay regimes.
    """

    def __init__(
        self,
        components: Components,
        numbers: Numbers,
        inputs: Mapping[str, Expr],
        owner: Instance | None = None,
        own_inputs: frozenset[str] = frozenset(),
        collect: Collect = collect_events,
        below: Below | None = None,
        modal: Instance | None = None,
    ) -> None:
        self._components = components
        self.numbers = numbers
        self._inputs = inputs
        self._owner = owner
        self._own_inputs = own_inputs
        self._collect = collect
        self.modal = modal
        self.modes: dict[Instance, Sym] = {}
        self._find_below = below or components.children
        self._memo: dict[tuple[Instance, str], Expr | None] = {}
        self._instances: dict[tuple[Instance, str], tuple[Instance, ...] | None] = {}
        self._pending: deque[tuple[Instance, str, str]] = deque()
        self._visited: dict[Instance, None] = {}
        self._reads_concentration = False
        self.equations = Equations(inputs)

    # ------------------------------------------------------------------------------------------ results

    def want(self, instance: Instance, *variables: str) -> tuple[Expr, ...]:
        """Make these variables, and all they need, part of the result; what stands for them."""
        return tuple(self.value(instance, name) for name in variables)

    def force(self, instance: Instance, name: str, value: Expr) -> Sym:
        """A named variable for a value that is a structural number (a current that is always 0)."""
        return self.equations.variable(instance.path, name, value, core=True)

    def scaled(self, instance: Instance, name: str, value: Expr, factor: str) -> Sym:
        """A variable times a number that each placement gives, exposed in its stead."""
        made = Op("*", (value, self.equations.own(instance.path, factor, "none")))
        scaled = self.equations.variable(instance.path, name, made, core=True)
        self.equations.expose(instance.path, name, scaled.name)
        return scaled

    def has(self, instance: Instance, name: str) -> bool:
        """Whether an instance defines a name itself."""
        return self._has(instance, name)

    @property
    def reads_concentration(self) -> bool:
        """Whether anything asked for a concentration, also one that is structurally 0."""
        return self._reads_concentration

    def complete(self) -> None:
        """Derivatives, initial values, events and kinetic schemes of everything wanted so far."""
        self._complete()

    def finish(self) -> Flat:
        """The equations for everything wanted so far."""
        self._complete()
        return self.equations.finish()

    def state_in_use(self, instance: Instance, variable: str) -> str | None:
        """The name in the result of a state variable, None if nothing wanted so far reads it."""
        found = self._memo.get((instance, variable))
        return found.name if isinstance(found, Sym) and found.name in self.equations.states else None

    # ------------------------------------------------------------------------------------------ names

    def value(self, instance: Instance, name: str) -> Expr:
        """What stands for a name inside an instance: a name of the result, or a structural number.

        Raises LemsError: L013 unknown name, L015 circular definition, and those of the numbers read.
        """
        key = (instance, name)
        if key in self._memo:
            found = self._memo[key]
            if found is None:
                message = f"'{name}' of {instance.type.name} is defined by itself"
                raise LemsError(Issue("L015", message, place(instance.element)))
            return found
        self._memo[key] = None
        try:
            result = self._look_up(instance, name)
        except LemsError:
            del self._memo[key]
            raise
        self._memo[key] = result
        return result

    def _look_up(self, instance: Instance, name: str) -> Expr:
        local = self._local(instance, name)
        if local is not None:
            return local
        outer = instance.parent
        while outer is not None:
            if self._has(outer, name):
                return self.value(outer, name)
            outer = outer.parent
        if name in self._inputs:
            self._reads_concentration |= name.startswith("caConc")
            stands_for = self._inputs[name]
            if name in self._own_inputs:
                self.equations.own_input(name)
            elif isinstance(stands_for, Sym):
                self.equations.use_input(stands_for.name)
            return stands_for
        raise LemsError(
            Issue(
                "L013",
                f"'{name}' is not known in {instance.type.name}",
                place(instance.element),
                "it is neither defined there nor exposed by an enclosing component",
            )
        )

    def _has(self, instance: Instance, name: str) -> bool:
        declared = instance.type.declarations.get(name)
        if declared is not None and declared.kind not in ("Requirement", "Exposure", "Text"):
            return True
        dynamics = instance.type.dynamics
        return dynamics is not None and _dynamics_item(dynamics, name) is not None

    def _local(self, instance: Instance, name: str) -> Expr | None:
        dynamics = instance.type.dynamics
        item = _dynamics_item(dynamics, name) if dynamics is not None else None
        if item is not None:
            self._visit(instance)
            made = self._state(instance, name) if item.tag == "StateVariable" else self._derived(instance, name, item)
            self._expose(instance, item, name, made)
            return made
        declared = instance.type.declarations.get(name)
        if declared is None:
            return None
        match declared.kind:
            case "Parameter" | "Property":
                return self._parameter(instance, declared)
            case "Constant":
                dimension = declared.element.attributes.get("dimension", "*")
                return self._define(instance, name, self.numbers.expr(declared.element, "value", dimension), False)
            case "DerivedParameter":
                return self._derived(instance, name, declared.element)
        return None

    def _parameter(self, instance: Instance, declared: Declaration) -> Expr:
        if declared.kind == "Property" and instance.parent is None and declared.name in self._inputs:
            self.equations.use_input(declared.name)  # the weight of an input belongs to its attachment
            return self._inputs[declared.name]
        dimension = declared.element.attributes.get("dimension", "*")
        if declared.fixed is not None:
            number = self.numbers.expr(declared.fixed, "value", dimension)
            if is_core(declared.fixed) and isinstance(number, Num):
                return Structural(number.value)
            return self._define(instance, declared.name, number, False)
        if instance is self._owner:
            return self.equations.own(instance.path, declared.name, dimension)
        element = instance.element
        reason = STRUCTURAL_PARAMETERS.get((declared.owner, declared.name))
        if reason is not None:
            return Structural(self.numbers.fixed(element, declared.name, reason))
        source, attribute = element, declared.name
        default = next((a for a in ("defaultValue", "value") if a in declared.element.attributes), None)
        if attribute not in element.attributes and default is not None:
            source, attribute = declared.element, default
        return self._define(instance, declared.name, self.numbers.expr(source, attribute, dimension), False)

    def _define(self, instance: Instance, name: str, value: Expr, core: bool) -> Expr:
        return self.equations.define(instance.path, name, value, core=core)

    def _expose(self, instance: Instance, item: Element, name: str, made: Expr) -> None:
        exposed = item.attributes.get("exposure") or (name if self._exposes(instance, name) else None)
        if exposed and isinstance(made, Sym):
            self.equations.expose(instance.path, exposed, made.name)

    def _exposes(self, instance: Instance, name: str) -> bool:
        declared = instance.type.declarations.get(name)
        return declared is not None and declared.kind == "Exposure"

    # ------------------------------------------------------------------------------------------ variables

    def _derived(self, instance: Instance, name: str, item: Element) -> Expr:
        core = is_core(item)
        if item.tag == "ConditionalDerivedVariable":
            return self._define(instance, name, conditional(self, instance, item), core)
        if "select" in item.attributes:
            return self._define(instance, name, self._selected(instance, item), True)
        return self._define(instance, name, self.expression(instance, item, "value"), core)

    def expression(self, instance: Instance, item: Element, attribute: str) -> Expr:
        """An expression attribute with its names resolved inside an instance."""
        tree = self.numbers.expression(item, attribute)
        try:
            return self._resolved(instance, tree, is_core(item))
        except LemsError as error:
            if is_core(item):
                raise
            raise LemsError([_at(issue, item) for issue in error.issues]) from None

    def _resolved(self, instance: Instance, tree: Expr, core: bool) -> Expr:
        if isinstance(tree, Sym):
            return self.value(instance, tree.name)
        if isinstance(tree, Num):
            return Structural(tree.value) if core else tree
        return simplified(rebuild(tree, lambda part: self._resolved(instance, part, core)))

    def _selected(self, instance: Instance, item: Element) -> Expr:
        select = parse_select(item)
        reduce = item.attributes.get("reduce", "")
        found = self._follow(instance, select, item)
        if found is not None and not reduce and len(found) == 1:
            return found[0]
        empty = EMPTY_PRODUCT if reduce == "multiply" else EMPTY_SUM
        if not found:
            if reduce or item.attributes.get("required") == "false":
                return empty
            message = f"select '{select.text}' of {instance.type.name} finds nothing"
            raise LemsError(Issue("L014", message, place(instance.element)))
        if reduce not in ("add", "multiply"):
            message = f"select '{select.text}' of {instance.type.name} finds {len(found)} components and has no reduce"
            raise LemsError(Issue("L014", message, place(instance.element)))
        result = found[0]
        for term in found[1:]:
            result = simplified(Op("+" if reduce == "add" else "*", (result, term)))
        return result

    def _follow(self, instance: Instance, select: Select, item: Element) -> list[Expr] | None:
        places = [instance]
        for step in select.steps:
            onward: list[Instance] = []
            for at in places:
                declared = at.type.children.get(step.name)
                if declared is not None and declared.kind == "Attachments":
                    return self._attached(select, item)
                onward.extend(matching(step, self.children(at, step.name, item)))
            places = onward
        return [self.value(at, select.variable) for at in places]

    def _attached(self, select: Select, item: Element) -> list[Expr]:
        """The current of synapses and other attachments: an input from outside (iSyn in A, ISyn dimensionless)."""
        name = {"i": "iSyn", "I": "ISyn"}.get(select.variable, "")
        if name not in self._inputs:
            message = f"attachments cannot be read here (select '{select.text}')"
            raise LemsError(Issue("I012", message, place(item), "what can be read is their current: 'i' or 'I'"))
        self.equations.use_input(name)
        return [self._inputs[name]]

    def children(self, instance: Instance, name: str, item: Element) -> tuple[Instance, ...]:
        """The instances below `instance` under a declared name, the same objects each time. Raises LemsError L014."""
        key = (instance, name)
        if key not in self._instances:
            self._instances[key] = self._find_below(instance, name)
        found = self._instances[key]
        if found is None:
            message = (
                f"{instance.type.name} has no child or reference '{name}' (select '{item.attributes.get('select')}')"
            )
            raise LemsError(Issue("L014", message, place(instance.element)))
        return found

    # ------------------------------------------------------------------------------------------ states

    def _state(self, instance: Instance, name: str) -> Expr:
        made = self.equations.state(instance.path, name)
        self._pending.append((instance, name, made.name))
        return made

    def _visit(self, instance: Instance) -> None:
        self._visited.setdefault(instance, None)

    def _complete(self) -> None:
        """Derivatives, initial values, events and kinetic schemes, until nothing new is wanted."""
        done: set[Instance] = set()
        while self._pending or len(done) < len(self._visited):
            while self._pending:
                self._complete_state(*self._pending.popleft())
            for instance in [i for i in self._visited if i not in done]:
                done.add(instance)
                self._collect(self, instance)
                collect_kinetics(self, instance)

    def _complete_state(self, instance: Instance, name: str, made: str) -> None:
        dynamics = instance.type.dynamics
        assert dynamics is not None  # a state was found in it
        derivative: Expr | None = None
        initial: Expr = EMPTY_SUM
        for item in dynamics.children:
            if item.tag == "TimeDerivative" and item.attributes.get("variable") == name:
                derivative = self.expression(instance, item, "value")
                if is_core(item):
                    self.equations.core_states.add(made)
            elif item.tag == "OnStart":
                for assignment in item.children:
                    if assignment.attributes.get("variable") == name:
                        initial = self.expression(instance, assignment, "value")
        if instance is not self.modal:
            derivative = derivative_by_mode(self, instance, name, derivative)
        self.equations.states[made] = State(made, initial, derivative, self._preset(instance, dynamics, name))

    def _preset(self, instance: Instance, dynamics: Element, name: str) -> Expr | None:
        """The number named `<state>0`, of the state's own dimension, if the component has one."""
        number, item = instance.type.declarations.get(f"{name}0"), _dynamics_item(dynamics, name)
        if number is None or number.kind not in _NUMBERS or item is None:
            return None
        is_alike = number.element.attributes.get("dimension") == item.attributes.get("dimension")
        return self.value(instance, number.name) if is_alike else None

    def name_of_state(self, instance: Instance, variable: str, item: Element) -> str:
        """The name in the result of a state that an event or scheme changes. Raises LemsError L013."""
        found = self.value(instance, variable)
        if not isinstance(found, Sym) or found.name not in self.equations.states:
            message = f"'{variable}' is no state variable of {instance.type.name}"
            raise LemsError(Issue("L013", message, place(item)))
        return found.name


_NUMBERS = ("Parameter", "DerivedParameter", "Constant")
_RANK = {"DerivedVariable": 0, "ConditionalDerivedVariable": 0, "StateVariable": 1}


def _dynamics_item(dynamics: Element, name: str) -> Element | None:
    """What defines a name in a Dynamics block; a derived variable hides a state of the same name."""
    found = [e for e in dynamics.children if e.tag in _RANK and e.attributes.get("name") == name]
    return min(found, key=lambda e: _RANK[e.tag], default=None)


def _at(issue: Issue, item: Element) -> Issue:
    return issue if issue.code.startswith("I") else Issue(issue.code, issue.message, place(item), issue.hint)
