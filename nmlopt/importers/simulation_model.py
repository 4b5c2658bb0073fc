"""A LEMS simulation as it is run: cells with their experiments, and what of them goes into which file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from nmlopt.document.model import Document
from nmlopt.errors import Issue
from nmlopt.experiment.model import Experiment, Pulse, Ramp, Sine
from nmlopt.ir.model import Cell


@dataclass(frozen=True, slots=True)
class CellRun:
    """A cell component and one experiment for each of its instances that has to be simulated."""

    cell: Cell
    experiments: tuple[Experiment, ...]


@dataclass(frozen=True, slots=True)
class Recorded:
    """An output of an experiment; `factor` makes it SI."""

    experiment: str
    output: str
    factor: float = 1.0


@dataclass(frozen=True, slots=True)
class Constant:
    """A quantity that does not change, in SI."""

    value: float


@dataclass(frozen=True, slots=True)
class Since:
    """The time (s) since the last of some events, or since t = 0 before the first."""

    events_ms: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Above:
    """1 while a recorded quantity is above a level (in its recorded unit), 0 else: `spiking` of a cell."""

    of: Recorded
    level: float


@dataclass(frozen=True, slots=True)
class Given:
    """A current that is known beforehand: that of a stimulus, times `factor` in SI."""

    stimulus: Pulse | Ramp | Sine
    factor: float


@dataclass(frozen=True, slots=True)
class Total:
    """A sum of recorded quantities, each times its factor, in SI: `iCa` of a cell."""

    terms: tuple[Recorded, ...]


Signal: TypeAlias = Recorded | Constant | Since | Above | Given | Total


@dataclass(frozen=True, slots=True)
class Column:
    """One column of an output file: what it holds, in SI, and the quantity as written."""

    id: str
    quantity: str
    signal: Signal


@dataclass(frozen=True, slots=True)
class OutputFile:
    """Columns under the relative name that the file is written to."""

    name: str
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Selection:
    """One source of events: known times (ms), or upward crossings of a level by a signal."""

    id: str
    source: Above | tuple[float, ...]


@dataclass(frozen=True, slots=True)
class EventFile:
    """Events under the relative name that the file is written to; `format` is ID_TIME or TIME_ID."""

    name: str
    format: str
    selections: tuple[Selection, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A curve of a display: SI values are divided by `scale`."""

    id: str
    signal: Signal
    scale: float
    colour: str


@dataclass(frozen=True, slots=True)
class Display:
    """A plot; SI times are divided by `time_scale`; limits (xmin, xmax, ymin, ymax) are in the scaled units."""

    id: str
    title: str
    time_scale: float
    time_unit: str
    limits: tuple[float, float, float, float] | None
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class LemsSimulation:
    """All of a simulation. `step_ms` is the author's, `issues` are warnings and information about it."""

    id: str
    document: Document
    duration_ms: float
    step_ms: float
    runs: tuple[CellRun, ...]
    files: tuple[OutputFile, ...]
    events: tuple[EventFile, ...]
    displays: tuple[Display, ...]
    issues: tuple[Issue, ...] = ()
