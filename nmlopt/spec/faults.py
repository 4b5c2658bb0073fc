"""What pydantic found wrong, as issues with JSON path, stable code and remedy."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, Final

from pydantic_core import ErrorDetails

from nmlopt.errors import Issue
from nmlopt.spec import models
from nmlopt.spec.text import Json, member

NOT_YET: Final[Mapping[str, str]] = {
    "rheobase": "amplitudes relative to rheobase are not supported yet",
    "spike_train": "spike trains through synapses ('spike_train') are not supported yet",
    "synapse": "synaptic stimuli ('synapse') are not supported yet",
    "poisson": "random spike trains ('poisson') are not supported yet",
    "noise": "noisy currents ('noise') are not supported yet",
}
_WRONG_TYPE: Final = {
    "string_type": "text in double quotes",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "tuple_type": "a list [...]",
    "dict_type": "an object {...}",
    "model_type": "an object {...}",
    "model_attributes_type": "an object {...}",
}
_PARTS: Final[Mapping[str, type[models.Model]]] = {
    "": models.Targets,
    "parameters": models.Parameter,
    "protocols": models.Protocol,
    "recordings": models.Recording,
    "at": models.At,
    "pulse": models.Pulse,
    "ramp": models.Ramp,
    "sine": models.Sine,
    "played": models.Played,
    "voltage_clamp": models.VoltageClamp,
    "input": models.Input,
    "levels": models.Level,
    "feature": models.FeatureTarget,
    "spike_times": models.SpikeTimesTarget,
    "trace": models.TraceTarget,
    "window": models.Window,
    "objectives": models.Objective,
}
"""The model of a part, by the last step of its place that is a name."""


def to_issues(errors: Iterable[ErrorDetails], data: Json) -> list[Issue]:
    """Issues in the order in which the file holds the places; several errors of one place (a union) become one."""
    found: dict[str, Issue] = {}
    for error in errors:
        path, value = _place(error, data)
        if error["type"] == "too_short" and value:
            continue  # its items were refused one by one
        found.setdefault(path, _issue(error, path, value))
    return list(found.values())


def _place(error: ErrorDetails, data: Json) -> tuple[str, Json]:
    """JSON path and value of an error; pydantic's own steps (tag of a union, branch) lead nowhere and are left out."""
    path, here = "$", data
    steps = error["loc"]
    for i, step in enumerate(steps):
        if isinstance(step, int) and isinstance(here, list) and step < len(here):
            path, here = f"{path}[{step}]", here[step]
        elif isinstance(step, str) and isinstance(here, dict) and not _is_tag(steps, i):
            if step in here:
                path, here = member(path, step), here[step]
            elif error["type"] == "missing" and i == len(steps) - 1:
                path, here = member(path, step), None
    return path, here


def _is_tag(steps: tuple[int | str, ...], i: int) -> bool:
    """Whether step i is the tag that pydantic puts after the index of a tagged part."""
    return i >= 2 and steps[i - 2] in ("stimuli", "targets") and isinstance(steps[i - 1], int)


def _issue(error: ErrorDetails, path: str, value: Json) -> Issue:
    kind, context = error["type"], error.get("ctx", {})
    key = str(error["loc"][-1]) if error["loc"] else ""
    if path.startswith("$.format"):
        return _format_issue(path, kind)
    if (planned := _planned(value)) is not None:
        return Issue("T011", planned, path, "write a pulse, ramp, sine or played current, in nA")
    if kind == "nmlopt":
        return Issue(context["code"], context["message"], path, context["hint"])
    if kind == "missing":
        return Issue("T006", f"'{key}' is missing", path, "add it")
    if kind == "extra_forbidden":
        return Issue("T007", f"'{key}' is not a key that is known here", path, _near_keys(key, error["loc"]))
    if kind.startswith("union_tag"):
        return _tag_issue(path, value, context)
    if kind == "too_short":
        return Issue("T009", f"'{key}' is empty", path, "at least one is needed")
    if kind in _WRONG_TYPE:
        return Issue("T008", f"{_shown(value)} is not {_WRONG_TYPE[kind]}", path, f"write {_WRONG_TYPE[kind]}")
    return Issue("T009", f"{_shown(value)} is not allowed: {_rule(error)}", path)


def _format_issue(path: str, kind: str) -> Issue:
    message = "is missing" if kind == "missing" else "is another one"
    what, wanted = (
        ("version", '"format_version": "1.0"') if "version" in path else ("format", '"format": "nmlopt-targets"')
    )
    return Issue("T012", f"this is no targets file that nmlopt knows: its {what} {message}", path, f"write {wanted}")


def _planned(value: Json) -> str | None:
    """Why something that the format will hold one day is refused."""
    if isinstance(value, str) and "rheobase" in value:
        return NOT_YET["rheobase"]
    kind = (value.get("kind") or value.get("type")) if isinstance(value, dict) else None
    return NOT_YET.get(kind) if isinstance(kind, str) else None


def _tag_issue(path: str, value: Json, context: Mapping[str, Any]) -> Issue:
    if not isinstance(value, dict) or "type" not in value:
        return Issue("T006", "'type' is missing", member(path, "type"), "add it")
    known = [tag.strip("' ") for tag in str(context.get("expected_tags", "")).split(",")]
    near = get_close_matches(str(value["type"]), known, n=1)
    hint = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(known)}"
    return Issue("T010", f"the type {_shown(value['type'])} is not known", member(path, "type"), hint)


def _near_keys(key: str, steps: tuple[int | str, ...]) -> str:
    """Known keys of a similar name in the part that holds the key, or all of that part."""
    part = next((str(step) for step in reversed(steps[:-1]) if isinstance(step, str)), "")
    model = _PARTS.get(part, models.Extension)
    keys = [field.alias or name for name, field in model.model_fields.items()]
    near = get_close_matches(key, keys, n=2, cutoff=0.6)
    return f"did you mean {' or '.join(map(repr, near))}?" if near else f"known here: {', '.join(keys)}"


def _rule(error: ErrorDetails) -> str:
    if error["type"] == "string_pattern_mismatch":
        return "an id starts with a letter or '_' and goes on with letters, digits and '_.-'"
    text = error["msg"]
    return text[0].lower() + text[1:]


def _shown(value: Json) -> str:
    text = f"'{value}'" if isinstance(value, str) else "an object" if isinstance(value, dict) else json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."
