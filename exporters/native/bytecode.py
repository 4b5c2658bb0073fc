"""Loop bodies of a kernel as byte code for the generic kernel, which computes each operation for many instances.

The bodies are those that a compiled kernel has: a small part of C (doubles, arrays with literal indices, assignments,
choices, loops, calls of the kernel's functions), in which every operation and its order is given. So both kernels do
the same operations, and results are the same to the bit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from pycparser import c_ast, c_parser

BINARY = {
    "+": "ADD", "-": "SUBTRACT", "*": "MULTIPLY", "/": "DIVIDE", "<": "LESS", ">": "MORE", "<=": "AT_MOST",
    ">=": "AT_LEAST", "==": "EQUAL", "!=": "UNEQUAL", "&&": "AND", "||": "OR", "|": "OR",
}  # fmt: skip
UNARY = {"-": "NEGATE", "!": "NOT"}
FUNCTIONS = {
    "sin": "SINE", "cos": "COSINE", "tan": "TANGENT", "sinh": "SINH", "cosh": "COSH", "tanh": "TANH", "ceil": "CEIL",
    "nm_exp": "EXP", "nm_sqrt": "SQRT", "nm_log": "LOG", "nm_abs": "ABS", "nm_heaviside": "STEP",
    "nm_exprelr": "EXPRELR", "nm_factorial": "FACTORIAL", "nm_growth": "GROWTH", "growth": "GROWTH",
    "nm_power": "POWER", "nm_ramped": "RAMPED",
}  # fmt: skip
LOADS = (
    "AT_NODE", "SHARED", "OWN", "STATE", "CLOCK", "TEMPERATURE", "WEIGHT", "GIVEN", "ROW", "UNKNOWN", "CONTEXT",
    "FIELD", "HELD",
)  # fmt: skip
"""Where a name gets its value from: see the kernel's text (interpreter.h.j2), which says what their index means."""
STORES = ("STORE_STATE", "STORE_FIELD", "STORE_HELD")
OPERATIONS = (
    "MOVE", "KEEP", *dict.fromkeys([*BINARY.values(), *UNARY.values(), *FUNCTIONS.values()]), "IF", "ELSE", "END_IF",
    "LOOP", "WHILE", "AGAIN", "END_LOOP", "OCCUPANCIES", "IMPLICIT", *LOADS, *STORES,
)  # fmt: skip
"""Names of all operations, by their number."""
_NUMBER = {name: k for k, name in enumerate(OPERATIONS)}

Load: TypeAlias = tuple[str, int]
"""One of LOADS and its index."""
Names: TypeAlias = Mapping[str, Load | float]
"""Where the names of a body that it does not declare come from: a load, or a number."""
Code: TypeAlias = tuple[int, int, int, int]
"""Operation, register of the result, two registers or numbers."""
_Register: TypeAlias = tuple[str, int]
"""'n' a name from outside, 'l' a local, 'c' a constant, 't' a temporary; and which."""


@dataclass(frozen=True, slots=True)
class Body:
    """Byte code of a loop body.

    Registers from `first_constant` on hold `constants` before it begins; `results`: registers of what it leaves;
    `depth`: how many choices and loops stand within one another.
    """

    code: tuple[Code, ...]
    constants: tuple[float, ...]
    first_constant: int
    registers: int
    results: tuple[int, ...]
    depth: int


def translate(
    lines: Sequence[str], names: Names, *, results: Sequence[str] = (), stores: Mapping[str, Load] | None = None
) -> Body:
    """Byte code of the lines of a loop body.

    `results`: names or elements (`gain[0]`) whose registers the caller reads, 0.0 where nothing is left in them unless
    `names` says otherwise. `stores`: (operation, index) for names whose last value is to be kept, where it is assigned.
    """
    work = _Translation({**{_key(name): 0.0 for name in results}, **names})
    for name in results:
        work.declare_outside(name)
    text = "\n".join(line for line in lines if line)
    for statement in _parsed(text):
        work.statement(statement)
    for name, (operation, index) in (stores or {}).items():
        if name in work.assigned:
            work.emit(operation, index, work.outside[name])
    return work.finished([work.outside[_key(name)] for name in results])


def _parsed(text: str) -> list[Any]:
    tree = c_parser.CParser().parse("void f(void) {\n" + text + "\n}")
    return list(tree.ext[0].body.block_items or ())


def _key(name: str) -> str:
    return name.replace(" ", "")


_Order: TypeAlias = tuple[str, Any, Any, Any]


