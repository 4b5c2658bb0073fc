"""The error of a search's scores, estimated while it runs: some candidates are scored at a tighter setting, too.

Nothing of the search depends on it (performance study, section 8): the candidates are drawn by a stream of random
numbers of its own, and what is found is stored and told, never given to the algorithm.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from nmlopt.api.searching import Machine
from nmlopt.api.tighter import at_tighter, scored_again
from nmlopt.errors import NmloptError
from nmlopt.evaluate.model import Problem
from nmlopt.results.error_estimate import ErrorEstimate
from nmlopt.results.model import Table
from nmlopt.results.rescored import TIGHT
from nmlopt.results.rescored_rows import Row
from nmlopt.results.store import RunStore
from nmlopt.results.summary import estimated

EVERY: Final = 10
"""Generations from one estimate to the next."""
SHARE: Final = 0.03
"""Of the candidates since the last estimate, drawn by lot."""
BEST: Final = 5
"""Best sums, beside these."""
_STREAM: Final = 0x6572726F
"""Keeps the lots apart from all random numbers of a search, which come of its seed, too."""

OnEstimate = Callable[[ErrorEstimate], None]
AfterGeneration = Callable[[int, int], None]
"""Told the seed and the number of a generation that is stored."""


def estimator(store: RunStore, problem: Problem, machine: Machine, on_estimate: OnEstimate) -> AfterGeneration:
    """What scores candidates again after every tenth generation, once each, and tells what comes out.

    What cannot be compiled at the tighter setting is left out here; scoring again at the end says why.
    """
    tight: list[Problem] = []

    def after(seed: int, generation: int) -> None:
        if generation == 0 or generation % EVERY:
            return
        done = {row.number: row for row in store.rescored() if row.rescored.role == TIGHT}
        asked = drawn(store.table(), seed, generation)
        left = {number: why for number, why in asked.items() if number not in done}
        if not left:
            return
        try:
            if not tight:
                tight.append(at_tighter(problem))
            x = np.array([store.evaluation(number).evaluation.x for number in left])
            found = [each for part in scored_again(tight[0], TIGHT, x, machine) for each in part]
        except NmloptError:
            return
        rows = zip(left.items(), found, strict=True)
        store.keep_rescored([Row(number, each, why, generation) for (number, why), each in rows])
        outcome = estimated(store)
        if outcome is not None:
            on_estimate(outcome)

    return after


def drawn(table: Table, seed: int, generation: int) -> dict[int, str]:
    """The numbers of the evaluations that are scored again after a generation, with why: 'best' or 'random'.

    The best sums so far, and a share of those that ran to their end since the last time, by lot.
    """
    mine = (table.seeds == seed) & (table.generations <= generation) & table.ok
    rows = np.flatnonzero(mine)
    sums = table.objectives[rows].sum(axis=1)
    _, first = np.unique(table.x[rows], axis=0, return_index=True)
    order = sorted(first, key=lambda place: (sums[place], place))
    best = {int(table.numbers[rows[place]]): "best" for place in order[:BEST]}
    recent = np.flatnonzero(mine & (table.generations > generation - EVERY))
    count = int(np.ceil(SHARE * len(recent)))
    lots = np.random.default_rng([_STREAM, seed, generation]).choice(recent, size=count, replace=False)
    return {**{int(table.numbers[row]): "random" for row in sorted(lots)}, **best}
