"""What verification knows of each backend, and what it says of each pair."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, TypeAlias

from nmlopt.backend import Backend, Floats, Recordings, Settings, Trace
from nmlopt.errors import Issue
from nmlopt.experiment.model import Experiment
from nmlopt.features.plan import FeaturePlan, Key
from nmlopt.ir.model import Cell
from nmlopt.objectives.combine import Scoring
from nmlopt.spec.models import Targets
from nmlopt.verify.refine import Estimate


class Verdict(StrEnum):
    """Whether two backends say the same of one thing."""

    SAME = "same within numerical error"
    UNDECIDED = "undecided"
    """the numerical error is too large to tell; a smaller step decides"""
    DIFFERS = "differs"
    NOTHING = "nothing was compared"
    """of a whole verification only: fewer than two backends took part"""

    @staticmethod
    def worst(verdicts: Sequence[Verdict]) -> Verdict:
        """The one that counts for all of them; SAME for none."""
        order = list(Verdict)
        return max(verdicts, key=order.index, default=Verdict.SAME)


class SideStatus(StrEnum):
    """What became of one backend."""

    OK = "ok"
    REFUSED = "refused"
    """it cannot do this cell or these protocols; the issues say why"""
    MISSING = "missing"
    """the simulator or its compiler is not installed"""
    FAILED = "failed"
    """a run did not end as it should"""


@dataclass(frozen=True, slots=True)
class Subject:
    """One set of numbers of one cell under its protocols. `values` (1, n_slots), in the slots' units."""

    cell: Cell
    experiments: tuple[Experiment, ...]
    targets: Targets
    plan: FeaturePlan
    scoring: Scoring
    values: Floats


@dataclass(frozen=True, slots=True)
class Entrant:
    """A backend that is asked, with its settings; the step is that of the coarsest run."""

    backend: Backend
    settings: Settings

    @property
    def name(self) -> str:
        """The backend's name in the registry."""
        return self.backend.name


@dataclass(frozen=True, slots=True)
class Train:
    """Spikes of one recording: how many at each step, their times (ms), and what those tend to (if counts settle)."""

    counts: tuple[int, ...]
    times: Estimate | None
    spikes: tuple[Floats, ...] = ()


@dataclass(frozen=True, slots=True)
class Value:
    """The values of one target.

    `shown`: at each step as the target defines them (None: missing). `levels`: the same as read more finely.
    `readings`: what values tend to as they are read on a grid finer than the steps, on the steps, and on the target's
    own grid; None where eFEL finds nothing or their number does not settle. `estimate` is the first there is. `score`
    (sd) is of the smallest step, `score_error` (sd) the mean numerical error of the values.
    """

    shown: tuple[tuple[float, ...] | None, ...]
    levels: tuple[tuple[float, ...] | None, ...]
    readings: tuple[Estimate | None, ...]
    score: float
    score_error: float | None

    @property
    def estimate(self) -> Estimate | None:
        """The values at a step of zero as read most finely."""
        return next((found for found in self.readings if found is not None), None)


@dataclass(frozen=True, slots=True)
class Course:
    """A recording at a step of zero on the coarsest grid, spikes where the smallest step has them (`spikes`, ms).

    `play` (n,): how far it moves within the error in time. `known_ms`: until when spikes are where the error of their
    times leaves no doubt, so that traces can be aligned by them.
    """

    t_ms: Floats
    estimate: Estimate
    play: Floats
    finest: Trace
    spikes: Floats
    known_ms: float = math.inf


@dataclass(frozen=True, slots=True)
class Side:
    """All that one backend gave."""

    name: str
    version: str
    settings: Settings
    status: SideStatus
    issues: tuple[Issue, ...] = ()
    detail: str = ""
    seconds: float = 0.0
    order: float | None = None
    trains: Mapping[Key, Train] = field(default_factory=dict)
    values: Mapping[str, Value] = field(default_factory=dict)
    courses: Mapping[Key, Course] = field(default_factory=dict)
    finest: Recordings | None = None


Pair: TypeAlias = tuple[str, str]
Property: TypeAlias = Literal["", "conductance", "reversal", "form", "capacitance", "axial", "stimulus"]
FindingKind: TypeAlias = Literal["start", "rate", "current", "departure"]


@dataclass(frozen=True, slots=True)
class TargetComparison:
    """One target on two backends: difference of the values and numerical error of both, in sd (None: no number)."""

    target: str
    pair: Pair
    difference_sd: float | None
    error_sd: float | None
    verdict: Verdict
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SpikeComparison:
    """The spikes of one recording on two backends: the largest difference of a spike's time, and the error there."""

    key: Key
    pair: Pair
    counts: tuple[int, int]
    difference_ms: float | None
    error_ms: float | None
    verdict: Verdict
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TraceComparison:
    """One recording on two backends: the largest difference, when, what is allowed there, and the first beyond that."""

    key: Key
    pair: Pair
    difference: float
    at_ms: float
    allowed: float
    verdict: Verdict
    first_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """What makes a difference, as far as it can be told.

    `backend` departs from what the document's equations give ('' where only two backends are compared). `kind` is
    'start', 'rate', 'current' or 'departure'; `mechanism`, `placement`, `quantity` by their names in the document;
    `regions` are the segment groups that hold the place. `expected` is the equations' number, `found` that of each
    backend, `factor` found / expected of the culprit where that makes sense. `weight` orders findings. `property`: of a
    current, what is wrong about it ('conductance', 'reversal', 'form', 'capacitance', 'axial', 'stimulus').
    """

    kind: FindingKind
    backend: str
    mechanism: str
    placement: str
    quantity: str
    protocol: str
    compartment: int
    segment: int | None
    regions: tuple[str, ...]
    at_ms: float
    v_mV: float | None
    expected: float | None
    found: Mapping[str, float]
    factor: float | None
    weight: float
    text: str
    property: Property = ""
    ion: str = ""
    is_pool: bool = False
    share: float = 0.0


@dataclass(frozen=True, slots=True)
class Verification:
    """The outcome."""

    subject: Subject
    sides: tuple[Side, ...]
    targets: tuple[TargetComparison, ...]
    spikes: tuple[SpikeComparison, ...]
    traces: tuple[TraceComparison, ...]
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def compared(self) -> tuple[Side, ...]:
        """The backends that took part in comparisons: they ran, or should have."""
        return tuple(s for s in self.sides if s.status in (SideStatus.OK, SideStatus.FAILED))

    @property
    def verdict(self) -> Verdict:
        """Of everything."""
        if len(self.compared) < 2:
            return Verdict.NOTHING
        if any(s.status is SideStatus.FAILED for s in self.sides):
            return Verdict.DIFFERS
        targets = [c.verdict for c in self.targets]
        return Verdict.worst([*targets, *(c.verdict for c in self.spikes), *(c.verdict for c in self.traces)])

    def target_verdict(self, target: str) -> Verdict:
        """Of one target, over all pairs."""
        return Verdict.worst([c.verdict for c in self.targets if c.target == target])
