"""A trace as eFEL sees it: its spikes, the minima after them, where they begin and end, as indices on eFEL's grid.

The rules are those of eFEL 5.7 (https://github.com/BlueBrain/eFEL, SpikeEvent, SpikeShape), written anew on arrays.
eFEL interpolates the trace again before every feature, which moves values by units in the last place. So wherever an
index would depend on less than NOISE, it raises `Doubt`: eFEL is to be asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
import numpy.typing as npt

from nmlopt.backend import Floats
from nmlopt.features.fast_grid import Doubt, Grid, Indices

NOISE = 1e-12
"""What repeated interpolation may do to a value, as a share of the largest of the trace: far more than it does."""

Flags = npt.NDArray[np.bool_]

NONE: Indices = np.empty(0, dtype=np.intp)


class Missing(Exception):
    """eFEL finds no value for this feature."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Those of eFEL's settings that the fast features follow, and the window of the stimulus in ms."""

    threshold: float
    down_slope: float
    up_slope: float
    slope_window: int
    strict: bool
    base_from: float
    base_to: float
    precision: float
    slow_ahp_ms: float
    ignore_first: bool
    skip_share: float
    skip_most: int
    initial_share: float


@final
class FastTrace:
    """A trace on its grid, with a stimulus from `start_ms` to `end_ms`; all is computed when first asked for."""

    def __init__(self, grid: Grid, start_ms: float, end_ms: float, rules: Rules, stimulus_nA: float | None) -> None:
        self.grid, self.t, self.v = grid, grid.t, grid.v
        self.start_ms, self.end_ms = start_ms, end_ms
        self.rules = rules
        self.stimulus_nA = stimulus_nA
        self.n = len(grid.v)

    @cached_property
    def noise(self) -> float:
        """Differences below this decide nothing."""
        return NOISE * max(float(self.v.max()), -float(self.v.min()), 1e-300)

    def first_at(self, time_ms: float) -> int:
        """Index of the first point at or after that time; n if there is none."""
        return int(self.t.searchsorted(time_ms, side="left"))

    def first_after(self, time_ms: float) -> int:
        """Index of the first point after that time; n if there is none."""
        return int(self.t.searchsorted(time_ms, side="right"))

    @cached_property
    def start(self) -> int:
        """Index of the begin of the stimulus."""
        return self.first_at(self.start_ms)

    # ------------------------------------------------------------------------------------------------ spikes

    @cached_property
    def crossings(self) -> tuple[Indices, Indices]:
        """First points above the threshold and first points below again; a trace may begin with the latter."""
        above = is_above(self.v, self.rules.threshold, self.noise)
        changes = np.flatnonzero(above[1:] != above[:-1]) + 1
        late = 1 if above[0] else 0
        return changes[late::2], changes[1 - late :: 2]

    @cached_property
    def peaks(self) -> Indices:
        """The largest point of each crossing that comes down again; none where eFEL finds none."""
        up, down = self.crossings
        if not len(up) or not len(down):
            return NONE
        down = down[down > up[0]]
        up = up[: len(down)]
        if not len(up):
            return NONE
        found = only_lowest(-self.v, up, down + 1, self.noise)
        if self.rules.strict:
            times = self.t[found]
            found = found[(times >= self.start_ms) & (times <= self.end_ms)]
        return found

    @cached_property
    def peak_times(self) -> Floats:
        """In ms."""
        return self.t[self.peaks]

    @cached_property
    def peak_values(self) -> Floats:
        """Values at the peaks."""
        return self.v[self.peaks]

    @cached_property
    def minima(self) -> Indices:
        """After each peak the first point with two points after it that are not lower, before the next peak or the end.

        Where there is none, the lowest point; it is left out where the trace (the stimulus, in strict intervals) ends.
        """
        peaks = self.peaks
        if not len(peaks):
            return NONE
        end = self.first_at(self.end_ms) if self.rules.strict else self.n
        ends = np.append(peaks[1:], end)
        if (ends <= peaks).any():
            raise Doubt
        found = self._turns(peaks, ends)
        lost = found < 0
        if lost.any():
            found[lost] = only_lowest(self.v, peaks[lost], ends[lost], self.noise)
        return np.asarray(found[found != end - 1])

    def _turns(self, peaks: Indices, ends: Indices) -> Indices:
        """The first such points within [peak, end); -1 where there is none."""
        first = int(peaks[0])
        v = self.v[first : int(ends[-1])]
        rise = np.minimum(v[1:-1], v[2:]) - v[:-2]
        turns = rise > -self.noise
        stretches = zip((peaks - first).tolist(), (ends - first - 2).tolist(), strict=True)
        found = np.array([_first(turns, begin, end) for begin, end in stretches], dtype=np.intp)
        if (rise[found[found >= 0]] <= self.noise).any():
            raise Doubt
        return np.where(found < 0, -1, found + first)

    # ------------------------------------------------------------------------------------------------ their slopes

    @cached_property
    def slopes(self) -> Floats:
        """Of the trace, per ms (n,)."""
        return self.grid.slopes()

    @cached_property
    def slope_noise(self) -> float:
        """Differences of slopes below this decide nothing."""
        return 2.0 * self.noise / self.grid.step_ms

    @cached_property
    def stimulated_peaks(self) -> Indices:
        """Peaks after the begin of the stimulus."""
        return self.peaks[self.peaks > self.start]

    @cached_property
    def begins(self) -> Indices:
        """Where each peak after the begin of the stimulus begins: the last place before it at which the slope rises
        over its threshold for `slope_window` points, not before the last minimum; a peak without one is left out."""
        peaks = self.stimulated_peaks
        first = max(self.start - 2, 0)
        lows = np.append(first, self.minima[self.minima > self.start])
        if len(lows) < len(peaks):
            raise Missing
        if not len(peaks):
            return NONE
        window = self.rules.slope_window
        lows = lows[: len(peaks)]
        if (lows >= peaks).any() or peaks[-1] >= self.n - window:
            raise Doubt
        flat = ~is_above(self.slopes, self.rules.up_slope, self.slope_noise)
        steep = flat[:-window].copy()
        for k in range(1, window + 1):
            steep &= ~flat[k : len(flat) - window + k]
        starts = np.flatnonzero(steep) + 1
        if not len(starts):
            return NONE
        found = starts[starts.searchsorted(peaks, side="right") - 1]  # of none before it the last of all, dropped next
        return found[(found > lows) & (found <= peaks)]

    @cached_property
    def ends(self) -> Indices:
        """Where the fall after each such peak is over: the slope is back at its threshold after its steepest point."""
        begin, end = self.stimulated_peaks + 1, np.append(self.stimulated_peaks[1:], self.n - 1)
        begin, end = begin[begin < end], end[begin < end]
        if not len(begin):
            return NONE
        slow = is_above(self.slopes, self.rules.down_slope, self.slope_noise)
        steepest = self._steepest(np.flatnonzero(~slow), begin, end)
        back = np.append(np.flatnonzero(slow[1:] > slow[:-1]) + 1, self.n)
        found = np.where(slow[steepest], steepest, back[back.searchsorted(steepest)])
        return found[found < end]

    def _steepest(self, fast: Indices, begin: Indices, end: Indices) -> Indices:
        """The point of the lowest slope in each [begin, end): one of `fast`, those below a level, if there is one."""
        first, last = fast.searchsorted(begin), fast.searchsorted(end)
        found = np.empty_like(begin)
        there = first < last
        if there.any():
            found[there] = fast[only_lowest(self.slopes[fast], first[there], last[there], self.slope_noise)]
        if not there.all():
            found[~there] = only_lowest(self.slopes, begin[~there], end[~there], self.slope_noise)
        return found

    @cached_property
    def half_width_indices(self) -> tuple[Indices, Indices]:
        """The points nearest to half of the height, between begin and peak, and between peak and end.

        eFEL takes peaks, begins and ends in their order, whether they belong together or not.
        """
        begins, ends = self.begins, self.ends
        count = min(len(begins), len(self.peaks))
        if not count or not len(ends):
            raise Missing
        begins, peaks = begins[:count], self.peaks[:count]
        if len(ends) < count:
            raise Doubt
        if (peaks < begins).any():
            raise Missing
        if (peaks == begins).any() or (peaks >= ends[:count]).any():
            raise Doubt
        half = (self.v[peaks] + self.v[begins]) / 2.0
        return self._nearest(half, begins, peaks), self._nearest(half, peaks, ends[:count])

    def _nearest(self, level: Floats, begins: Indices, ends: Indices) -> Indices:
        """The point of each [begin, end) nearest to its level."""
        lengths, indices = spread(begins, ends)
        distance = np.abs(self.v[indices] - np.repeat(level, lengths))
        stops = np.cumsum(lengths)
        return indices[only_lowest(distance, stops - lengths, stops, 2.0 * self.noise)]


