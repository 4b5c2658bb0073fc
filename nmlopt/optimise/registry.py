"""Search algorithms by name."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from types import MappingProxyType

from nmlopt.errors import Issue, UsageError
from nmlopt.optimise import ibea, nsga2
from nmlopt.optimise.generational import Generational
from nmlopt.optimise.model import Algorithm

_IBEA = Generational(
    name="ibea",
    survive=lambda objectives, count, settings: ibea.survive(objectives, count, settings.kappa),
    mate=lambda objectives, settings, rng: ibea.mate(objectives, settings.kappa, rng),
)
_NSGA2 = Generational(
    name="nsga2",
    survive=lambda objectives, count, settings: nsga2.survive(objectives, count),
    mate=lambda objectives, settings, rng: nsga2.mate(objectives, rng),
)
_ALGORITHMS: Mapping[str, Algorithm] = MappingProxyType({one.name: one for one in (_IBEA, _NSGA2)})


def algorithm_names() -> tuple[str, ...]:
    """Names that `load_algorithm` knows."""
    return tuple(_ALGORITHMS)


def load_algorithm(name: str) -> Algorithm:
    """The algorithm called `name`; `UsageError` C109 with a proposal where there is none."""
    if name in _ALGORITHMS:
        return _ALGORITHMS[name]
    close = get_close_matches(name.lower().replace("-", ""), algorithm_names(), n=1, cutoff=0.5)
    hint = f"did you mean '{close[0]}'?" if close else "one of " + ", ".join(algorithm_names())
    raise UsageError(Issue("C109", f"no algorithm is called '{name}'", "algorithm", hint))
