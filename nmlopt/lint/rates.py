"""Rates, time constants and steady states of every gate, computed over the voltages that a cell can reach."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from nmlopt.document.model import Document
from nmlopt.errors import Issue, NmloptError, Severity
from nmlopt.ir.bind import TEMPERATURE
from nmlopt.ir.choose import temperature_of
from nmlopt.ir.flatten import Flattener
from nmlopt.ir.guard import guard_singularities
from nmlopt.ir.numbers import Numbers
from nmlopt.lems.evaluate import evaluate
from nmlopt.lems.expression import Expr, Num, Sym
from nmlopt.lems.resolve import Components, Instance
from nmlopt.lems.types import place
from nmlopt.lint.gates import channels, gates_of, has_state

LOWEST_MV: Final = -150
HIGHEST_MV: Final = 100
DEFAULT_TEMPERATURE_K: Final = 279.45
"""6.3 degC, what NEURON takes where nothing is said."""

CALCIUM: Final = (5e-5, 1e-3, 1e-2)
"""Concentrations inside a cell at which rates that read one are tried, mol/m³."""

_OUTSIDE: Final = 2.0
_RESULTS: Final = ("alpha", "beta", "inf", "tau", "rf", "rr")
_ROUNDING: Final = 1e-9

_Values = npt.NDArray[np.float64]
_INPUTS: Final[Mapping[str, Expr]] = {
    name: Sym(name)
    for name in ("v", "t", TEMPERATURE, "caConc", "caConcExt", "caConc2", "caConcExt2", "vShift", "surfaceArea")
}


@dataclass(frozen=True, slots=True)
class Curve:
    """A quantity of a gate over voltage (mV), one row per calcium concentration."""

    gate: Instance
    name: str
    v_mV: _Values
    rows: tuple[_Values, ...]


def rates(document: Document, known: Components) -> Iterator[Issue]:
    """I200-I204: rates that are not finite, time constants that are not positive, steady states outside 0 to 1."""
    try:
        temperature = temperature_of(known, Numbers(known.units)) or DEFAULT_TEMPERATURE_K
    except NmloptError:
        temperature = DEFAULT_TEMPERATURE_K
    for channel in channels(known):
        for gate in gates_of(known, channel):
            yield from _of_gate(known, gate, temperature)


def _of_gate(known: Components, gate: Instance, temperature_K: float) -> Iterator[Issue]:
    try:
        found = list(curves(known, gate, temperature_K))
    except NmloptError as error:
        yield from (i for i in error.issues if i.code != "I012")  # what hinders this will hinder lowering as well
        return
    for curve in found:
        issues = list(_of_curve(curve))
        yield from issues
        if issues:  # what is wrong with a rate is wrong with all that comes of it
            return


def curves(known: Components, gate: Instance, temperature_K: float) -> Iterator[Curve]:
    """The rates, time constant and steady state of a gate. Raises LemsError where they do not resolve."""
    flattener = Flattener(known, Numbers(known.units), _INPUTS)
    wanted = [name for name in _RESULTS if flattener.has(gate, name)]
    stand_for = dict(zip(wanted, flattener.want(gate, *wanted), strict=True))
    flat = guard_singularities(flattener.finish())
    v_mV = np.arange(float(LOWEST_MV), HIGHEST_MV + 1.0)
    concentrations = CALCIUM if any(n.startswith("caConc") for n in flat.inputs) else CALCIUM[:1]
    tables = [_table(v_mV / 1e3, temperature_K, calcium) for calcium in concentrations]
    for table in tables:
        for state in flat.states:
            table[state.name] = 0.5
        for definition in flat.definitions:
            table[definition.name] = np.broadcast_to(evaluate(definition.value, table), v_mV.shape).astype(float)
    for name in wanted:
        value = stand_for[name]
        if not isinstance(value, Num):
            rows = tuple(np.broadcast_to(evaluate(value, table), v_mV.shape).astype(float) for table in tables)
            yield Curve(gate, name, v_mV, rows)


def _table(v: _Values, temperature_K: float, calcium: float) -> dict[str, _Values | float]:
    inside = {"caConc": calcium, "caConc2": calcium, "caConcExt": _OUTSIDE, "caConcExt2": _OUTSIDE}
    return {"v": v, "t": 0.0, TEMPERATURE: temperature_K, "vShift": 0.0, "surfaceArea": 1e-9, **inside}


def _of_curve(curve: Curve) -> Iterator[Issue]:
    finite = np.all([np.isfinite(row) for row in curve.rows], axis=0)
    yield from _not_finite(curve, finite)
    values = np.array(curve.rows)[:, finite]
    v_mV = curve.v_mV[finite]
    if not values.size:
        return
    if curve.name == "tau" and has_state(curve.gate):
        bad = np.any(values <= 0.0, axis=0)
        if bad.any():
            message = f"{_who(curve)} is {values.min():.3g} s {_where(v_mV[bad])}; it must be above 0"
            severity = Severity.ERROR if bad.all() else Severity.WARNING
            yield Issue("I203", message, place(curve.gate.element), "mend the time course or the rates", severity)
    elif curve.name == "inf":
        bad = np.any((values < -_ROUNDING) | (values > 1.0 + _ROUNDING), axis=0)
        if bad.any():
            low, high = values.min(), values.max()
            message = f"{_who(curve)} runs from {low:.3g} to {high:.3g}, not within 0 to 1, {_where(v_mV[bad])}"
            yield _warning("I204", message, curve, "a gate is open to a share of 0 to 1")
    elif curve.name in ("alpha", "beta", "rf", "rr") and values.min() < 0.0:
        bad = np.any(values < 0.0, axis=0)
        message = f"{_who(curve)} is negative {_where(v_mV[bad])}: {values.min():.3g} per s"
        yield _warning("I205", message, curve, "rates are 0 or more; mend the sign of rate or scale")


def _not_finite(curve: Curve, finite: npt.NDArray[np.bool_]) -> Iterator[Issue]:
    bad = curve.v_mV[~finite]
    if not bad.size:
        return
    if not finite.any():
        message = f"{_who(curve)} is at no voltage a finite number"
        yield Issue("I200", message, place(curve.gate.element), "mend its numbers; is a scale 0?")
    elif np.all(np.diff(bad) > 1.0):
        at = ", ".join(f"{v:g}" for v in bad[:3])
        message = f"{_who(curve)} is 0/0 at exactly {at} mV"
        hint = "state the limit there in a <Case>, or use HHExpLinearRate, which has it"
        yield _warning("I201", message, curve, hint)
    else:
        message = f"{_who(curve)} is not a finite number {_where(bad)}"
        yield _warning("I202", message, curve, "an exponential overflows; write it so that it does not")


def _who(curve: Curve) -> str:
    element = curve.gate.element
    owner = element.parent
    name = element.attributes.get("id", element.tag)
    inside = f" of '{owner.attributes.get('id', owner.tag)}'" if owner is not None else ""
    return f"{curve.name} of <{element.tag}> '{name}'{inside}"


def _where(v_mV: _Values) -> str:
    low, high = v_mV.min(), v_mV.max()
    if low == high:
        return f"at {low:g} mV"
    return f"from {low:g} to {high:g} mV" if v_mV.size == high - low + 1 else f"at voltages from {low:g} to {high:g} mV"


def _warning(code: str, message: str, curve: Curve, hint: str) -> Issue:
    return Issue(code, message, place(curve.gate.element), hint, Severity.WARNING)