def is_above(values: Floats, level: float, noise: float) -> Flags:
    """Whether each value is above `level`. Raises Doubt where one is as good as on it."""
    above: Flags = values > level + noise
    if np.count_nonzero(above) != np.count_nonzero(values >= level - noise):
        raise Doubt
    return above


def _first(flags: Flags, begin: int, end: int) -> int:
    """Index of the first true one in [begin, end); -1 if there is none."""
    if begin >= end:
        return -1
    found = begin + int(flags[begin:end].argmax())
    return found if flags[found] else -1


def spread(begins: Indices, ends: Indices) -> tuple[Indices, Indices]:
    """Lengths of the stretches [begin, end), and all their indices one after another."""
    lengths = ends - begins
    offsets = np.cumsum(lengths) - lengths
    return lengths, np.arange(int(lengths.sum())) + np.repeat(begins - offsets, lengths)


def only_lowest(values: Floats, begins: Indices, ends: Indices, noise: float) -> Indices:
    """Index of the lowest value in each [begin, end), none empty. Raises Doubt where two are as good as equal."""
    if len(begins) == 1:
        first, stretch = int(begins[0]), values[int(begins[0]) : int(ends[0])]
        near = np.flatnonzero(stretch <= stretch.min() + noise) + first
    else:
        lengths, indices = spread(begins, ends)
        stretches = values[indices]
        lowest = np.minimum.reduceat(stretches, np.cumsum(lengths) - lengths)
        near = indices[stretches <= np.repeat(lowest + noise, lengths)]
    if len(near) != len(begins):
        raise Doubt
    return near
