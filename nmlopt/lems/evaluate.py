"""Evaluates expression trees: the one arithmetic for folding constants at compile time and for binding later.

The same operations in the same order as the tree, in IEEE doubles: overflow gives inf, a domain error gives nan,
nothing raises. Scalars go through `math`, arrays through numpy, whatever the batch; slots are always scalars.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from nmlopt.errors import Issue, LemsError
from nmlopt.lems.expression import Call, Cases, Expr, Num, Op, SlotRef, Sym

Value: TypeAlias = float | npt.NDArray[np.float64]
Names: TypeAlias = Mapping[str, Value]
Evaluator: TypeAlias = Callable[[Names, Sequence[float]], Value]


def evaluate(expr: Expr, names: Names | None = None, slots: Sequence[float] = ()) -> Value:
    """The value of `expr`; `slots` in SI. A truth value is 1.0 or 0.0. Raises KeyError for an unknown name."""
    return compile_expression(expr)(names or {}, slots)


def compile_expression(expr: Expr) -> Evaluator:
    """A function of (values of the names, SI values of the slots) that computes `expr`."""
    match expr:
        case Num(value):
            return lambda _names, _slots: value
        case Sym(name):
            return lambda names, _slots: names[name]
        case SlotRef(index):
            return lambda _names, slots: slots[index]
        case Op(op, (one,)):
            return _unary(_UNARY[op], compile_expression(one))
        case Op(op, (left, right)):
            return _binary(_BINARY[op], compile_expression(left), compile_expression(right))
        case Call(function, (one,)):
            if function not in _FUNCTIONS:
                raise LemsError(Issue("L004", f"'{function}' has no value that could be computed beforehand"))
            return _unary(_FUNCTIONS[function], compile_expression(one))
        case Cases(cases, default):
            return _choose(
                tuple((compile_expression(test), compile_expression(value)) for test, value in cases),
                compile_expression(default),
            )
    raise TypeError(f"not an expression: {expr!r}")


_One: TypeAlias = Callable[[Value], Value]
_Two: TypeAlias = Callable[[Value, Value], Value]


def _unary(apply: _One, argument: Evaluator) -> Evaluator:
    return lambda names, slots: apply(argument(names, slots))


def _binary(apply: _Two, left: Evaluator, right: Evaluator) -> Evaluator:
    return lambda names, slots: apply(left(names, slots), right(names, slots))


def _choose(cases: tuple[tuple[Evaluator, Evaluator], ...], default: Evaluator) -> Evaluator:
    def run(names: Names, slots: Sequence[float]) -> Value:
        tests = [test(names, slots) for test, _ in cases]
        if all(isinstance(test, float) for test in tests):
            for test, (_, value) in zip(tests, cases, strict=True):
                if test:
                    return value(names, slots)
            return default(names, slots)
        result = default(names, slots)
        for test, (_, value) in zip(reversed(tests), reversed(cases), strict=True):
            result = np.where(np.asarray(test) != 0.0, value(names, slots), result)
        return result

    return run


def _lift(scalar: Callable[[float], float], array: Callable[..., npt.NDArray[np.float64]] | None = None) -> _One:
    """A function of one argument that gives nan or inf where `math` would raise; element by element without `array`.

    numpy's own exponentials, logarithms and powers differ in the last bit from one processor to another (with AVX-512
    from without), those of the C library, which `math` has, do not.
    """

    def one(x: float) -> float:
        try:
            return scalar(x)
        except OverflowError:
            return math.inf
        except ValueError:
            return math.nan

    each = array or _vector(one)

    def run(x: Value) -> Value:
        if isinstance(x, np.ndarray):
            with np.errstate(all="ignore"):
                return np.asarray(each(x), dtype=np.float64)
        return one(x)

    return run


def _lift2(scalar: Callable[[float, float], float], array: Callable[..., npt.NDArray[np.float64]]) -> _Two:
    def run(x: Value, y: Value) -> Value:
        if isinstance(x, np.ndarray) or isinstance(y, np.ndarray):
            with np.errstate(all="ignore"):
                return np.asarray(array(x, y), dtype=np.float64)
        return scalar(x, y)

    return run


def _divide(x: float, y: float) -> float:
    if y:
        return x / y
    if x == 0.0 or math.isnan(x) or math.isnan(y):
        return math.nan
    return math.copysign(math.inf, x) * math.copysign(1.0, y)


def _power(x: float, y: float) -> float:
    try:
        return math.pow(x, y)
    except OverflowError:
        odd = y == math.floor(y) and math.fmod(y, 2.0) != 0.0
        return -math.inf if x < 0.0 and odd else math.inf
    except ValueError:
        return math.inf if x == 0.0 else math.nan


def _log(x: float) -> float:
    return -math.inf if x == 0.0 else math.log(x)


_LARGEST_FACTORIAL = 171.0
"""Above it every factorial is beyond the doubles; whole ones would take for ever to find out."""


def _heaviside(x: float) -> float:
    """H of LEMS: 0.5 at 0, as jLEMS computes 0.5 (sign(x) + 1)."""
    return math.nan if math.isnan(x) else 0.5 * ((x > 0.0) - (x < 0.0) + 1.0)


def _ceil(x: float) -> float:
    return float(math.ceil(x)) if math.isfinite(x) else x


def _factorial(x: float) -> float:
    if x > _LARGEST_FACTORIAL:
        return math.inf
    return math.gamma(x + 1.0) if x != math.floor(x) else float(math.factorial(int(x)))


def _exprelr(x: float) -> float:
    """x / (1 - exp(-x)), smooth through 0; near 0 its series 1 + x/2 + x²/12 (error below x⁴/720)."""
    if abs(x) < 1e-3:
        return 1.0 + x / 2.0 + x * x / 12.0
    try:
        return x / -math.expm1(-x)
    except OverflowError:
        return 0.0


def _truth(test: Callable[[float, float], bool]) -> Callable[[float, float], float]:
    return lambda x, y: 1.0 if test(x, y) else 0.0


def _vector(scalar: Callable[[float], float]) -> Callable[..., npt.NDArray[np.float64]]:
    return np.vectorize(scalar, otypes=[np.float64])


_UNARY: dict[str, _One] = {
    "neg": _lift(lambda x: -x, np.negative),
    "not": _lift(lambda x: 0.0 if x else 1.0, np.logical_not),
}
_BINARY: dict[str, _Two] = {
    "+": _lift2(lambda x, y: x + y, np.add),
    "-": _lift2(lambda x, y: x - y, np.subtract),
    "*": _lift2(lambda x, y: x * y, np.multiply),
    "/": _lift2(_divide, np.divide),
    "^": _lift2(_power, np.vectorize(_power, otypes=[np.float64])),
    "<": _lift2(_truth(lambda x, y: x < y), np.less),
    ">": _lift2(_truth(lambda x, y: x > y), np.greater),
    "<=": _lift2(_truth(lambda x, y: x <= y), np.less_equal),
    ">=": _lift2(_truth(lambda x, y: x >= y), np.greater_equal),
    "==": _lift2(_truth(lambda x, y: x == y), np.equal),
    "!=": _lift2(_truth(lambda x, y: x != y), np.not_equal),
    "and": _lift2(_truth(lambda x, y: bool(x and y)), np.logical_and),
    "or": _lift2(_truth(lambda x, y: bool(x or y)), np.logical_or),
}
_FUNCTIONS: dict[str, _One] = {
    "sin": _lift(math.sin),
    "cos": _lift(math.cos),
    "tan": _lift(math.tan),
    "sinh": _lift(math.sinh),
    "cosh": _lift(math.cosh),
    "tanh": _lift(math.tanh),
    "exp": _lift(math.exp),
    "sqrt": _lift(math.sqrt, np.sqrt),
    "ceil": _lift(_ceil, np.ceil),
    "log": _lift(_log),
    "abs": _lift(abs, np.abs),
    "H": _lift(_heaviside),
    "factorial": _lift(_factorial),
    "exprelr": _lift(_exprelr),
}
