"""Figures of the report as SVG data URIs. Uses matplotlib's Figure alone: no pyplot, no state that outlives a call."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Mapping, Sequence
from itertools import cycle, pairwise
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from nmlopt.backend import Trace
from nmlopt.experiment.currents import current
from nmlopt.experiment.model import Attached, Experiment, Output, Played, Stimulus, VoltageClamp
from nmlopt.results.model import Floats, Table

BEST, ORIGINAL, STIMULUS, WANTED, MEDIAN = "#0a6c8f", "#a8a8a8", "#54504a", "#c2410c", "#7fb3c8"
_SIDES: Any = (  # wide and pale below, narrow and dark above: the same traces still show all their colours
    ("#9fc9dc", 3.2, "-"),
    ("#c2410c", 1.4, "-"),
    ("#1f2328", 1.2, (0, (4, 3))),
    ("#1a7f4b", 1.2, (0, (1, 2))),
)
_WIDTH = 9.6
_POINTS = 3000
_STYLE: Any = {  # matplotlib types the keys of this mapping from version 3.11 on, and differently
    "svg.fonttype": "none",  # text stays text: small, sharp, in the reader's own font
    "svg.hashsalt": "nmlopt",  # the same figure gives the same bytes
    "font.family": "sans-serif",
    "font.sans-serif": ["Helvetica", "Arial", "DejaVu Sans"],
    "font.size": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#8a8a8a",
    "axes.linewidth": 0.7,
    "axes.labelcolor": "#333333",
    "xtick.color": "#555555",
    "ytick.color": "#555555",
    "lines.linewidth": 1.2,
    "legend.frameon": False,
}


def convergence(table: Table, seeds: Sequence[int]) -> str:
    """Sum of objectives over generations, one panel per seed: best so far, and the median of each generation."""
    with mpl.rc_context(_STYLE):
        figure = _figure(2.7)
        axes = np.atleast_1d(figure.subplots(1, len(seeds), sharey=True))
        for panel, seed in zip(axes, seeds, strict=True):
            generations, best, median = history(table, seed)
            panel.step(generations, best, where="post", color=BEST, label="best so far", linewidth=1.6)
            panel.plot(generations, median, color=MEDIAN, label="median of the generation")
            panel.set_title(f"seed {seed}", loc="left", fontsize=9)
            panel.set_xlabel("generation")
            panel.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
            panel.grid(axis="y", color="#e6e6e6", linewidth=0.6)
            panel.plot(generations[-1:], best[-1:], "o", color=BEST, markersize=3.5)
        _logarithmic(axes)
        axes[0].set_ylabel("sum of objectives (sd)")
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper right", fontsize=8, ncols=2)
        return _uri(figure)


def history(table: Table, seed: int) -> tuple[Floats, Floats, Floats]:
    """Generations of a seed, best sum up to each, median sum of each (nan where no candidate ran to its end)."""
    mine = table.seeds == seed
    generations = np.unique(table.generations[mine])
    sums = np.where(table.ok, table.objectives.sum(axis=1), np.nan)
    rows = [sums[mine & (table.generations == g)] for g in generations]
    good = [row[np.isfinite(row)] for row in rows]
    least = np.array([row.min() if len(row) else np.inf for row in good])
    best = np.minimum.accumulate(least) if len(least) else least
    median = np.array([np.median(row) if len(row) else np.nan for row in good])
    return generations.astype(float), np.where(np.isfinite(best), best, np.nan), median


def traces(
    experiment: Experiment,
    best: Mapping[tuple[str, str], Trace],
    original: Mapping[tuple[str, str], Trace],
    wanted: Mapping[tuple[str, str], Trace],
    spikes_ms: Mapping[tuple[str, str], Sequence[float]],
) -> str:
    """All recordings of one protocol, one under the other, and its stimulus below.

    The mappings are by (protocol id, recording id): of the best solution, of the original model, wanted traces and
    wanted spike times; all but the first may be empty.
    """
    with mpl.rc_context(_STYLE):
        outputs = experiment.outputs
        currents = [s for s in experiment.stimuli if not isinstance(s, VoltageClamp | Attached)]
        clamps = [s for s in experiment.stimuli if isinstance(s, VoltageClamp)]
        heights = [2.0] * len(outputs) + [0.7] * (bool(currents) + bool(clamps))
        figure = _figure(sum(heights) + 0.5)
        panels = np.atleast_1d(figure.subplots(len(heights), 1, sharex=True, height_ratios=heights))
        for panel, output in zip(panels, outputs, strict=False):
            key = (experiment.id, output.id)
            _recording(panel, output, best.get(key), original.get(key), wanted.get(key))
            _spikes(panel, spikes_ms.get(key, ()))
        rest = iter(panels[len(outputs) :])
        if currents:
            _currents(next(rest), currents, experiment.duration_ms)
        if clamps:
            _clamps(next(rest), clamps, experiment.duration_ms)
        panels[0].set_xlim(0.0, experiment.duration_ms)
        panels[-1].set_xlabel("time (ms)")
        if len(panels[0].get_legend_handles_labels()[0]) > 1:
            panels[0].legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), fontsize=8, ncols=4, borderaxespad=0.2)
        figure.align_ylabels()
        return _uri(figure)


def overlaid(experiment: Experiment, sides: Mapping[str, Mapping[tuple[str, str], Trace]]) -> str:
    """The recordings of one protocol on several backends, by name, each drawn over the last, and the stimulus below."""
    with mpl.rc_context(_STYLE):
        outputs = experiment.outputs
        currents = [s for s in experiment.stimuli if not isinstance(s, VoltageClamp | Attached)]
        heights = [2.0] * len(outputs) + [0.7] * bool(currents)
        figure = _figure(sum(heights) + 0.5)
        panels = np.atleast_1d(figure.subplots(len(heights), 1, sharex=True, height_ratios=heights))
        for panel, output in zip(panels, outputs, strict=False):
            for (name, traces), (colour, width, dashes) in zip(sides.items(), cycle(_SIDES), strict=False):
                trace = traces.get((experiment.id, output.id))
                if trace is not None and len(trace.t_ms):
                    panel.plot(*thinned(trace), color=colour, linewidth=width, linestyle=dashes, label=name)
            panel.set_ylabel(_label(output))
            panel.grid(axis="y", color="#eeeeee", linewidth=0.6)
        if currents:
            _currents(panels[-1], currents, experiment.duration_ms)
        panels[0].set_xlim(0.0, experiment.duration_ms)
        panels[-1].set_xlabel("time (ms)")
        panels[0].legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), fontsize=8, ncols=4, borderaxespad=0.2)
        figure.align_ylabels()
        return _uri(figure)


def thinned(trace: Trace, points: int = _POINTS) -> tuple[Floats, Floats]:
    """At most about `points` samples that look the same: first, least, greatest and last of each stretch."""
    n = len(trace.t_ms)
    if n <= points:
        return trace.t_ms, trace.y
    edges = np.linspace(0, n, points // 4 + 1).astype(int)
    kept: set[int] = {n - 1}
    for start, end in pairwise(edges.tolist()):
        part = trace.y[start:end]
        if len(part):
            kept.update((start, start + int(np.argmin(part)), start + int(np.argmax(part)), end - 1))
    index = np.array(sorted(kept))
    return trace.t_ms[index], trace.y[index]


def _recording(panel: Axes, output: Output, best: Trace | None, original: Trace | None, wanted: Trace | None) -> None:
    rows = (
        (original, ORIGINAL, "original model", 1.0),
        (wanted, WANTED, "wanted", 1.2),
        (best, BEST, "solution 01", 1.2),
    )
    for trace, colour, label, width in rows:
        if trace is not None and len(trace.t_ms):
            panel.plot(*thinned(trace), color=colour, label=label, linewidth=width)
    panel.set_ylabel(_label(output))
    panel.grid(axis="y", color="#eeeeee", linewidth=0.6)


def _label(output: Output) -> str:
    units = {"v": "mV", "i_clamp": "nA"}
    name = {"v": "V", "i_clamp": "I"}.get(output.variable, output.variable)
    return f"{output.id}\n{name} ({units.get(output.variable, 'SI')})"


def _spikes(panel: Axes, times: Sequence[float]) -> None:
    if times:
        height = panel.get_ylim()[1]
        panel.plot(times, [height] * len(times), "|", color=WANTED, markersize=7, label="wanted spikes")


def _currents(panel: Axes, stimuli: Sequence[Stimulus], duration_ms: float) -> None:
    edges = np.array([t for s in stimuli for t in _edges(s)])
    times = np.concatenate([np.linspace(0.0, duration_ms, 800), edges, np.nextafter(edges, -np.inf)])
    times = np.unique(times[(times >= 0) & (times <= duration_ms)])
    total = np.sum([current(s, times) for s in stimuli], axis=0)
    panel.plot(times, total, color=STIMULUS, linewidth=1.0)
    panel.set_ylabel("stimulus\n(nA)")
    panel.yaxis.set_major_locator(MaxNLocator(nbins=3))


def _edges(stimulus: Stimulus) -> tuple[float, ...]:
    if isinstance(stimulus, Played):
        return stimulus.times_ms
    if isinstance(stimulus, VoltageClamp | Attached):
        return ()
    return (stimulus.delay_ms, stimulus.delay_ms + stimulus.duration_ms)


def _clamps(panel: Axes, clamps: Sequence[VoltageClamp], duration_ms: float) -> None:
    for clamp in clamps:
        ends = np.cumsum([0.0, *(duration for duration, _ in clamp.levels)])
        panel.stairs([target for _, target in clamp.levels], ends, baseline=None, color=STIMULUS)
    panel.set_ylabel("clamp\n(mV)")
    panel.yaxis.set_major_locator(MaxNLocator(nbins=3))
    panel.set_xlim(0.0, duration_ms)


def _logarithmic(axes: Iterable[Axes]) -> None:
    """A logarithmic scale where the sums span more than one decade."""
    values = np.concatenate([np.asarray(line.get_ydata(), dtype=float) for a in axes for line in a.lines])
    values = values[np.isfinite(values)]
    if len(values) and values.min() > 0 and values.max() > 10.0 * values.min():
        for panel in axes:
            panel.set_yscale("log")


def _figure(height: float) -> Figure:
    figure = Figure(figsize=(_WIDTH, height), layout="constrained")
    FigureCanvasSVG(figure)
    return figure


def _uri(figure: Figure) -> str:
    stream = io.BytesIO()
    figure.savefig(stream, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return "data:image/svg+xml;base64," + base64.b64encode(stream.getvalue()).decode("ascii")
