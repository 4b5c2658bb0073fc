"""The outcome of a verification as one JSON document: what `nmlopt verify --json` prints and programs rely on."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from nmlopt.verify import tolerances
from nmlopt.verify.model import Finding, Side, SideStatus, Verdict, Verification
from nmlopt.verify.refine import steps_ms

FORMAT = "nmlopt-verification"
VERSION = "1.0"

VerdictText = Literal["same within numerical error", "undecided", "differs", "nothing was compared"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class IssuePart(_Part):
    """Why a backend cannot take part."""

    code: str
    message: str
    where: str
    hint: str


class BackendPart(_Part):
    """One backend."""

    name: str
    version: str = Field(description="empty where the simulator is missing")
    status: Literal["ok", "refused", "missing", "failed"]
    numerics: str
    integrator: str
    dt_ms: tuple[float, ...] = Field(description="the steps of the runs, coarsest first")
    order: float | None = Field(description="order of convergence seen over all recordings; null where steps jump")
    seconds: float
    issues: tuple[IssuePart, ...]
    detail: str


class ValuePart(_Part):
    """A target on one backend."""

    values: tuple[float, ...] | None = Field(description="at the smallest step, as the target defines them")
    score: float | None = Field(description="of these, in sd")
    extrapolated: tuple[float, ...] | None = Field(description="at a step of zero, read on a finer grid")
    error_sd: float | None = Field(description="bound of the numerical error of `extrapolated`, mean, in sd")


class PairPart(_Part):
    """Two backends compared: a difference and the numerical error of both together."""

    backends: tuple[str, str]
    difference: float | None
    error: float | None
    verdict: VerdictText
    reason: str


class TargetPart(_Part):
    """A target; differences and errors in sd."""

    id: str
    protocol: str
    recording: str
    verdict: VerdictText
    backends: dict[str, ValuePart]
    pairs: tuple[PairPart, ...]


class SpikesPart(_Part):
    """The spikes of a recording; differences and errors in ms, those of the worst spike."""

    protocol: str
    recording: str
    verdict: VerdictText
    times_ms: dict[str, tuple[float, ...] | None] = Field(description="at a step of zero; null where counts vary")
    errors_ms: dict[str, tuple[float, ...] | None]
    counts: dict[str, tuple[int, ...]] = Field(description="at each step, coarsest first")
    pairs: tuple[PairPart, ...]


class TracePairPart(_Part):
    """A recording on two backends, at the sample that matters most (spikes aligned), in its unit."""

    backends: tuple[str, str]
    largest_difference: float
    at_ms: float
    allowed: float = Field(description="numerical error of both at that sample, and the floor")
    first_ms: float | None = Field(description="the first sample beyond what is allowed")
    verdict: VerdictText


class TracePart(_Part):
    """A recording."""

    protocol: str
    recording: str
    variable: str
    verdict: VerdictText
    pairs: tuple[TracePairPart, ...]


class FindingPart(_Part):
    """What makes a difference; see `text`."""

    kind: Literal["start", "rate", "current", "departure"]
    backend: str = Field(description="the backend that departs from the document's equations; may be empty")
    mechanism: str
    property: Literal["", "conductance", "reversal", "form", "capacitance", "axial", "stimulus"] = Field(
        description="what is wrong about a current"
    )
    placement: str
    quantity: str = Field(description="its canonical name, '<placement>/<exposure>', or 'v'")
    protocol: str
    compartment: int
    segment: int | None
    regions: tuple[str, ...] = Field(description="segment groups that hold the place")
    at_ms: float
    v_mV: float | None
    expected: float | None = Field(description="by the document's equations, SI")
    found: dict[str, float] = Field(description="by backend, SI")
    factor: float | None = Field(description="found / expected of the culprit")
    text: str


class VerificationDocument(_Part):
    """One document on several backends."""

    format: Literal["nmlopt-verification"]
    format_version: Literal["1.0"]
    model: str
    targets_id: str
    verdict: VerdictText
    backends: tuple[BackendPart, ...]
    targets: tuple[TargetPart, ...]
    spikes: tuple[SpikesPart, ...]
    traces: tuple[TracePart, ...]
    findings: tuple[FindingPart, ...] = Field(description="most telling first")
    notes: tuple[str, ...]
    floors: dict[str, float] = Field(description="differences below these never count")


def schema() -> dict[str, Any]:
    """The JSON Schema, as shipped in schemas/v1/verification.schema.json."""
    found = VerificationDocument.model_json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:nmlopt:schema:verification:1",
        **found,
    }


def document(found: Verification, model: str) -> VerificationDocument:
    """The document of a verification of the model file of that name."""
    return VerificationDocument(
        format="nmlopt-verification",
        format_version="1.0",
        model=model,
        targets_id=found.subject.targets.id,
        verdict=found.verdict.value,
        backends=tuple(map(_backend, found.sides)),
        targets=tuple(_targets(found)),
        spikes=tuple(_spikes(found)),
        traces=tuple(_traces(found)),
        findings=tuple(map(_finding, found.findings)),
        notes=found.notes,
        floors={
            "target_sd": tolerances.SCORE_FLOOR_SD,
            "spike_ms": tolerances.SPIKE_FLOOR_MS,
            "voltage_mV": tolerances.TRACE_FLOOR_MV,
            "other_relative": tolerances.TRACE_FLOOR_RELATIVE,
        },
    )


def sentence(found: VerificationDocument) -> str:
    """The outcome in one sentence."""
    took_part = [b.name for b in found.backends if b.status in ("ok", "failed")]
    if len(took_part) < 2:
        return f"{Verdict.NOTHING}: {', '.join(f'{b.name} {b.status}' for b in found.backends)}"
    broken = [b.name for b in found.backends if b.status == "failed"]
    if broken:
        return f"{' and '.join(took_part)}: {found.verdict}; {' and '.join(broken)} failed"
    far = [t.id for t in found.targets if t.verdict == "differs"]
    unsure = [t.id for t in found.targets if t.verdict == "undecided"]
    same = len(found.targets) - len(far) - len(unsure)
    parts = [f"{' and '.join(took_part)}: {found.verdict}", f"{same} of {len(found.targets)} targets the same"]
    recordings = [f"{p.protocol}/{p.recording}" for p in found.spikes if p.verdict == "differs"]
    recordings += [f"{p.protocol}/{p.recording}" for p in found.traces if p.verdict == "differs"]
    if far:
        parts.append(f"{', '.join(far)} differ")
    elif recordings:
        parts.append(f"in {', '.join(dict.fromkeys(recordings))}")
    if unsure:
        parts.append(f"{', '.join(unsure)} undecided (a smaller --dt may decide)")
    return "; ".join(parts)


def _backend(side: Side) -> BackendPart:
    return BackendPart(
        name=side.name,
        version=side.version,
        status=side.status.value,
        numerics=str(side.settings.numerics),
        integrator=str(side.settings.integrator),
        dt_ms=steps_ms(side.settings.dt_ms),
        order=finite(side.order),
        seconds=side.seconds,
        issues=tuple(IssuePart(code=i.code, message=i.message, where=i.where, hint=i.hint) for i in side.issues),
        detail=side.detail,
    )


def _ran(found: Verification) -> list[Side]:
    return [side for side in found.sides if side.status is SideStatus.OK]


def _targets(found: Verification) -> Iterable[TargetPart]:
    for target in found.subject.targets.targets:
        mine = [c for c in found.targets if c.target == target.id]
        values = {side.name: side.values[target.id] for side in _ran(found)}
        yield TargetPart(
            id=target.id,
            protocol=target.protocol,
            recording=target.recording,
            verdict=Verdict.worst([c.verdict for c in mine]).value,
            backends={
                name: ValuePart(
                    values=v.shown[-1],
                    score=finite(v.score),
                    extrapolated=_numbers(v.estimate.value) if v.estimate is not None else None,
                    error_sd=finite(v.score_error),
                )
                for name, v in values.items()
            },
            pairs=tuple(
                PairPart(
                    backends=c.pair,
                    difference=finite(c.difference_sd),
                    error=finite(c.error_sd),
                    verdict=c.verdict.value,
                    reason=c.reason,
                )
                for c in mine
            ),
        )


def _spikes(found: Verification) -> Iterable[SpikesPart]:
    ran = _ran(found)
    for key in ran[0].trains if ran else ():
        mine = [c for c in found.spikes if c.key == key]
        trains = {side.name: side.trains[key] for side in ran}
        yield SpikesPart(
            protocol=key[0],
            recording=key[1],
            verdict=Verdict.worst([c.verdict for c in mine]).value,
            times_ms={n: None if t.times is None else _numbers(t.times.value) for n, t in trains.items()},
            errors_ms={n: None if t.times is None else _numbers(t.times.error) for n, t in trains.items()},
            counts={n: t.counts for n, t in trains.items()},
            pairs=tuple(
                PairPart(
                    backends=c.pair,
                    difference=finite(c.difference_ms),
                    error=finite(c.error_ms),
                    verdict=c.verdict.value,
                    reason=c.reason,
                )
                for c in mine
            ),
        )


def _traces(found: Verification) -> Iterable[TracePart]:
    for experiment in found.subject.experiments:
        for output in experiment.outputs:
            mine = [c for c in found.traces if c.key == (experiment.id, output.id)]
            yield TracePart(
                protocol=experiment.id,
                recording=output.id,
                variable=output.variable,
                verdict=Verdict.worst([c.verdict for c in mine]).value,
                pairs=tuple(
                    TracePairPart(
                        backends=c.pair,
                        largest_difference=c.difference,
                        at_ms=c.at_ms,
                        allowed=c.allowed,
                        first_ms=c.first_ms,
                        verdict=c.verdict.value,
                    )
                    for c in mine
                ),
            )


def _finding(f: Finding) -> FindingPart:
    return FindingPart(
        kind=f.kind,
        backend=f.backend,
        mechanism=f.mechanism,
        property=f.property,
        placement=f.placement,
        quantity=f.quantity,
        protocol=f.protocol,
        compartment=f.compartment,
        segment=f.segment,
        regions=f.regions,
        at_ms=f.at_ms,
        v_mV=finite(f.v_mV),
        expected=finite(f.expected),
        found={name: float(value) for name, value in f.found.items() if math.isfinite(value)},
        factor=finite(f.factor),
        text=f.text,
    )


def finite(value: float | None) -> float | None:
    """A number that JSON can hold, None for others."""
    return None if value is None or not math.isfinite(value) else float(value)


def _numbers(values: Sequence[float] | Any) -> tuple[float, ...] | None:
    found = tuple(float(value) for value in values)
    return found if all(map(math.isfinite, found)) else None
