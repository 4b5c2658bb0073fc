"""Traces as files: one CSV and one PNG per protocol, for those who want to look or to go on elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from nmlopt.backend import Recordings
from nmlopt.experiment.model import Experiment
from nmlopt.results.faults import reported
from nmlopt.results.files import new_folder

_WIDTH_IN = 9.0
_HEIGHT_IN = 2.6


def write_traces(
    folder: Path, experiments: Sequence[Experiment], recordings: Recordings, units: dict[str, str]
) -> tuple[Path, ...]:
    """Write `<protocol>.csv` (time in ms, one column per recording) and `<protocol>.png` into a new folder.

    `units` maps a recorded variable to its unit. Recordings of one protocol share their time points (as the simulator
    gave them). Raises ResultsError R001, R002, R003.
    """
    names: list[str] = []
    with reported(folder), new_folder(folder) as part:
        for experiment in experiments:
            _write_csv(part / f"{experiment.id}.csv", experiment, recordings, units)
            _write_png(part / f"{experiment.id}.png", experiment, recordings, units)
            names += [f"{experiment.id}.csv", f"{experiment.id}.png"]
    return tuple(folder / name for name in names)


def _write_csv(path: Path, experiment: Experiment, recordings: Recordings, units: dict[str, str]) -> None:
    traces = [recordings.traces[experiment.id, output.id] for output in experiment.outputs]
    header = ["t (ms)", *(f"{output.id} ({units.get(output.variable, 'SI')})" for output in experiment.outputs)]
    table = np.column_stack([traces[0].t_ms, *(trace.y for trace in traces)])
    np.savetxt(path, table, fmt="%.10g", delimiter=",", header=",".join(header), comments="")


def _write_png(path: Path, experiment: Experiment, recordings: Recordings, units: dict[str, str]) -> None:
    count = len(experiment.outputs)
    figure = Figure(figsize=(_WIDTH_IN, 0.6 + _HEIGHT_IN * count), layout="constrained")
    FigureCanvasAgg(figure)
    panels = np.atleast_1d(figure.subplots(count, 1, sharex=True))
    for panel, output in zip(panels, experiment.outputs, strict=True):
        trace = recordings.traces[experiment.id, output.id]
        panel.plot(trace.t_ms, trace.y, linewidth=0.9)
        panel.set_ylabel(f"{output.id} ({units.get(output.variable, 'SI')})")
    panels[0].set_title(experiment.id, loc="left")
    panels[-1].set_xlabel("time (ms)")
    figure.savefig(path, dpi=120)
