"""Selection of the indicator-based evolutionary algorithm IBEA with the additive epsilon indicator.

After E. Zitzler and S. Künzli (2004), Indicator-based selection in multiobjective search, PPSN VIII, LNCS 3242,
832-842: adaptive scaling of the objectives and of kappa, iterative environmental selection, binary tournaments.

Two things are decided here that the paper leaves open:

- *Scaling.* The paper divides each objective by its range in the population. A candidate that fails scores the cap
  (250 sd) where good ones score about 1: the range is then set by failures, and the differences among good candidates
  vanish. Objectives are therefore counted in units of their range in the better half of the population, linearly up to
  one unit and logarithmically beyond. The map is strictly increasing in each objective, so that dominance, and with
  it the paper's theory, stays as it is. `benchmarks/ibea_scaling.py` measures the effect.
- *Elitism.* Removing a member raises the fitness of the others, so that the member that was the best of all before the
  selection may, rarely, be removed during it. It is exempt from removal.
"""

from __future__ import annotations

import numpy as np

from nmlopt.optimise.model import Floats, Indices

MIN_SPREAD = 0.01  # of the range: where the better half agrees, its rounding errors must not outweigh other objectives


def survive(objectives: Floats, count: int, kappa: float) -> Indices:
    """Rows of `objectives` (n, m) that survive, ascending: the worst is removed until `count` are left.

    After each removal the fitness of the others is computed anew, without the removed one. Among equals the earliest
    row goes, so that a search can drift across a plateau.
    """
    terms = _loss_terms(objectives, kappa)
    loss = terms.sum(axis=0)
    removed = np.zeros(len(loss), dtype=np.bool_)
    exempt = int(np.argmin(loss))
    for _ in range(len(objectives) - count):
        spared = removed.copy()
        spared[exempt] = True
        worst = int(np.argmax(np.where(spared, -np.inf, loss)))
        removed[worst] = True
        loss -= terms[worst]
    return np.flatnonzero(~removed)


def mate(objectives: Floats, kappa: float, rng: np.random.Generator) -> Indices:
    """As many parents as rows of `objectives` (n, m): winners of tournaments of two, both drawn with replacement."""
    size = len(objectives)
    best = fitness(objectives, kappa)
    left, right = rng.integers(0, size, (2, size))
    winners: Indices = np.where(best[left] >= best[right], left, right)
    return winners


def fitness(objectives: Floats, kappa: float) -> Floats:
    """Fitness (n,) of the rows of `objectives` (n, m), larger is better.

    F(b) = sum over a != b of -exp(-I(a, b) / (c kappa)), c = max |I|: equations of sections 2.2 and 3 of the paper.
    """
    loss: Floats = _loss_terms(objectives, kappa).sum(axis=0)
    return -loss


def scaled(objectives: Floats) -> Floats:
    """`objectives` (n, m) from 0, the least of the population, up; 1 is the range of the better half of it.

    The better half has the least sums of the objectives, each divided by its range in the population. Beyond 1 a
    logarithm continues the line without a kink. An objective that is the same in all rows is 0.
    """
    above = objectives - objectives.min(axis=0)
    ranges = above.max(axis=0)
    shares = above / np.where(ranges > 0.0, ranges, 1.0)
    better = shares[np.argsort(shares.sum(axis=1), kind="stable")[: max(2, len(shares) // 2)]]
    units = shares / np.maximum(np.ptp(better, axis=0), MIN_SPREAD)
    compressed: Floats = np.where(units <= 1.0, units, 1.0 + np.log(np.maximum(units, 1.0)))
    return compressed


def epsilon_indicator(objectives: Floats) -> Floats:
    """I[a, b] (n, n): the least amount by which row a must improve in every objective to dominate row b weakly."""
    indicator = np.full((len(objectives), len(objectives)), -np.inf)
    for column in objectives.T:  # one objective at a time keeps memory at n² for any number of objectives
        np.maximum(indicator, np.subtract.outer(column, column), out=indicator)
    return indicator


def _loss_terms(objectives: Floats, kappa: float) -> Floats:
    """[a, b] (n, n): what row a takes from the fitness of row b; 0 for a == b."""
    indicator = epsilon_indicator(scaled(objectives))
    largest = np.abs(indicator).max()
    terms = np.exp(indicator / (-kappa * (largest if largest > 0.0 else 1.0)))
    np.fill_diagonal(terms, 0.0)
    return terms
