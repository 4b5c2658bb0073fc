"""Which of many evaluated candidates are worth showing: the Pareto front, and a few that represent it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nmlopt.optimise.model import Floats, Indices


def pareto_front(objectives: Floats) -> npt.NDArray[np.bool_]:
    """Whether each row of `objectives` (n, m) is dominated by no other (n,); equal rows do not dominate each other.

    The row of the least sum is always in it. At most n²m comparisons, in rows of numpy.
    """
    distinct, which = np.unique(objectives, axis=0, return_inverse=True)
    # A dominating row has no larger sum and, where rounding makes the sums equal, comes earlier in the order of
    # np.unique: so each row need be compared with the front before it only.
    order = np.argsort(distinct.sum(axis=1), kind="stable")
    front = np.empty_like(distinct)
    kept = np.zeros(len(distinct), dtype=np.bool_)
    size = 0
    for row in order:
        if not np.any(np.all(front[:size] <= distinct[row], axis=1)):
            front[size] = distinct[row]
            size += 1
            kept[row] = True
    return kept[which.reshape(-1)]


def thin(objectives: Floats, count: int) -> Indices:
    """At most `count` rows of `objectives` (n, m) that represent all: the least sum first, then the most different.

    Each next row has the largest distance to the nearest one taken, objectives divided by their range (Gonzalez 1985,
    farthest-first traversal). Rows equal to one that is taken are not taken.
    """
    if len(objectives) == 0 or count <= 0:
        return np.empty(0, dtype=np.intp)
    ranges = np.ptp(objectives, axis=0)
    scaled = objectives / np.where(ranges > 0.0, ranges, 1.0)
    taken = [int(np.argmin(objectives.sum(axis=1)))]
    distance = np.linalg.norm(scaled - scaled[taken[0]], axis=1)
    while len(taken) < count and distance.max() > 0.0:
        taken.append(int(np.argmax(distance)))
        np.minimum(distance, np.linalg.norm(scaled - scaled[taken[-1]], axis=1), out=distance)
    return np.array(taken, dtype=np.intp)
