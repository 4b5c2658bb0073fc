"""A user's mistake as data: what is wrong with a sound model, targets file or command line, and what must be said."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Json = dict[str, Any]

CHECK = ("check", "model.nml", "targets.json", "--no-run")


@dataclass(frozen=True)
class Mistake:
    """`name` of the test; the stable `code`, the `place` and the words that the message or its remedy `says`.

    `model`, `text`: changes of the texts of model.nml and targets.json; `targets`: a change of the parsed targets;
    `files`: further files by relative path. Without `arguments` both files are checked.
    """

    name: str
    code: str
    place: str
    says: tuple[str, ...]
    model: Callable[[str], str] | None = None
    targets: Callable[[Json], object] | None = None
    text: Callable[[str], str] | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    arguments: Sequence[str] = CHECK
    exit_code: int = 2


def lay_out(mistake: Mistake, source: Path, folder: Path) -> None:
    """Write the files of `source` (model.nml, targets.json) into `folder`, with the mistake in them."""
    for name, text in mistake.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    model = (source / "model.nml").read_text(encoding="utf-8")
    targets = (source / "targets.json").read_text(encoding="utf-8")
    if mistake.targets is not None:
        data = json.loads(targets)
        mistake.targets(data)
        targets = json.dumps(data, indent=2)
    model = mistake.model(model) if mistake.model else model
    targets = mistake.text(targets) if mistake.text else targets
    (folder / "model.nml").write_text(model, encoding="utf-8")
    (folder / "targets.json").write_text(targets, encoding="utf-8")


def replaced(old: str, new: str) -> Callable[[str], str]:
    """A change of a text: one part becomes another; the part must be there."""

    def change(text: str) -> str:
        assert old in text, f"{old!r} is not in the text any more"
        return text.replace(old, new, 1)

    return change


def put(value: Any, *steps: str | int) -> Callable[[Json], object]:
    """A change of the targets: the place at the end of `steps` gets that value."""

    def change(data: Json) -> None:
        place: Any = data
        for step in steps[:-1]:
            place = place[step]
        place[steps[-1]] = value

    return change


def without(*steps: str | int) -> Callable[[Json], object]:
    """A change of the targets: the place at the end of `steps` is taken out."""

    def change(data: Json) -> None:
        place: Any = data
        for step in steps[:-1]:
            place = place[step]
        del place[steps[-1]]

    return change


def added(value: Any, *steps: str | int) -> Callable[[Json], object]:
    """A change of the targets: the list at the end of `steps` gets one more entry."""

    def change(data: Json) -> None:
        place: Any = data
        for step in steps:
            place = place[step]
        place.append(value)

    return change


def issue_of(stderr: str, code: str) -> str:
    """The finding of that code as printed: its line and its remedy; empty if there is none."""
    lines = stderr.splitlines()
    for number, line in enumerate(lines):
        if f" {code}: " in line:
            remedy = [more for more in lines[number + 1 : number + 2] if more.startswith("    ")]
            return "\n".join([line, *remedy])
    return ""
