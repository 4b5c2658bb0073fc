"""The files of a LEMS simulation as jNeuroML writes them, and one picture per display."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import is_color_like
from matplotlib.figure import Figure

from nmlopt.backend import Floats, Trace
from nmlopt.results.faults import reported
from nmlopt.results.files import new_folder, write_tree
from nmlopt.results.plots import thinned

_SIZE_IN = (9.0, 4.0)


@dataclass(frozen=True, slots=True)
class Curve:
    """A line of a picture: times and values (n,), both in the units of the display."""

    label: str
    t: Floats
    y: Floats
    colour: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A display. `limits` are (xmin, xmax, ymin, ymax)."""

    id: str
    title: str
    time_label: str
    limits: tuple[float, float, float, float] | None
    curves: tuple[Curve, ...]


def write_simulation(
    folder: Path,
    tables: Mapping[str, Floats],
    events: Mapping[str, Sequence[tuple[float | str, float | str]]],
    pictures: Sequence[Picture],
) -> tuple[Path, ...]:
    """Write tables (rows, columns), events and pictures into a new folder, by relative name.

    Numbers of tables have seven digits and tabs after them, as in jNeuroML's files. Raises ResultsError R001 to R003.
    """
    texts = {name: _table(rows) for name, rows in tables.items()}
    texts |= {name: "".join(f"{a}\t{b}\n" for a, b in rows) for name, rows in events.items()}
    drawn = _picture_names(pictures, texts)
    with reported(folder), new_folder(folder) as part:
        write_tree(part, {name: text.encode() for name, text in texts.items()})
        for name, picture in zip(drawn, pictures, strict=True):
            _draw(part / name, picture)
    return tuple(folder / name for name in (*texts, *drawn))


def _table(rows: Floats) -> str:
    form = "%e\t" * rows.shape[1] + "\n"
    return "".join(form % tuple(row) for row in rows.tolist())


def _picture_names(pictures: Sequence[Picture], taken: Mapping[str, str]) -> list[str]:
    names: list[str] = []
    for k, picture in enumerate(pictures):
        plain = "".join(c if c.isalnum() or c in "._-" else "_" for c in picture.id).strip(".") or "display"
        name = f"{plain}.png"
        names.append(name if name not in names and name not in taken else f"{plain}_{k + 1}.png")
    return names


def _draw(path: Path, picture: Picture) -> None:
    figure = Figure(figsize=_SIZE_IN, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    for curve in picture.curves:
        finite = np.isfinite(curve.y)
        t, y = thinned(Trace(curve.t[finite], curve.y[finite]))
        colour = curve.colour if is_color_like(curve.colour) else None
        axes.plot(t, y, label=curve.label.replace("$", r"\$"), color=colour, linewidth=0.9)
    if picture.limits is not None:
        axes.set_xlim(*picture.limits[:2])
        axes.set_ylim(*picture.limits[2:])
    axes.set_title(picture.title.replace("$", r"\$"), loc="left", fontsize=10)
    axes.set_xlabel(picture.time_label)
    axes.legend(loc="upper right", fontsize=8)
    figure.savefig(path, dpi=120)
