"""A verification as plain rows of text, for the terminal and for the page."""

from __future__ import annotations

from dataclasses import dataclass

from nmlopt.results.verification import SpikesPart, TargetPart, TracePart, VerificationDocument
from nmlopt.results.wording import number
from nmlopt.verify.model import Verdict

_LEVELS = {
    Verdict.SAME: "same",
    Verdict.UNDECIDED: "undecided",
    Verdict.DIFFERS: "differs",
    Verdict.NOTHING: "none",
}


@dataclass(frozen=True, slots=True)
class TargetRow:
    """One target: scores by backend, the largest difference of two backends and its numerical error."""

    id: str
    place: str
    scores: tuple[str, ...]
    difference: str
    error: str
    verdict: str
    level: str
    reason: str


@dataclass(frozen=True, slots=True)
class RecordingRow:
    """One recording: its spikes and its trace."""

    place: str
    counts: str
    shift: str
    error: str
    difference: str
    allowed: str
    verdict: str
    level: str
    reason: str


def ran(found: VerificationDocument) -> tuple[str, ...]:
    """The backends that ran."""
    return tuple(b.name for b in found.backends if b.status == "ok")


def target_rows(found: VerificationDocument) -> tuple[TargetRow, ...]:
    """The targets, in the order of the file."""
    names = ran(found)
    return tuple(_target(target, names) for target in found.targets)


def recording_rows(found: VerificationDocument) -> tuple[RecordingRow, ...]:
    """The recordings, in the order of the file."""
    spikes = {(s.protocol, s.recording): s for s in found.spikes}
    return tuple(_recording(trace, spikes.get((trace.protocol, trace.recording))) for trace in found.traces)


def level(found: VerificationDocument) -> str:
    """How the page colours the outcome."""
    return {"same": "1", "undecided": "2", "differs": "over", "none": "none"}[_LEVELS[Verdict(found.verdict)]]


def _target(target: TargetPart, names: tuple[str, ...]) -> TargetRow:
    differences = [p.difference for p in target.pairs if p.difference is not None]
    errors = [p.error for p in target.pairs if p.error is not None]
    reasons = dict.fromkeys(p.reason for p in target.pairs if p.reason and p.verdict == target.verdict)
    return TargetRow(
        id=target.id,
        place=target.protocol,
        scores=tuple(number(target.backends[name].score) for name in names),
        difference=number(max(differences, default=None), 2),
        error=number(max(errors, default=None), 2),
        verdict=target.verdict,
        level=_LEVELS[Verdict(target.verdict)],
        reason="; ".join(reasons),
    )


def _recording(trace: TracePart, train: SpikesPart | None) -> RecordingRow:
    pairs = train.pairs if train is not None else ()
    worst = max((p for p in pairs if p.difference is not None), key=lambda p: p.difference or 0.0, default=None)
    far = max(trace.pairs, key=lambda p: p.largest_difference, default=None)
    counts = dict.fromkeys(c[-1] for c in train.counts.values()) if train is not None else {}
    verdict = Verdict.worst([Verdict(trace.verdict), *([Verdict(train.verdict)] if train is not None else [])])
    return RecordingRow(
        place=f"{trace.protocol}/{trace.recording}",
        counts=" / ".join(map(str, counts)) or "–",
        shift=number(worst.difference if worst else None, 2),
        error=number(worst.error if worst else None, 2),
        difference=f"{number(far.largest_difference, 2)} at {number(far.at_ms)} ms" if far else "–",
        allowed=number(far.allowed if far else None, 2),
        verdict=verdict.value,
        level=_LEVELS[verdict],
        reason="; ".join(dict.fromkeys(p.reason for p in pairs if p.reason)),
    )
