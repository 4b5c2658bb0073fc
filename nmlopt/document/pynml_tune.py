"""Parameter strings of `pynml-tune` (pyNeuroML 1.3) as paths of ours.

Such a string is `type:id/variable[:id]/unit`, several joined by '+' when they share one value.
"""

from __future__ import annotations

import re
from typing import Final

from nmlopt.document.grammar import quoted
from nmlopt.errors import Issue, PathError

_PART: Final = re.compile(
    r"(?P<type>\w+):(?P<id>[^/:+]+)/(?P<variable>\w+)(?::(?P<name>[^/+]+))?/(?P<unit>\w*)\Z", re.ASCII
)
_OF_CELL: Final = {
    # pynml-tune seeks these ids among several kinds of densities
    "channelDensity": "membraneProperties/*:{}/condDensity",
    "erev_id": "membraneProperties/*:{}/erev",
    # documented to change all densities of the ion (its code changes the last only)
    "erev_ion": "membraneProperties/*[@ion={}]/erev",
    "vShift_channelDensity": "channelDensityVShift:{}/vShift",
    "channelDensityNernst": "channelDensityNernst:{}/condDensity",
    "specificCapacitance": "specificCapacitance[@segmentGroup={}]/value",
    "resistivity": "resistivity[@segmentGroup={}]/value",
}


def from_pynml_tune(text: str) -> tuple[tuple[str, ...], str]:
    """The paths and the unit that a pynml-tune parameter string means. Raises PathError P006."""
    parts = [_PART.match(part.strip()) for part in text.split("+")]
    matches = [part for part in parts if part is not None]
    if len(matches) < len(parts):
        raise _refused(text, "is not type:id/variable:id/unit")
    units = {match["unit"] for match in matches}
    if len(units) > 1:
        raise _refused(text, f"shares one value between the units {', '.join(sorted(units))}")
    return tuple(_path(text, match) for match in matches), units.pop()


def _path(text: str, match: re.Match[str]) -> str:
    type_, id_, variable, name = match["type"], quoted(match["id"]), match["variable"], match["name"]
    if type_ == "cell" and variable in _OF_CELL and name:
        return f"cell:{id_}/" + _OF_CELL[variable].format(quoted(name))
    if type_ == "channel" and variable == "vShift" and not name:
        return f"ionChannelVShift:{id_}/vShift"
    if type_ == "izhikevich2007Cell" and not name:
        return f"izhikevich2007Cell:{id_}/{variable}"
    raise _refused(text, f"pynml-tune has no '{variable}' of '{type_}'")


def _refused(text: str, why: str) -> PathError:
    hint = "such as cell:hhcell/channelDensity:naChans/mS_per_cm2"
    return PathError(Issue("P006", f"'{text}': {why}", hint=hint))
