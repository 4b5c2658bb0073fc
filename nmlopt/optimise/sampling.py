"""Start populations: points spread over the unit cube, beside those that are given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from scipy.stats import qmc

from nmlopt.optimise.model import Floats


def _latin_hypercube(count: int, n_free: int, rng: np.random.Generator) -> Floats:
    """One point in each of `count` equal slices of every axis (McKay, Beckman & Conover 1979)."""
    return np.asarray(qmc.LatinHypercube(n_free, seed=rng).random(count), dtype=np.float64)


def _sobol(count: int, n_free: int, rng: np.random.Generator) -> Floats:
    """The first `count` points of a scrambled Sobol sequence (Owen 1998); balanced where `count` is a power of two."""
    points = qmc.Sobol(n_free, scramble=True, seed=rng).random_base2((count - 1).bit_length())
    return np.asarray(points[:count], dtype=np.float64)


_SAMPLINGS: Mapping[str, Callable[[int, int, np.random.Generator], Floats]] = MappingProxyType(
    {"lhs": _latin_hypercube, "sobol": _sobol}
)


def sampling_names() -> tuple[str, ...]:
    """Names that `sample` knows."""
    return tuple(_SAMPLINGS)


def sample(name: str, count: int, *, first: Floats, rng: np.random.Generator) -> Floats:
    """`count` points (count, n_free) in [0, 1]: `first` (k, n_free), in their order, then sampled ones.

    All of `first` are kept, also where they are more than `count`.
    """
    missing = count - len(first)
    if missing <= 0:
        return np.array(first, dtype=np.float64)
    return np.concatenate([first, _SAMPLINGS[name](missing, first.shape[1], rng)])
