"""From an input component on an instance to a stimulus of an experiment.

Pulses, ramps and sines of the core types become the stimuli that a simulator has of its own; everything else is
compiled in and attached.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from nmlopt.document.model import Element
from nmlopt.experiment.model import Attached, Pulse, Ramp, Sine, Stimulus
from nmlopt.importers.scope import Scope
from nmlopt.ir.model import Site
from nmlopt.lems.types import ComponentType, is_core

PlainStimulus: TypeAlias = Pulse | Ramp | Sine
_CURRENT: Final = "current"


def plain_stimulus(
    scope: Scope, component: Element, type_: ComponentType, site: Site, weight: float
) -> PlainStimulus | None:
    """The stimulus that equals a core generator with that weight; None if none does."""
    if not is_core(type_.element):
        return None
    name = type_.name.removesuffix("DL")
    dimension = _CURRENT if name == type_.name else "none"
    unit = 1e9 if name == type_.name else 1.0

    def amplitude(attribute: str) -> float:
        return weight * unit * scope.number(component, attribute, 0.0, dimension)

    delay_ms = 1e3 * scope.number(component, "delay", 0.0, "time")
    duration_ms = 1e3 * scope.number(component, "duration", 0.0, "time")
    match name:
        case "pulseGenerator":
            return Pulse(site, delay_ms, duration_ms, amplitude("amplitude"))
        case "sineGenerator":
            period_ms = 1e3 * scope.number(component, "period", 0.0, "time")
            phase = scope.number(component, "phase", 0.0, "none")
            return Sine(site, delay_ms, duration_ms, amplitude("amplitude"), period_ms, phase)
        case "rampGenerator" if amplitude("baselineAmplitude") == 0.0 and duration_ms > 0.0:
            return Ramp(site, delay_ms, duration_ms, amplitude("startAmplitude"), amplitude("finishAmplitude"))
    return None


def fires_itself(type_: ComponentType) -> bool:
    """Whether an input is a spike source and the synapse that it triggers, in one component."""
    declared = type_.children.get("synapse")
    return declared is not None and declared.kind == "ComponentReference"


def attached_id(component: str, taken: list[Stimulus]) -> str:
    """The id of a further attachment of a component to one instance: its own, then `own:1`, `own:2`, ..."""
    before = sum(isinstance(s, Attached) and s.id.split(":")[0] == component for s in taken)
    return component if before == 0 else f"{component}:{before}"
