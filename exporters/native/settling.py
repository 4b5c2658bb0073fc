"""Which experiments of a candidate are the same up to some moment, so that they are run once until then.

Nothing about the numbers may change: two runs can part at a moment only where both stop there and have stopped at the
same moments before, with the same currents between them, since steps are chosen by what a step before has found and by
the next stop.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from nmlopt.experiment.model import Attached, Experiment, Played, Pulse, Ramp, Sine, Stimulus, VoltageClamp

_Current = Pulse | Ramp | Sine | Played


@dataclass(frozen=True)
class Branch:
    """An experiment begins at `at_ms` where `leader` (an earlier one, by index) has come to."""

    leader: int
    at_ms: float


def branches(experiments: Sequence[Experiment]) -> tuple[Branch | None, ...]:
    """For each experiment the one to begin in, None where it has to begin by itself.

    The leader shares the longest beginning, the first of several that do: so it has run through the moment itself.
    """
    found: list[Branch | None] = []
    for index, experiment in enumerate(experiments):
        shared = [shared_ms(other, experiment) for other in experiments[:index]]
        longest = max(shared, default=0.0)
        found.append(Branch(shared.index(longest), longest) if longest > 0.0 else None)
    return tuple(found)


def shared_ms(a: Experiment, b: Experiment) -> float:
    """The last moment (ms) at which both stop and before which they are one and the same; 0.0 if there is none."""
    if _beginning(a) != _beginning(b):
        return 0.0
    stops = [dict(sorted(_stops(e))) for e in (a, b)]
    common = [t for t in stops[0] if t in stops[1] and 0.0 < t < min(a.duration_ms, b.duration_ms)]
    for at_ms in sorted(common, reverse=True):
        before = [{t: hard for t, hard in some.items() if t < at_ms} for some in stops]
        if before[0] == before[1] and _currents(a, at_ms) == _currents(b, at_ms):
            return at_ms
    return 0.0


def _beginning(experiment: Experiment) -> object:
    """All that has to be equal whatever the moment: how cells start, and what is more than a current by the clock."""
    recorded = tuple((output.site, output.variable) for output in experiment.outputs)
    others = tuple(s for s in experiment.stimuli if isinstance(s, Attached | VoltageClamp))
    return experiment.temperature_K, experiment.v_init_mV, experiment.sampling_ms, recorded, others


def _stops(experiment: Experiment) -> Iterator[tuple[float, bool]]:
    """Moments at which the kernel ends a step because of a current, and whether the current may jump there."""
    for stimulus in experiment.stimuli:
        match stimulus:
            case Played():
                start, length = stimulus.times_ms[0], stimulus.times_ms[-1] - stimulus.times_ms[0]
                yield from ((t, False) for t in stimulus.times_ms[1:-1])
            case Pulse() | Ramp() | Sine():
                start, length = stimulus.delay_ms, stimulus.duration_ms
            case _:
                continue
        yield from ((start, True), (start + length, True))


def _currents(experiment: Experiment, until_ms: float) -> tuple[tuple[Stimulus, str], ...]:
    """The currents as they are before a moment: those that begin later are 0, constant ones may end at any time.

    With each whose amplitude is a candidate's own goes the experiment: no other has the same.
    """
    return tuple(
        (_cut(s, until_ms), experiment.id if k in experiment.free_amplitudes else "")
        for k, s in enumerate(experiment.stimuli)
        if isinstance(s, _Current) and _start(s) < until_ms
    )


def _start(stimulus: _Current) -> float:
    return stimulus.times_ms[0] if isinstance(stimulus, Played) else stimulus.delay_ms


def _cut(stimulus: _Current, until_ms: float) -> Stimulus:
    if isinstance(stimulus, Pulse | Sine) and stimulus.delay_ms + stimulus.duration_ms >= until_ms:
        return replace(stimulus, duration_ms=until_ms)
    return stimulus
