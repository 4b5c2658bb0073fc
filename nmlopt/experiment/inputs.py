"""Inputs of the document as stimuli of targets.json: which are compiled in, when events arrive at them."""

from __future__ import annotations

from difflib import get_close_matches
from functools import cached_property
from typing import Final, final

from nmlopt.document.model import Document
from nmlopt.errors import Issue, LemsError, TargetsError
from nmlopt.experiment.spike_sources import spike_times
from nmlopt.ir.model import Cell, MechanismKind
from nmlopt.lems.resolve import Components, components
from nmlopt.spec.models import Input, Targets
from nmlopt.spec.quantities import number

STEP_MS: Final = 0.01
"""The step at which the conditions of spike sources are tested: their times are multiples of it."""


def input_components(targets: Targets) -> tuple[str, ...]:
    """The inputs of the document that the protocols use, each once."""
    return tuple(dict.fromkeys(s.component for p in targets.protocols for s in p.stimuli if isinstance(s, Input)))


def input_place(targets: Targets, message: str) -> str:
    """Where targets.json names the component that a message quotes."""
    for i, protocol in enumerate(targets.protocols):
        for j, stimulus in enumerate(protocol.stimuli):
            if isinstance(stimulus, Input) and f"'{stimulus.component}'" in message:
                return f"$.protocols[{i}].stimuli[{j}].component"
    return "$"


def input_fault(cell: Cell, stimulus: Input, variable: str, where: str) -> Issue | None:
    """Why a variable of an input cannot be recorded, or None (T053)."""
    exposure = variable.partition("/")[2]
    known = [name for name, _ in cell.input_mechanism(stimulus.component).dynamics.exposures]
    if exposure in known:
        return None
    near = get_close_matches(exposure, known, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(repr(n) for n in near)}?" if near else f"it has {', '.join(known)}"
    return Issue("T053", f"'{stimulus.component}' has no variable '{exposure}' to record", where, hint)


@final
class Arrivals:
    """When events reach the inputs of one document."""

    def __init__(self, document: Document) -> None:
        self._document = document

    @cached_property
    def _known(self) -> Components:
        return components(self._document)

    def of(self, stimulus: Input, cell: Cell, duration_ms: float, where: str) -> tuple[float, ...]:
        """The events given, those of its source, and those that it makes itself; ms, ascending.

        Raises TargetsError T057: it takes none, or the source makes none.
        """
        if stimulus.component not in {m.component for m in cell.mechanisms if m.kind is MechanismKind.INPUT}:
            return ()  # reported with the component
        takes = bool(cell.input_mechanism(stimulus.component).dynamics.events)
        if not takes and (stimulus.events or stimulus.source is not None):
            key = "events" if stimulus.events else "source"
            message = f"'{stimulus.component}' takes no events"
            raise TargetsError(Issue("T057", message, f"{where}.{key}", "remove them, or choose a synapse"))
        times = [number(time, "ms") for time in stimulus.events]
        if stimulus.source is not None:
            delay_ms = number(stimulus.delay, "ms")
            times += [t + delay_ms for t in self._spikes(stimulus.source, stimulus.seed, duration_ms, where)]
        elif takes and not times:
            times += self._own(stimulus, duration_ms)
        return tuple(sorted(times))

    def _spikes(self, source: str, seed: int, duration_ms: float, where: str) -> tuple[float, ...]:
        try:
            return spike_times(self._known, source, duration_ms, STEP_MS, seed)
        except LemsError as error:
            raise TargetsError([Issue("T057", i.message, f"{where}.source", i.hint) for i in error.issues]) from None

    def _own(self, stimulus: Input, duration_ms: float) -> tuple[float, ...]:
        """The spikes of a firing synapse; a plain synapse makes none."""
        try:
            return spike_times(self._known, stimulus.component, duration_ms, STEP_MS, stimulus.seed)
        except LemsError:
            return ()
