"""The files of a simulation from its recordings: tables on the row grid of jNeuroML, events, curves; all in SI."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nmlopt.backend import Floats, Trace
from nmlopt.experiment.currents import current
from nmlopt.importers.simulation_model import (
    Above,
    Constant,
    EventFile,
    Given,
    OutputFile,
    Recorded,
    Selection,
    Signal,
    Since,
    Total,
)

_WHOLE = 1e-6
_SAME = 1e-9


@dataclass(frozen=True, slots=True)
class Playback:
    """What a simulation gave: traces by (experiment id, output id), for `duration_ms`, rows every `dt_ms`."""

    traces: Mapping[tuple[str, str], Trace]
    duration_ms: float
    dt_ms: float

    def grid_ms(self) -> Floats:
        """Times of the rows: from 0 to the last whole step, both included; shape (rows,)."""
        grid: Floats = np.arange(math.floor(self.duration_ms / self.dt_ms + _WHOLE) + 1, dtype=np.float64) * self.dt_ms
        return grid

    def table(self, file: OutputFile) -> Floats:
        """Time (s) and the columns of a file in SI, shape (rows, 1 + columns)."""
        grid = self.grid_ms()
        return np.column_stack([grid / 1000.0, *(self.on_grid(c.signal, grid) for c in file.columns)])

    def on_grid(self, signal: Signal, grid_ms: Floats) -> Floats:
        """A signal in SI at the rows; between samples (variable steps) linear."""
        match signal:
            case Constant(value):
                return np.full(len(grid_ms), value)
            case Since(events_ms):
                return _since(np.asarray((0.0, *events_ms)), grid_ms)
            case Given(stimulus, factor):
                return factor * current(stimulus, grid_ms)
            case Above(of, level):
                return (np.interp(grid_ms, *self._samples(of)) > level).astype(np.float64)
            case Total(terms):
                total: Floats = np.sum([self.on_grid(term, grid_ms) for term in terms], axis=0)
                return total
            case Recorded():
                t_ms, y = self._samples(signal)
                return _scaled(np.interp(grid_ms, t_ms, y), signal.factor)

    def curve(self, signal: Signal) -> tuple[Floats, Floats]:
        """Times (ms) and SI values of a signal as the simulator gave them, also between the rows."""
        if isinstance(signal, Recorded):
            t_ms, y = self._samples(signal)
            return t_ms, _scaled(y, signal.factor)
        grid = self.grid_ms()
        return grid, self.on_grid(signal, grid)

    def events(self, file: EventFile) -> list[tuple[float, str]]:
        """Time (s) and id of every event, in the order of time."""
        found = [
            (t_ms / 1000.0, selection.id)
            for selection in file.selections
            for t_ms in self._times(selection)
            if t_ms <= self.duration_ms + _SAME
        ]
        return sorted(found, key=lambda event: event[0])

    def _samples(self, signal: Recorded) -> tuple[Floats, Floats]:
        trace = self.traces[signal.experiment, signal.output]
        return trace.t_ms, trace.y

    def _times(self, selection: Selection) -> Sequence[float]:
        """Known times, or those of the first samples that reach a level, as NEURON detects them."""
        source = selection.source
        if not isinstance(source, Above):
            return source
        t_ms, y = self._samples(source.of)
        after = np.flatnonzero((y[:-1] < source.level) & (y[1:] >= source.level)) + 1
        times: list[float] = t_ms[after].tolist()
        return times


def _scaled(values: Floats, factor: float) -> Floats:
    """SI values; millivolts are divided, as a product would round twice."""
    if factor == 1.0:
        return values
    return values / 1000.0 if factor == 1e-3 else values * factor


def _since(events_ms: Floats, grid_ms: Floats) -> Floats:
    last = np.searchsorted(events_ms, grid_ms + _SAME, side="right") - 1
    return (grid_ms - events_ms[last]) / 1000.0
