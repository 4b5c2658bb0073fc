"""Ids of targets.json and what refers to them; works on plain data, so that a fault elsewhere hides nothing here."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from difflib import get_close_matches

from nmlopt.errors import Issue
from nmlopt.spec.text import Json


def references(data: Json) -> list[Issue]:
    """Duplicate ids (T014), unknown protocols (T015), recordings (T016) and targets (T017)."""
    found = [issue for part in ("parameters", "protocols", "targets", "objectives") for issue in _twice(data, part)]
    recordings: dict[str, list[str]] = {}
    for i, protocol in _items(data, "protocols"):
        found += _twice(protocol, "recordings", f"$.protocols[{i}].recordings")
        if (own := _text(protocol, "id")) is not None:
            recordings.setdefault(own, []).extend(_ids(protocol, "recordings"))
    for i, target in _items(data, "targets"):
        found += _target(target, f"$.targets[{i}]", recordings)
    targets = _ids(data, "targets")
    for i, objective in _items(data, "objectives"):
        names = objective.get("targets")
        for j, name in enumerate(names if isinstance(names, list) else []):
            if isinstance(name, str) and name not in targets:
                found.append(unknown("T017", "target", name, targets, f"$.objectives[{i}].targets[{j}]"))
    return found


def unknown(code: str, kind: str, name: str, known: Collection[str], where: str) -> Issue:
    """The finding that `name` is none of the `known` ones, with those that it perhaps should be."""
    near = get_close_matches(name, set(known), n=3, cutoff=0.5)
    listed = ", ".join(sorted(set(known))[:12]) + (", ..." if len(known) > 12 else "")
    hint = f"did you mean {' or '.join(repr(n) for n in near)}?" if near else f"known: {listed or 'none'}"
    return Issue(code, f"there is no {kind} '{name}'", where, hint)


def _target(target: dict[str, Json], where: str, recordings: dict[str, list[str]]) -> Iterator[Issue]:
    protocol, recording = _text(target, "protocol"), _text(target, "recording")
    if protocol is not None and protocol not in recordings:
        yield unknown("T015", "protocol", protocol, recordings, f"{where}.protocol")
    elif protocol is not None and recording is not None and recording not in recordings[protocol]:
        kind = f"recording of protocol '{protocol}' called"
        yield unknown("T016", kind, recording, recordings[protocol], f"{where}.recording")


def _twice(data: Json, part: str, where: str = "") -> Iterator[Issue]:
    first: dict[str, int] = {}
    for i, item in _items(data, part):
        name = _text(item, "id")
        if name is None:
            continue
        if name in first:
            place = f"{where or '$.' + part}[{i}].id"
            yield Issue("T014", f"the id '{name}' is already that of {part}[{first[name]}]", place, "choose another")
        first.setdefault(name, i)


def _items(data: Json, part: str) -> Iterator[tuple[int, dict[str, Json]]]:
    items = data.get(part) if isinstance(data, dict) else None
    for i, item in enumerate(items if isinstance(items, list) else []):
        if isinstance(item, dict):
            yield i, item


def _ids(data: Json, part: str) -> list[str]:
    return [name for _, item in _items(data, part) if (name := _text(item, "id")) is not None]


def _text(data: dict[str, Json], key: str) -> str | None:
    value = data.get(key)
    return value if isinstance(value, str) else None
