"""Rules about the times that targets look at: windows and wanted spike times against their protocol."""

from __future__ import annotations

from collections.abc import Iterator

from nmlopt.errors import Issue, Severity
from nmlopt.spec.models import FeatureTarget, Protocol, SpikeTimesTarget, Target, Targets, Window
from nmlopt.spec.quantities import number


def windows(targets: Targets) -> Iterator[Issue]:
    """Findings about the times of all targets whose protocol exists."""
    protocols = {protocol.id: protocol for protocol in targets.protocols}
    for i, target in enumerate(targets.targets):
        protocol = protocols.get(target.protocol)
        if protocol is not None:
            yield from _target(target, protocol, f"$.targets[{i}]")


def _target(target: Target, protocol: Protocol, where: str) -> Iterator[Issue]:
    duration_ms = number(protocol.duration, "ms")
    if isinstance(target, SpikeTimesTarget):
        for k, time in enumerate(target.times):
            if not 0 <= number(time, "ms") <= duration_ms:
                message = f"a spike at {time} cannot be had in a protocol of {protocol.duration}"
                yield Issue("T025", message, f"{where}.times[{k}]", "lengthen the protocol")
    elif target.window is not None:
        yield from _window(target.window, duration_ms, f"{where}.window")
    elif isinstance(target, FeatureTarget) and not protocol.stimuli:
        message = f"protocol '{protocol.id}' has no stimulus that says where to look for '{target.feature}'"
        yield Issue("T026", message, where, 'add "window": {"start": ..., "end": ...}')


def _window(window: Window, duration_ms: float, where: str) -> Iterator[Issue]:
    start_ms, end_ms = number(window.start, "ms"), number(window.end, "ms")
    if start_ms >= end_ms:
        yield Issue("T024", f"the window ends ({window.end}) before it starts ({window.start})", where, "swap them")
    elif start_ms < 0 or start_ms >= duration_ms:
        message = f"the window starts at {window.start}, outside the protocol of {duration_ms:g} ms"
        yield Issue("T025", message, f"{where}.start", "move it inside")
    elif end_ms > duration_ms:
        message = f"the window ends at {window.end}, after the protocol ({duration_ms:g} ms)"
        yield Issue("T025", message, f"{where}.end", "it is cut there", Severity.WARNING)
