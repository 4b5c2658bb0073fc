"""Stimuli of an experiment as LEMS inputs: their components, and how a network attaches them to a cell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeAlias

from nmlopt.codegen.templating import num
from nmlopt.experiment.model import Attached, Experiment, Played, Pulse, Ramp, Sine, VoltageClamp
from nmlopt.ir.model import Site

Place: TypeAlias = Callable[[Site], str]
"""Attributes of an `<input>` or connection that say where on the cell it is; '' for cells of one compartment."""


@dataclass(slots=True)
class Wiring:
    """What an experiment adds to a LEMS file.

    `components` stand at the top, `network` inside the network. `attached` gives by Attached.id, `clamps` in order of
    levels, the step of a path below the cell (`synapses:<component>:<index>`).
    """

    components: list[str] = field(default_factory=list)
    network: list[str] = field(default_factory=list)
    attached: dict[str, str] = field(default_factory=dict)
    clamps: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Target:
    """The cell that is stimulated: its population and component, and whether its input is a plain number.

    Edges and spikes are written `early_ms` before their moment, a small part of a step: jLEMS adds up the steps, and a
    time that should be that of an edge may be less by a rounding error, so that the edge would come a step later.
    """

    population: str
    component: str
    is_dimensionless: bool
    place: Place
    name: Callable[[str], str]
    early_ms: float = 0.0

    @property
    def path(self) -> str:
        """Its path from inside a list of inputs or connections."""
        return f"../{self.population}/0/{self.component}"


def wiring(experiment: Experiment, target: Target, takes_events: Callable[[str], bool]) -> Wiring:
    """The inputs of an experiment. Names begin with the population's, so that they are unique in a file.

    `takes_events`: whether a component of the document waits for events.
    """
    made = Wiring()
    count: Counter[str] = Counter()
    for number, stimulus in enumerate(experiment.stimuli):
        base = f"{target.population}_in{number}"
        if isinstance(stimulus, Attached):
            component = target.name(stimulus.component)
            made.attached[stimulus.id] = f"synapses:{component}:{count[component]}"
            count[component] += 1
            if takes_events(stimulus.component):
                _connected(made, base, component, stimulus, target)
            else:
                _listed(made, base, component, stimulus.site, stimulus.weight, target)
            continue
        for component, text in _generators(stimulus, base, target):
            made.components.extend(text)
            if not component:
                continue
            _listed(made, f"{component}_list", component, stimulus.site, 1.0, target)
            if isinstance(stimulus, VoltageClamp):
                made.clamps.append(f"synapses:{component}:0")
    return made


def _listed(made: Wiring, list_id: str, component: str, site: Site, weight: float, target: Target) -> None:
    tag, weighed = ("input", "") if weight == 1.0 else ("inputW", f' weight="{num(weight)}"')
    made.network += [
        f'<inputList id="{list_id}" population="{target.population}" component="{component}">',
        f'  <{tag} id="0" target="{target.path}"{target.place(site)} destination="synapses"{weighed}/>',
        "</inputList>",
    ]


def _connected(made: Wiring, base: str, component: str, stimulus: Attached, target: Target) -> None:
    """A synapse and the events that reach it, as the spikes of a source of its own."""
    source, population = f"{base}_spikes", f"{base}_source"
    times = (max(0.0, t - target.early_ms) for t in stimulus.events_ms)
    spikes = (f'  <spike id="{k}" time="{num(t)} ms"/>' for k, t in enumerate(times))
    made.components += [f'<spikeArray id="{source}">', *spikes, "</spikeArray>"]
    where = target.place(stimulus.site).replace("segmentId", "postSegmentId").replace("fraction", "postFraction")
    before = ' preSegmentId="0" preFractionAlong="0.5"' if where else ""
    made.network += [
        f'<population id="{population}" component="{source}" size="1"/>',
        f'<projection id="{base}_projection" presynapticPopulation="{population}" '
        f'postsynapticPopulation="{target.population}" synapse="{component}">',
        f'  <connectionWD id="0" preCellId="../{population}[0]" postCellId="{target.path}"{before}{where} '
        f'weight="{num(stimulus.weight)}" delay="0 ms"/>',
        "</projection>",
    ]


def _generators(
    stimulus: Pulse | Ramp | Sine | Played | VoltageClamp, base: str, target: Target
) -> Iterator[tuple[str, list[str]]]:
    """(component id, lines) of each component that a stimulus stands for."""
    suffix, unit = ("DL", "") if target.is_dimensionless else ("", " nA")
    early = target.early_ms
    match stimulus:
        case Pulse():
            window = _window(stimulus.delay_ms, stimulus.duration_ms, early)
            numbers = f'amplitude="{num(stimulus.amplitude)}{unit}"'
            yield base, [f'<pulseGenerator{suffix} id="{base}" {window} {numbers}/>']
        case Ramp():
            window = _window(stimulus.delay_ms, stimulus.duration_ms, early)
            yield base, [_ramp(base, window, (stimulus.start, stimulus.finish), suffix, unit)]
        case Sine():
            window = _window(stimulus.delay_ms, stimulus.duration_ms, early)
            numbers = f'amplitude="{num(stimulus.amplitude)}{unit}" period="{num(stimulus.period_ms)} ms"'
            phase = f'phase="{num(stimulus.phase_rad)}"'
            yield base, [f'<sineGenerator{suffix} id="{base}" {phase} {window} {numbers}/>']
        case Played():
            yield base, _played(stimulus, base, early, suffix, unit)
        case VoltageClamp():
            yield from _clamps(stimulus, base, early)


def _window(begin_ms: float, duration_ms: float, early_ms: float) -> str:
    return f'delay="{num(begin_ms - early_ms)} ms" duration="{num(duration_ms)} ms"'


def _ramp(id_: str, window: str, ends: tuple[float, float], suffix: str, unit: str) -> str:
    start, finish = (f"{num(end)}{unit}" for end in ends)
    amplitudes = f'startAmplitude="{start}" finishAmplitude="{finish}" baselineAmplitude="0{unit}"'
    return f'<rampGenerator{suffix} id="{id_}" {window} {amplitudes}/>'


def _played(stimulus: Played, base: str, early_ms: float, suffix: str, unit: str) -> list[str]:
    """Ramps one after another, each 0 outside its window: linear between the samples."""
    samples = list(zip(stimulus.times_ms, stimulus.amplitudes, strict=True))
    ramps = (
        _ramp(f"{base}_{k}", _window(t0, t1 - t0, early_ms), (i0, i1), suffix, unit)
        for k, ((t0, i0), (t1, i1)) in enumerate(pairwise(samples))
        if t1 > t0 and (i0, i1) != (0.0, 0.0)
    )
    return [f'<compoundInput{suffix} id="{base}">', *(f"  {ramp}" for ramp in ramps), f"</compoundInput{suffix}>"]


def _clamps(stimulus: VoltageClamp, base: str, early_ms: float) -> Iterator[tuple[str, list[str]]]:
    """A clamp for each level, one after the other."""
    begin = 0.0
    for k, (duration_ms, target_mV) in enumerate(stimulus.levels):
        name = f"{base}_{k}"
        window = _window(begin, duration_ms, early_ms)
        numbers = f'targetVoltage="{num(target_mV)} mV" simpleSeriesResistance="{num(stimulus.series_resistance_Mohm)}'
        yield name, [f'<voltageClamp id="{name}" {window} {numbers} Mohm"/>']
        begin += duration_ms


def samples_of(stimuli: Sequence[object]) -> int:
    """How many samples are played: each becomes a component."""
    return sum(len(s.times_ms) for s in stimuli if isinstance(s, Played))
