"""Offspring from parents: simulated binary crossover and polynomial mutation, both of DEAP.

Deb & Agrawal (1995), Complex Systems 9:115 (crossover); Deb & Goyal (1996), Computer Science and Informatics 26:30
(mutation); the bounded forms are those of Deb's NSGA-II programme.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from deap import tools

from nmlopt.optimise.model import AlgorithmSettings, Floats

MAX_REDRAWS = 20  # one draw is nearly always enough; the limit is there so that the loop ends whatever eta is


@contextmanager
def lent_to_deap(rng: np.random.Generator) -> Iterator[None]:
    """Within this, the generator of the standard library's `random`, which DEAP draws from, is seeded from `rng`.

    Its state is put back at the end, so that neither side sees the other. One thread only, as the module is global.
    """
    before = random.getstate()
    random.seed(int.from_bytes(rng.bytes(32), "little"))
    try:
        yield
    finally:
        random.setstate(before)


def vary(parents: Floats, settings: AlgorithmSettings, rng: np.random.Generator) -> Floats:
    """As many offspring as `parents` (n, n_free; n even), which are mated two by two in their order.

    A gene mutates with probability `mutation_rate`. An offspring that equals a parent, another offspring or itself
    before mutation teaches nothing new and costs an evaluation: one gene of it is mutated until it is new.
    """
    children: list[list[float]] = parents.tolist()
    n_free = parents.shape[1]
    rate = 1.0 / n_free if settings.mutation_rate is None else settings.mutation_rate
    seen = {tuple(parent) for parent in children}
    with lent_to_deap(rng):
        for left, right in zip(children[::2], children[1::2], strict=True):
            if random.random() < settings.crossover_rate:
                tools.cxSimulatedBinaryBounded(left, right, settings.eta_crossover, 0.0, 1.0)
        for child in children:
            tools.mutPolynomialBounded(child, settings.eta_mutation, 0.0, 1.0, rate)
            _make_new(child, seen, settings.eta_mutation)
            seen.add(tuple(child))
    return np.array(children, dtype=np.float64)


def _make_new(child: list[float], seen: set[tuple[float, ...]], eta: float) -> None:
    """Mutate one random gene of `child`, in place, until it is not in `seen`."""
    for _ in range(MAX_REDRAWS):
        if tuple(child) not in seen:
            return
        gene = random.randrange(len(child))
        [child[gene]] = tools.mutPolynomialBounded([child[gene]], eta, 0.0, 1.0, 1.0)[0]
