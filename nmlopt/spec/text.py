"""From the bytes of a JSON file to plain data, with every fault of the text itself and its place."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TypeAlias

from nmlopt.errors import Issue, TargetsError

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"

MAX_BYTES: Final = 16 * 1024 * 1024
MAX_DEPTH: Final = 64
COMMENT: Final = "$comment"
"""A key that may stand in any object, once; what it holds is ignored (as in JSON Schema)."""


class _Object(dict[str, Json]):
    """An object that remembers which of its keys stood in it more than once."""

    repeated: tuple[str, ...] = ()


def read_text(path: Path) -> str:
    """The text of a file. Raises TargetsError T002."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _unreadable(
                path, f"larger than {MAX_BYTES >> 20} MiB", "a targets file holds no data; name CSV files"
            )
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        hint = "nmlopt init model.nml > targets.json writes one to begin with"
        raise _unreadable(path, error.strerror or str(error), hint) from error
    except UnicodeDecodeError as error:
        raise _unreadable(path, f"not UTF-8 (byte {error.start})", "save it as UTF-8") from error


def parse_json(text: str, where: str) -> tuple[Json, tuple[Issue, ...]]:
    """Plain data without `$comment` keys, and the faults of the text that do not stop its reading.

    Raises TargetsError: T001 not JSON (`where:line:column`), T004 nested too deeply, T005 number of too many digits.
    """
    try:
        data: Json = json.loads(text, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        place = f"{where}:{error.lineno}:{error.colno}"
        raise TargetsError(
            Issue("T001", f"not JSON: {error.msg}", place, _syntax_hint(error.msg, text, error.pos))
        ) from error
    except RecursionError as error:
        raise TargetsError(_too_deep()) from error
    except ValueError as error:
        raise TargetsError(Issue("T005", f"a number cannot be read: {error}", where)) from error
    issues = tuple(_faults(data, "$", 0))
    if any(issue.code == "T004" for issue in issues):
        raise TargetsError(issues)
    return _without_comments(data), issues


def member(path: str, key: str) -> str:
    """The JSON path of a member of an object."""
    return f"{path}.{key}" if key.replace("_", "a").isalnum() else f"{path}[{json.dumps(key)}]"


def _object(pairs: list[tuple[str, Json]]) -> _Object:
    made = _Object(pairs)
    if len(made) < len(pairs):
        keys = [key for key, _ in pairs]
        made.repeated = tuple(dict.fromkeys(key for key in keys if keys.count(key) > 1))
    return made


def _faults(data: Json, path: str, depth: int) -> Iterator[Issue]:
    if depth > MAX_DEPTH:
        yield _too_deep()
    elif isinstance(data, dict):
        for key in data.repeated if isinstance(data, _Object) else ():
            yield Issue("T003", f"the key '{key}' stands twice", member(path, key), "keep one of them")
        for key, value in data.items():
            yield from _faults(value, member(path, key), depth + 1)
    elif isinstance(data, list):
        for i, value in enumerate(data):
            yield from _faults(value, f"{path}[{i}]", depth + 1)
    elif isinstance(data, float) and not math.isfinite(data):
        yield Issue("T005", f"{data} is not a finite number", path, "write a finite number")


def _without_comments(data: Json) -> Json:
    if isinstance(data, dict):
        return {key: _without_comments(value) for key, value in data.items() if key != COMMENT}
    return [_without_comments(value) for value in data] if isinstance(data, list) else data


def _unreadable(path: Path, what: str, hint: str) -> TargetsError:
    return TargetsError(Issue("T002", f"'{path.name}' cannot be read: {what}", str(path), hint))


def _too_deep() -> Issue:
    return Issue("T004", f"objects or lists nested more than {MAX_DEPTH} deep", "$", "a targets file needs 7 levels")


def _syntax_hint(message: str, text: str, at: int) -> str:
    rest, before = text[at:].lstrip(), text[:at].rstrip()
    if rest.startswith(("//", "/*", "#")):
        return f'JSON has no comments; write "{COMMENT}": "..." in an object'
    if before.endswith(",") and rest[:1] in ("}", "]"):
        return "remove the comma before the closing bracket"
    if rest[:1] in ('"', "{", "[") and "',' delimiter" in message:
        return "a comma is missing before this place"
    if rest.startswith("'"):
        return 'JSON takes double quotes: "..."'
    return ""
