"""What an evolutionary search may be told, checked at once."""

from __future__ import annotations

from collections.abc import Iterator

from nmlopt.errors import Issue, UsageError, raise_errors
from nmlopt.optimise.model import AlgorithmSettings
from nmlopt.optimise.sampling import sampling_names

MIN_OFFSPRING = 4  # two pairs: the least for which a tournament chooses anything
MIN_KAPPA = 0.005  # exp(1 / kappa) is the largest term of IBEA's fitness: below this it leaves the range of a double


def check(settings: AlgorithmSettings) -> None:
    """Raise `UsageError` (C101...C107) with everything that is wrong with `settings`."""
    raise_errors(_faults(settings), UsageError)


def check_seed(seed: int) -> None:
    """Raise `UsageError` C107 for a seed that is no seed."""
    if seed < 0:
        raise UsageError(Issue("C107", f"the seed is {seed}, but must be 0 or more", "seed", "such as 1"))


def _faults(settings: AlgorithmSettings) -> Iterator[Issue]:
    size = settings.offspring
    if size < MIN_OFFSPRING or size % 2:
        hint = f"for example {max(MIN_OFFSPRING, size + size % 2)}"
        message = f"the number of offspring is {size}, but must be even and at least {MIN_OFFSPRING}"
        yield Issue("C101", message, "offspring", hint)
    if not 0.0 <= settings.crossover_rate <= 1.0:
        yield Issue("C102", f"the crossover rate {settings.crossover_rate} is not in [0, 1]", "crossover_rate")
    if settings.mutation_rate is not None and not 0.0 <= settings.mutation_rate <= 1.0:
        hint = "leave it out for one mutated number per offspring on average"
        yield Issue("C103", f"the mutation rate {settings.mutation_rate} is not in [0, 1]", "mutation_rate", hint)
    for name, eta in (("eta_crossover", settings.eta_crossover), ("eta_mutation", settings.eta_mutation)):
        if not 0.0 <= eta <= 1000.0:
            hint = "usual are 5 to 30; larger keeps offspring closer to their parents"
            yield Issue("C104", f"{name} is {eta}, but must be in [0, 1000]", name, hint)
    if not MIN_KAPPA <= settings.kappa <= 10.0:
        hint = "0.05 is what Zitzler & Künzli (2004) use"
        yield Issue("C105", f"kappa is {settings.kappa}, but must be in [{MIN_KAPPA}, 10]", "kappa", hint)
    if settings.sampling not in sampling_names():
        hint = "one of " + ", ".join(sampling_names())
        yield Issue("C106", f"no sampling is called '{settings.sampling}'", "sampling", hint)
