"""What an exported folder records: probes as data, and Python functions that make outputs of their samples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nmlopt.codegen.derived import Derived
from nmlopt.codegen.templating import num
from nmlopt.experiment.voltage_clamps import Clamp
from nmlopt.exporters.arbor.cable import Cable
from nmlopt.exporters.arbor.decoration import location
from nmlopt.exporters.arbor.recordings import TIME, VOLTAGE, Recorder, probes
from nmlopt.lems.expression import Call, Cases, Expr, Num, Op, Sym

_OPERATORS = {"and": "and", "or": "or", "not": "not ", "neg": "-"}
_FUNCTIONS = {"abs": "abs", "H": "heaviside", "exprelr": "exprelr"}


def described(places: Cable, found: Sequence[Recorder], names: Mapping[str, str], label: str) -> dict[str, Any]:
    """Probes and outputs of one experiment as JSON. `names`: the CSV files by output id; `label` starts functions."""
    tags = {key: str(number) for number, key in enumerate(probes(found))}
    outputs = []
    for number, recorder in enumerate(found):
        columns = [TIME if p == TIME else tags[recorder.compartment, p] for p in recorder.probes]
        function = None if recorder.quantity is None and recorder.clamp is None else f"{label}_{number}"
        output = recorder.output
        unit = {"v": "mV", "i_clamp": "nA"}.get(output.variable, "SI")
        outputs.append(
            {"file": names[output.id], "variable": output.variable, "unit": unit, "columns": columns,
             "function": function}
        )  # fmt: skip
    return {
        "probes": {tag: [kind, location(places.centres[where])] for (where, kind), tag in tags.items()},
        "outputs": outputs,
    }


def functions(found: Sequence[Recorder], label: str, slots: Sequence[float], temperature_K: float) -> Iterator[str]:
    """The functions of one experiment that `described` names, each of the samples of its columns."""
    for number, recorder in enumerate(found):
        head = f"def {label}_{number}({', '.join(_argument(p) for p in recorder.probes)}):"
        if recorder.clamp is not None:
            yield "\n".join((head, *_clamp(recorder.clamp)))
        elif recorder.quantity is not None:
            yield "\n".join((head, *_quantity(recorder.quantity, slots, temperature_K)))


def _argument(probe: str) -> str:
    """The name of a column: the probe's own with underscores."""
    return "p_" + "".join(c if c.isalnum() else "_" for c in probe)


def _clamp(clamp: Clamp) -> Iterator[str]:
    time, v, ends = _argument(TIME), _argument(VOLTAGE), (*clamp.times_ms[1:], clamp.end_ms)
    for end, target in zip(ends, clamp.targets_mV, strict=True):
        yield f"    if {time} < {num(float(end))}:"
        yield f"        return ({num(float(target))} - {v}) / {num(clamp.series_resistance_Mohm)}"
    yield "    return 0.0"


def _quantity(quantity: Derived, slots: Sequence[float], temperature_K: float) -> Iterator[str]:
    for name, value in quantity.numbers(slots, temperature_K).items():
        yield f"    x_{name} = {float(value)!r}".replace(" inf", " math.inf").replace(" nan", " math.nan")
    for name, source in quantity.sources.items():
        factor = "" if source.factor == 1.0 else f"{num(source.factor)} * "
        yield f"    x_{name} = {factor}{_argument(source.variable)}"
    for name, expr in quantity.formulas:
        yield f"    x_{name} = {python(expr)}"
    yield f"    return x_{quantity.result}"


def python(expr: Expr) -> str:
    """An expression in Python, with every operation in parentheses."""
    match expr:
        case Num(value):
            return f"({num(value)})"
        case Sym(name):
            return f"x_{name}"
        case Op("^", (base, exponent)):
            return f"power({python(base)}, {python(exponent)})"
        case Op(op, (one,)):
            return f"({_OPERATORS[op]}{python(one)})"
        case Op(op, (left, right)):
            return f"({python(left)} {_OPERATORS.get(op, op)} {python(right)})"
        case Call(function, arguments):
            name = _FUNCTIONS.get(function, f"math.{function}")
            return f"{name}({', '.join(map(python, arguments))})"
        case Cases(cases, default):
            chosen = "".join(f"{python(value)} if {python(test)} else " for test, value in cases)
            return f"({chosen}{python(default)})"
    raise TypeError(f"not an expression: {expr!r}")
