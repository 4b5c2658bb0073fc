"""What is learnt from a candidate, and all that a worker needs to learn it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from nmlopt.backend import Backend, Program, RunStatus
from nmlopt.experiment.model import Experiment
from nmlopt.experiment.parameters import Parameters
from nmlopt.features.plan import FeaturePlan, sampled_for
from nmlopt.objectives.combine import Scoring, make_scoring
from nmlopt.spec.models import Targets


@dataclass(frozen=True, slots=True)
class Problem:
    """A fit without its algorithm; picklable, sent once to each worker process.

    `experiments` are in the order of `targets.protocols`; `plan` says what is extracted from their recordings;
    `scoring`, made from `targets`, how it is judged. `sampled`: what the plan reads of the experiments, with as few
    samples as it needs.
    """

    backend: Backend
    program: Program
    experiments: tuple[Experiment, ...]
    parameters: Parameters
    targets: Targets
    plan: FeaturePlan
    scoring: Scoring = field(init=False)
    sampled: tuple[Experiment, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "scoring", make_scoring(self.targets))  # the one way to set a field of a frozen class
        object.__setattr__(self, "sampled", sampled_for(self.plan, self.experiments))

    @property
    def objective_ids(self) -> tuple[str, ...]:
        """Names of the objectives, in the order of `Evaluation.objectives`."""
        return tuple(group.id for group in self.scoring.groups)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All that was learnt from one candidate.

    `x`: values of the free parameters in their units. `features`: the values found per target id (a missing feature has
    no entry). `scores`: raw score per target id, in sd, validation targets included (missing: the cap).
    `objectives`: what is minimised, each in [0, cap]. `cpu_s`: CPU seconds of the worker.
    """

    x: tuple[float, ...]
    status: RunStatus
    features: Mapping[str, tuple[float, ...]]
    scores: Mapping[str, float]
    objectives: tuple[float, ...]
    cpu_s: float
    detail: str = ""

    @property
    def total(self) -> float:
        """Sum of the objectives: what 'best' means where one number is needed."""
        return sum(self.objectives)
