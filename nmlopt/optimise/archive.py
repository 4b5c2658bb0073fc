"""Which of many evaluated candidates are worth showing: the Pareto front, and a few that represent it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from nmlopt.optimise.model import Floats


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


def farthest_first(objectives: Floats, taken: Floats) -> Iterator[int]:
    """Rows of `objectives` (n, m), each time the one that is farthest from all before and from `taken` (k, m), k > 0.

    Distances are Euclidean, objectives divided by their range (Gonzalez 1985, farthest-first traversal). Rows equal to
    one that is taken do not come up.
    """
    if len(objectives) == 0:
        return
    ranges = np.ptp(objectives, axis=0)
    width = np.where(ranges > 0.0, ranges, 1.0)
    points, others = objectives / width, taken / width
    distance = np.min([np.linalg.norm(points - other, axis=1) for other in others], axis=0)
    while distance.max() > 0.0:
        row = int(np.argmax(distance))
        yield row
        np.minimum(distance, np.linalg.norm(points - points[row], axis=1), out=distance)
