"""What makes a difference: which mechanism of which backend does not do what the document's equations say.

A backend whose trace departs has a reason at one place, and consequences everywhere. So each backend is held against
the document's equations on its own recordings, place by place: starts, rates of states, the balance of currents. What
fails there is the reason. Where nothing fails, the first quantity in which two backends part is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from nmlopt.experiment.model import Attached, Experiment, VoltageClamp
from nmlopt.verify.axial import Axial, axial
from nmlopt.verify.balance import Surroundings, missing
from nmlopt.verify.departure import first_departure
from nmlopt.verify.equations import Local, locals_at, property_at
from nmlopt.verify.findings import of_missing, of_rate, of_start, place_of
from nmlopt.verify.model import Entrant, Finding, Side, SideStatus, Verdict, Verification
from nmlopt.verify.probes import Probed, places, probe, wanted
from nmlopt.verify.rates import drive_of, frame, rates, starts
from nmlopt.verify.refine import steps_ms
from nmlopt.verify.run import OnStep, Step
from nmlopt.verify.spikes import edges

_MARGIN_MS = 50.0
"""How long after the first difference a protocol is followed at least."""
_MOST_SAMPLES = 60_000
"""How long it is followed otherwise, in smallest steps."""
_LASTS = 0.7
"""What halving the step makes smaller than this is an error of the method; it would be a half."""
MOST_FINDINGS = 5


def explained(found: Verification, entrants: Sequence[Entrant], on_step: OnStep = lambda _: None) -> Verification:
    """The verification with its findings, where something differs."""
    experiment = _to_look_at(found)
    if experiment is None:
        return found
    try:
        return _explained(found, experiment, entrants, on_step)
    except (ArithmeticError, LookupError, ValueError) as error:  # odd numbers or names: the verdict stands
        note = f"what makes the difference could not be worked out ({type(error).__name__}: {error})"
        return replace(found, notes=(*found.notes, note))


def _explained(
    found: Verification, experiment: Experiment, entrants: Sequence[Entrant], on_step: OnStep
) -> Verification:
    cell = found.subject.cell
    slots = [s.unit.to_si(v) for s, v in zip(cell.slots, found.subject.values[0].tolist(), strict=True)]
    at = places(cell, experiment)
    here = {k: locals_at(cell, k, slots, experiment.temperature_K) for k in at}
    joined = axial(cell, slots) if cell.geometry is not None else None
    probes = wanted(cell, experiment, at, here, joined)
    able = {s.name for s in found.sides if s.status is SideStatus.OK}
    seen: dict[str, tuple[Probed, Probed]] = {}
    asked = [e for e in entrants if e.name in able]
    for number, entrant in enumerate(asked):
        on_step(Step(number, len(asked), f"{entrant.name}: what makes the difference, protocol {experiment.id}"))
        coarse, fine = (
            probe(found.subject, entrant, experiment, probes, dt) for dt in steps_ms(entrant.settings.dt_ms)[1:]
        )
        if coarse is not None and fine is not None:
            seen[entrant.name] = (coarse, fine)
    findings: list[Finding] = []
    for name, runs in seen.items():
        told = [[*_of_backend(found, name, run, experiment, at, here, joined, slots)] for run in runs]
        findings += _lasting(*told)
    findings = _ranked(findings)
    departure = first_departure(found, experiment, seen)
    notes = () if findings else (_nothing(seen, at, experiment),)
    return replace(found, findings=(*findings[:MOST_FINDINGS], *departure), notes=(*found.notes, *notes))


def _to_look_at(found: Verification) -> Experiment | None:
    """Of the protocols with a difference that in which the voltage moves most; None where all is the same.

    At rest all currents look alike; in a spike each has a shape of its own.
    """
    if found.verdict is not Verdict.DIFFERS:
        return None
    whole = {e.id: e for e in found.subject.experiments}
    placed = {t.id: t.protocol for t in found.subject.targets.targets}
    first: dict[str, float] = {}
    for trace in found.traces:
        if trace.first_ms is not None:
            first[trace.key[0]] = min(trace.first_ms, first.get(trace.key[0], trace.first_ms))
    differing = {
        **first,
        **{s.key[0]: first.get(s.key[0], 0.0) for s in found.spikes if s.verdict is Verdict.DIFFERS},
        **{placed[t.target]: first.get(placed[t.target], 0.0) for t in found.targets if t.verdict is Verdict.DIFFERS},
    }
    ran = [s for s in found.sides if s.finest is not None]
    if not differing or not ran:
        return None
    protocol = max(differing, key=lambda name: _range(ran[0], name))
    step_ms = steps_ms(ran[0].settings.dt_ms)[-1]
    end = min(whole[protocol].duration_ms, max(first.get(protocol, 0.0) + _MARGIN_MS, _MOST_SAMPLES * step_ms))
    return replace(whole[protocol], duration_ms=end)


def _range(side: Side, protocol: str) -> float:
    assert side.finest is not None  # asked of backends that ran only
    return max((float(np.ptp(t.y)) for (name, _), t in side.finest.traces.items() if name == protocol), default=0.0)


def _of_backend(
    found: Verification,
    name: str,
    seen: Probed,
    experiment: Experiment,
    at: Sequence[int],
    here: dict[int, tuple[Local, ...]],
    joined: Axial | None,
    slots: Sequence[float],
) -> Iterator[Finding]:
    """Everything in which one backend leaves the equations."""
    cell = found.subject.cell
    for k in at:
        made = frame(cell, here[k], k, experiment, seen)
        if made is None:
            continue
        place = place_of(cell, name, experiment.id, k)
        for local, start in starts(made):
            yield of_start(place, local, start, made)
        for local, rate in rates(made):
            yield of_rate(place, local, rate, made)
        around = _surroundings(found, experiment, k, seen, joined, slots)
        rest = missing(made, around) if around is not None else None
        if rest is not None:
            yield of_missing(place, rest, made)


def _surroundings(
    found: Verification, experiment: Experiment, k: int, seen: Probed, joined: Axial | None, slots: Sequence[float]
) -> Surroundings | None:
    cell = found.subject.cell
    drive = drive_of(experiment, k, seen, 0.5)
    if joined is None or drive is None or cell.geometry is None:
        return None
    capacitance = property_at(cell.capacitance, k, slots)
    if capacitance is None:
        return None
    v = {c: values for (c, name), values in seen.values.items() if name == "v"}
    jumps = [t for s in experiment.stimuli if not isinstance(s, Attached | VoltageClamp) for t in edges(s)]
    area = cell.geometry.compartments[k].area_m2
    return Surroundings(k, capacitance * area, 1e-9 * drive, joined, v, np.array(jumps))


def _lasting(coarse: Sequence[Finding], fine: Sequence[Finding]) -> list[Finding]:
    """The findings that do not shrink with the step: what does is the method's own error, as of gates a step late."""
    before = {(f.kind, f.quantity, f.compartment): f.share for f in coarse}
    return [f for f in fine if f.share >= _LASTS * before.get((f.kind, f.quantity, f.compartment), 0.0)]


def _ranked(findings: Sequence[Finding]) -> list[Finding]:
    """One finding per backend and quantity, most telling first.

    A pool whose currents are wrong moves otherwise than by the equations, and is not to blame; a start that is wrong is
    told before the rate that goes with it.
    """
    fed = {(f.backend, f.ion) for f in findings if f.kind == "current" and f.ion}
    kept: dict[tuple[str, str, str], Finding] = {}
    for finding in sorted(findings, key=lambda f: -f.weight):
        if finding.kind == "rate" and finding.is_pool and (finding.backend, finding.ion) in fed:
            continue
        kept.setdefault((finding.backend, finding.mechanism, finding.quantity), finding)
    return list(kept.values())


def _nothing(seen: dict[str, tuple[Probed, Probed]], at: Sequence[int], experiment: Experiment) -> str:
    if not seen:
        return f"what makes the difference is not known: no backend can record its states in protocol {experiment.id}"
    return (
        f"in protocol {experiment.id}, {' and '.join(seen)} follow the document's equations wherever it was looked "
        f"({len(at)} compartments): the difference lies elsewhere"
    )
