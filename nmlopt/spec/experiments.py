"""Rules about one protocol of targets.json: times, sites, clamps."""

from __future__ import annotations

from collections.abc import Iterator

from nmlopt.errors import Issue, Severity
from nmlopt.spec.models import At, Input, Played, Protocol, Sine, Stimulus, Targets, VoltageClamp
from nmlopt.spec.quantities import number
from nmlopt.units import Quantity


def protocols(targets: Targets) -> Iterator[Issue]:
    """Findings about all protocols, without a look at the document."""
    yield from _temperature(targets.temperature, "$.temperature")
    for i, protocol in enumerate(targets.protocols):
        where = f"$.protocols[{i}]"
        yield from _positive(protocol.duration, f"{where}.duration")
        yield from _temperature(protocol.temperature, f"{where}.temperature")
        for j, stimulus in enumerate(protocol.stimuli):
            yield from _times(stimulus, number(protocol.duration, "ms"), f"{where}.stimuli[{j}]")
            yield from _site(stimulus.at, f"{where}.stimuli[{j}].at")
        for j, recording in enumerate(protocol.recordings):
            yield from _site(recording.at, f"{where}.recordings[{j}].at")
        yield from _clamps(protocol, where)
        yield from _inputs(protocol, where)


def edges_ms(stimulus: Stimulus) -> tuple[float, float] | None:
    """When a stimulus begins and ends; None where a file or the document says it."""
    if isinstance(stimulus, Played | Input):
        return None
    if isinstance(stimulus, VoltageClamp):
        return 0.0, sum(number(level.duration, "ms") for level in stimulus.levels)
    delay = number(stimulus.delay, "ms")
    return delay, delay + number(stimulus.duration, "ms")


def _times(stimulus: Stimulus, duration_ms: float, where: str) -> Iterator[Issue]:
    if isinstance(stimulus, VoltageClamp):
        if number(stimulus.series_resistance, "Mohm") <= 0:
            yield Issue("T030", f"{stimulus.series_resistance} is not positive", f"{where}.series_resistance")
        for k, level in enumerate(stimulus.levels):
            yield from _positive(level.duration, f"{where}.levels[{k}].duration")
    elif isinstance(stimulus, Input):
        yield from _events(stimulus, duration_ms, where)
    elif not isinstance(stimulus, Played):
        yield from _positive(stimulus.duration, f"{where}.duration")
        if number(stimulus.delay, "ms") < 0:
            yield Issue("T028", f"the stimulus begins at {stimulus.delay}", f"{where}.delay", "time starts at 0")
    if isinstance(stimulus, Sine):
        yield from _positive(stimulus.period, f"{where}.period")
    edges = edges_ms(stimulus)
    if edges is not None and edges[1] > duration_ms:
        what = "is never given" if edges[0] >= duration_ms else f"is cut at {duration_ms:g} ms"
        message = f"the stimulus lasts until {edges[1]:g} ms and {what}, where the protocol ends"
        yield Issue("T028", message, where, "lengthen the protocol or shorten the stimulus", Severity.WARNING)


def _events(stimulus: Input, duration_ms: float, where: str) -> Iterator[Issue]:
    for k, time in enumerate(stimulus.events):
        if number(time, "ms") < 0:
            yield Issue("T028", f"an event arrives at {time}", f"{where}.events[{k}]", "time starts at 0")
        elif number(time, "ms") > duration_ms:
            message = f"an event arrives at {time}, after the protocol ({duration_ms:g} ms)"
            yield Issue("T028", message, f"{where}.events[{k}]", "lengthen the protocol", Severity.WARNING)
    if number(stimulus.delay, "ms") < 0:
        yield Issue("T028", f"the delay of {stimulus.delay} is negative", f"{where}.delay", "give 0 ms or more")
    if stimulus.source is None and "delay" in stimulus.model_fields_set:
        yield Issue("T036", "'delay' has no effect without 'source'", f"{where}.delay", "remove it")


def _positive(text: str, where: str) -> Iterator[Issue]:
    if number(text, "ms") <= 0:
        yield Issue("T030", f"{text} is not positive", where)


def _temperature(text: str | None, where: str) -> Iterator[Issue]:
    if text is not None and Quantity.parse(text).si() <= 0.0:
        yield Issue("T059", f"{text} is at or below absolute zero", where, "such as 34 degC or 307 K")


def _site(at: At, where: str) -> Iterator[Issue]:
    if (at.segment is None) == (at.distance is None):
        said = "both a segment and a distance" if at.distance is not None else "neither a segment nor a distance"
        yield Issue(
            "T029", f"the site gives {said}", where, 'write {"segment": 0} or {"distance": ..., "towards": ...}'
        )
    if at.distance is not None and at.towards is None:
        yield Issue("T029", "'distance' needs 'towards', the id of a segment", where, "say along which branch")
    if at.distance is None and at.towards is not None:
        yield Issue("T036", "'towards' has no effect without 'distance'", f"{where}.towards", "remove it")
    if at.distance is not None and "fraction_along" in at.model_fields_set:
        yield Issue("T036", "'fraction_along' has no effect with 'distance'", f"{where}.fraction_along", "remove it")
    if at.distance is not None and number(at.distance, "um") < 0:
        yield Issue("T030", f"the distance {at.distance} is negative", f"{where}.distance")


def _inputs(protocol: Protocol, where: str) -> Iterator[Issue]:
    seen: set[str] = set()
    for j, stimulus in enumerate(protocol.stimuli):
        if isinstance(stimulus, Input):
            name = stimulus.id or stimulus.component
            if name in seen:
                message = f"two inputs of protocol '{protocol.id}' are called '{name}'"
                yield Issue("T014", message, f"{where}.stimuli[{j}]", 'give each an "id"')
            seen.add(name)


def _clamps(protocol: Protocol, where: str) -> Iterator[Issue]:
    clamps = [j for j, stimulus in enumerate(protocol.stimuli) if isinstance(stimulus, VoltageClamp)]
    if len(clamps) > 1:
        message = f"protocol '{protocol.id}' has {len(clamps)} voltage clamps"
        yield Issue("T039", message, f"{where}.stimuli[{clamps[1]}]", "make two protocols of it")
    for j, recording in enumerate(protocol.recordings):
        if recording.quantity == "i_clamp" and not clamps:
            hint = "add a stimulus of type 'voltage_clamp', or record 'v'"
            yield Issue("T027", "there is no clamp whose current could be recorded", f"{where}.recordings[{j}]", hint)
