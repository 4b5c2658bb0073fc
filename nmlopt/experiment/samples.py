"""Sampled data named in targets.json: CSV files of two columns, a time and a value."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Final, TypeAlias

from nmlopt.errors import Issue, TargetsError

Samples: TypeAlias = tuple[tuple[float, ...], tuple[float, ...]]
"""Times and values, in the units of the file."""

MAX_BYTES: Final = 256 * 1024 * 1024
_SEPARATOR: Final = re.compile(r"\s*[,;\t]\s*|\s+")


def read_samples(folder: Path, file: str, where: str = "") -> Samples:
    """The two columns of a CSV file below `folder`; '#' lines, empty lines and one line of headings are left out.

    Raises TargetsError T055 (at `where`): the file is missing, outside the folder, too large, or its times or values
    are not finite numbers in ascending order of time.
    """
    path = _inside(folder, file, where)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _refused(f"'{file}' is larger than {MAX_BYTES >> 20} MiB", where, "thin out the samples")
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        hint = f"it is looked for in {folder or '.'}"
        raise _refused(f"'{file}' cannot be read: {error.strerror or error}", where, hint) from error
    except UnicodeDecodeError as error:
        raise _refused(f"'{file}' is not text", where, "save it as CSV in UTF-8") from error
    return _columns(lines, file, where)


def _inside(folder: Path, file: str, where: str) -> Path:
    hint = "data files lie beside the targets file or below its folder"
    if Path(file).is_absolute() or "\0" in file:
        raise _refused(f"'{file}' is not a relative path", where, hint)
    path = (folder / file).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise _refused(f"'{file}' lies outside the folder of the targets file", where, hint)
    return path


def _columns(lines: list[str], file: str, where: str) -> Samples:
    times: list[float] = []
    values: list[float] = []
    may_be_heading = True
    for k, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        row = _row(text)
        if row is None and may_be_heading:
            may_be_heading = False
            continue
        may_be_heading = False
        if row is None:
            raise _refused(f"line {k} of '{file}' is not two finite numbers: '{text[:60]}'", where, "time, value")
        if times and row[0] <= times[-1]:
            raise _refused(f"the times of '{file}' do not ascend at line {k}", where, "sort them; each time once")
        times.append(row[0])
        values.append(row[1])
    if len(times) < 2:
        raise _refused(f"'{file}' holds {len(times)} samples; two are the least", where, "one 'time, value' a line")
    return tuple(times), tuple(values)


def _row(text: str) -> tuple[float, float] | None:
    cells = _SEPARATOR.split(text)
    if len(cells) != 2:
        return None
    try:
        time, value = float(cells[0]), float(cells[1])
    except ValueError:
        return None
    return (time, value) if math.isfinite(time) and math.isfinite(value) else None


def _refused(message: str, where: str, hint: str) -> TargetsError:
    return TargetsError(Issue("T055", message, where, hint))
