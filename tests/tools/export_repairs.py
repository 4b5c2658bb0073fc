"""Where jNeuroML's NEURON export departs from the document or the core types, as changes to its text that undo it.

Each is the proof of an explanation: with it, and without any change on our side, spikes fall into the same steps.
A repair takes the name and the text of an exported file (mod, hoc, py).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import Decimal

Repair = Callable[[str, str], str]

_PARAMETER = re.compile(r"(?m)^ *(\w+) = (\S+) .*: was: (\S+) \(.*$")
_SET = re.compile(r"(?m)^(.* = )(-?\d[\d.E-]*)( *// units.*)$")
_RATE = re.compile(r"^ *(\w+_(?:alpha|beta)) = \w+_(?:forward|reverse)Rate_r .*\n", re.MULTILINE)
_MOVED = re.compile(r"(?m)^.*\.position\(.*\n")
_NERNST = re.compile(r"USEION (ca2?) READ e\1 WRITE i\1")


def plain_literals(name: str, text: str) -> str:
    """Numbers as the document writes them.

    The export rounds them to single precision (32 mS per cm2 becomes 0.031999998 S per cm2), and NEURON's translator
    keeps six digits of a PARAMETER (15.87301587302 mV becomes 15.873); such errors grow with every spike. A mod says
    beside each number what it was, and its INITIAL can set it in full; in hoc seven digits give the decimal back.
    """
    if name.endswith(".mod"):
        found = [(m[1], _rescaled(float(m[2]), float(m[3]))) for m in _PARAMETER.finditer(text)]
        return text.replace("INITIAL {\n", "INITIAL {\n" + "".join(f"    {n} = {x!r}\n" for n, x in found), 1)
    return _SET.sub(lambda m: f"{m[1]}{float(m[2]):.7g}{m[3]}", text) if name.endswith(".hoc") else text


def _rescaled(value: float, si: float) -> float:
    """`si` times the power of ten that makes it `value` but for rounding; `value` where that is no power of ten."""
    if value == 0.0 or si == 0.0 or value / si < 0.0:
        return value
    power = round(math.log10(value / si))
    exact = float(Decimal(f"{si:.15g}").scaleb(power))
    return exact if abs(exact - value) <= 1e-6 * abs(value) else value


def rates_in_order(name: str, text: str) -> str:
    """What uses a gate's alpha or beta gets that of this step: the export computes them after it, so it takes the last.

    The core types define alpha as the forward rate at the same moment (Traub's kc: beta = 2 exp(...) - alpha; time
    courses with the requirements alpha and beta, as gates with a least time constant have them).
    """
    for match in reversed(list(_RATE.finditer(text))):
        use = re.search(rf"(?m)^ *\w+ = .*\b{match[1]}\b", text[: match.start()])
        if use:
            text = text[: use.start()] + match[0] + text[use.start() :]
    return text


def nernst_of_the_types(name: str, text: str) -> str:
    """The Nernst potential with R and F of the core types (8.3144621, 96485.3): the export leaves it to NEURON.

    NEURON's newer constants give 119.24362 mV where the types give 119.24366.
    """
    found = _NERNST.search(text)
    if not found:
        return text
    ion = found[1]
    text = text.replace(found[0], f"USEION {ion} READ {ion}i, {ion}o WRITE i{ion}")
    declared = "".join(f"    {n} (mM)\n" for n in (f"{ion}i", f"{ion}o") if not re.search(rf"(?m)^ *{n} \(mM\)", text))
    text = text.replace("ASSIGNED {\n", "ASSIGNED {\n" + declared, 1)
    value = f"    e{ion} = 1000 * 8.3144621 * (celsius + 273.15) / (2 * 96485.3) * log({ion}o / {ion}i)\n"
    return re.sub(rf"(?m)^(?= *i{ion} = )", value, text, count=1)


def where_they_were_drawn(name: str, text: str) -> str:
    """Cells where their morphology draws them, not moved to the location of their instance.

    NEURON holds points in single precision: moving a segment of 23.1694 µm to y = 19.6415 makes its area, and the
    density of a current injected into it, another in the eighth digit.
    """
    return _MOVED.sub("", text) if name.endswith(".py") else text


def in_turn(*repairs: Repair) -> Repair:
    """All of them, one after another."""

    def run(name: str, text: str) -> str:
        for repair in repairs:
            text = repair(name, text)
        return text

    return run