@dataclass
class _Translation:
    """One body in the making: scopes of names, registers in use, orders so far."""

    names: Names
    outside: dict[str, _Register] = field(default_factory=dict)
    assigned: set[str] = field(default_factory=set)
    _loads: list[_Order] = field(default_factory=list)
    _orders: list[_Order] = field(default_factory=list)
    _constants: dict[str, float] = field(default_factory=dict)
    _scopes: list[dict[str, _Register]] = field(default_factory=lambda: [{}])
    _next_local: int = 0
    _most_locals: int = 0
    _most_temporaries: int = 0
    _masks: int = 0
    _most_masks: int = 0

    def emit(self, operation: str, target: Any, a: Any = 0, b: Any = 0) -> int:
        """Add an order; returns its place."""
        self._orders.append((operation, target, a, b))
        return len(self._orders) - 1

    def declare_outside(self, name: str) -> _Register:
        """The register of a name that comes from outside, loaded before anything else."""
        key = _key(name)
        if key in self.outside:
            return self.outside[key]
        register = ("n", len(self.outside))
        self.outside[key] = register
        assert key in self.names, f"nothing is known of the name {key}"
        source = self.names[key]
        if isinstance(source, tuple):
            self._loads.append((source[0], register, source[1], 0))
        else:
            self._loads.append(("MOVE", register, self.constant(source), 0))
        return register

    def constant(self, value: float) -> _Register:
        """The register of a number; -0.0 is not 0.0."""
        key = float(value).hex()
        self._constants.setdefault(key, float(value))
        return ("c", list(self._constants).index(key))

    # ------------------------------------------------------------------------------------------ statements

    def statement(self, node: Any) -> None:
        match node:
            case c_ast.Compound():
                self._block(node.block_items or ())
            case c_ast.Decl():
                self._declaration(node)
            case c_ast.Assignment():
                self._assignment(node)
            case c_ast.If():
                self._choice(node)
            case c_ast.While():
                self._loop(node)
            case c_ast.FuncCall():
                self._procedure(node)
            case c_ast.EmptyStatement():
                pass
            case _:
                raise AssertionError(f"no byte code for {type(node).__name__}")

    def _block(self, items: Sequence[Any]) -> None:
        self._scopes.append({})
        begin = self._next_local
        for item in items:
            self.statement(item)
        self._next_local = begin
        self._scopes.pop()

    def _local(self, name: str, count: int = 1) -> _Register:
        register = ("l", self._next_local)
        self._next_local += count
        self._most_locals = max(self._most_locals, self._next_local)
        self._scopes[-1][name] = register
        return register

    def _declaration(self, node: Any) -> None:
        if not isinstance(node.type, c_ast.ArrayDecl):
            value = None if node.init is None else self._expression(node.init, 0)
            register = self._local(node.name)
            if value is not None:
                self.emit("MOVE", register, value)
            return
        given = [self._value_of(e) for e in node.init.exprs] if node.init is not None else []
        size = len(given) if node.type.dim is None else int(node.type.dim.value)
        register = self._local(node.name, size)
        for k in range(size if given else 0):
            source = given[k] if k < len(given) else self.constant(0.0)
            self.emit("MOVE", (register[0], register[1] + k), source)

    def _value_of(self, node: Any) -> _Register:
        """Of an element of an initialiser: a name or a number."""
        assert isinstance(node, c_ast.ID | c_ast.Constant)
        return self._expression(node, 0)

    def _assignment(self, node: Any) -> None:
        """Inside a choice a value changes only in the instances that it is true for."""
        target = self._place(node.lvalue)
        aim = None if self._masks else target
        value = self._expression(node.rvalue, 0, aim if node.op == "=" else None)
        if node.op != "=":
            value = self._result(BINARY[node.op[0]], target, value, 1, aim)
        if value != target:
            self.emit("KEEP" if self._masks else "MOVE", target, value)

    def _place(self, node: Any) -> _Register:
        """The register of what is assigned to."""
        register, name = self._found(node)
        self.assigned.add(name)
        return register

    def _choice(self, node: Any) -> None:
        """Each further choice of a chain (else if) stands within the one before it."""
        ends = [self._branch(node)]
        while isinstance(node.iffalse, c_ast.If):
            node = node.iffalse
            ends.append(self._branch(node))
        if node.iffalse is not None:
            self._block([node.iffalse])
        for end in reversed(ends):
            self._masks -= 1
            self._skip(end, self.emit("END_IF", 0))

    def _branch(self, node: Any) -> int:
        """What is done where a test is true, and the place of the last order that may lead past the choice."""
        begin = self.emit("IF", 0, self._expression(node.cond, 0))
        self._deeper()
        self._block([node.iftrue])
        if node.iffalse is None:
            return begin
        other = self.emit("ELSE", 0)
        self._skip(begin, other)
        return other

    def _deeper(self) -> None:
        self._masks += 1
        self._most_masks = max(self._most_masks, self._masks)

    def _skip(self, place: int, to: int) -> None:
        """Where to go on if an order finds no instance that needs what follows it."""
        name, target, a, _ = self._orders[place]
        self._orders[place] = (name, target, a, to)

    def _loop(self, node: Any) -> None:
        self.emit("LOOP", 0)
        begin = len(self._orders)
        test = self._expression(node.cond, 0)
        leave = self.emit("WHILE", 0, test)
        self._deeper()
        self._block([node.stmt])
        self._masks -= 1
        self.emit("AGAIN", 0, 0, begin)
        self._skip(leave, self.emit("END_LOOP", 0))

    def _procedure(self, node: Any) -> None:
        """Calls that leave numbers in an array."""
        given = node.args.exprs
        assert not self._masks
        match node.name.name:
            case "nm_occupancies":
                size, matrix, held = int(given[0].value), self._found(given[1])[0], self._found(given[2])[0]
                self._together("OCCUPANCIES", size, matrix, held, given[3])
            case "nm_implicit":
                size, start, context = int(given[0].value), self._found(given[1])[0], self._found(given[4])[0]
                self._together("IMPLICIT", size, start, context, given[2])
            case name:
                raise AssertionError(f"no byte code for {name}")

    def _together(self, operation: str, size: int, first: _Register, second: _Register, step: Any) -> None:
        """An order with more operands than fit: those behind it say what else it needs."""
        value = self._expression(step, 0)
        self.emit(operation, size, first, second)
        self.emit("MOVE", value, value)

    # ----------------------------------------------------------------------------------------- expressions

    def _found(self, node: Any) -> tuple[_Register, str]:
        """The register of a name or an element, and the name as it is known outside."""
        index = 0
        if isinstance(node, c_ast.ArrayRef):
            name, index = node.name.name, int(node.subscript.value)
        else:
            name = node.name
        for scope in reversed(self._scopes):
            if name in scope:
                kind, first = scope[name]
                return (kind, first + index), name
        key = f"{name}[{index}]" if isinstance(node, c_ast.ArrayRef) else name
        return self.declare_outside(key), key

    def _temporary(self, depth: int) -> _Register:
        self._most_temporaries = max(self._most_temporaries, depth + 1)
        return ("t", depth)

    def _expression(self, node: Any, depth: int, target: _Register | None = None) -> _Register:
        """The register that holds a value; that of an operation is `target`, or a temporary from `depth` on."""
        match node:
            case c_ast.Constant():
                return self.constant(float(node.value))
            case c_ast.ID() | c_ast.ArrayRef():
                return self._found(node)[0]
            case c_ast.UnaryOp(op="-", expr=c_ast.Constant() as number):
                return self.constant(-float(number.value))
            case c_ast.UnaryOp():
                one = self._expression(node.expr, depth)
                return self._result(UNARY[node.op], one, 0, depth, target)
            case c_ast.BinaryOp():
                left = self._expression(node.left, depth)
                right = self._expression(node.right, depth + 1)
                return self._result(BINARY[node.op], left, right, depth, target)
            case c_ast.FuncCall():
                return self._call(node, depth, target)
        raise AssertionError(f"no byte code for {type(node).__name__}")

    def _result(self, operation: str, a: Any, b: Any, depth: int, target: _Register | None) -> _Register:
        register = target or self._temporary(depth)
        self.emit(operation, register, a, b)
        return register

    def _call(self, node: Any, depth: int, target: _Register | None) -> _Register:
        operation = FUNCTIONS[node.name.name]
        given = [self._expression(e, depth + k) for k, e in enumerate(node.args.exprs)]
        if len(given) <= 2:
            return self._result(operation, given[0], given[1] if len(given) == 2 else 0, depth, target)
        for k, register in enumerate(given):  # side by side, from `depth` on
            place = self._temporary(depth + k)
            if register != place:
                self.emit("MOVE", place, register)
        return self._result(operation, ("t", depth), 0, depth, target)

    # --------------------------------------------------------------------------------------------- the end

    def finished(self, results: Sequence[_Register]) -> Body:
        """Names first, then locals, constants and temporaries."""
        sizes = {"n": len(self.outside), "l": self._most_locals, "c": len(self._constants)}
        first = {"n": 0, "l": sizes["n"], "c": sizes["n"] + sizes["l"]}
        first["t"] = first["c"] + sizes["c"]

        def number(operand: Any) -> int:
            return first[operand[0]] + operand[1] if isinstance(operand, tuple) else int(operand)

        code = tuple(
            (_NUMBER[name], number(target), number(a), number(b))
            for name, target, a, b in self._relocated(len(self._loads))
        )
        return Body(
            code,
            tuple(self._constants.values()),
            first["c"],
            first["t"] + self._most_temporaries,
            tuple(number(register) for register in results),
            self._most_masks,
        )

    def _relocated(self, shift: int) -> Iterator[_Order]:
        """All orders, the loads first; jumps lead to where orders are then."""
        yield from self._loads
        for name, target, a, b in self._orders:
            jumps = name in ("IF", "ELSE", "WHILE", "AGAIN")
            yield name, target, a, b + shift if jumps else b
