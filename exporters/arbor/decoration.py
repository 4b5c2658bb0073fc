"""What is painted and placed on the cell of one run, as regions and numbers in Arbor's units. No simulator in here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from nmlopt.experiment.model import Experiment
from nmlopt.experiment.voltage_clamps import clamps as voltage_clamps
from nmlopt.exporters.arbor.cable import Cable, Piece, Place
from nmlopt.exporters.arbor.mod import VOLTAGE_CLAMP
from nmlopt.exporters.arbor.paint import FALLBACK_V_MV, Plan, attachment, concentrations, paintings, properties
from nmlopt.exporters.arbor.stimuli import Clamp, clamps, labels

_FACTORS = {"cm": 1.0, "rL": 100.0, "Vm": 1000.0}
"""From SI to Arbor's units: F/m², ohm cm, mV."""


@dataclass(frozen=True)
class Placed:
    """A point process: location, label, mechanism, parameters in SI (a clamp's in ms, mV, uS), and events (ms)."""

    location: str
    label: str
    mechanism: str
    values: Mapping[str, float]
    events_ms: tuple[float, ...] = ()


@dataclass(frozen=True)
class Decoration:
    """Regions and locations are in Arbor's language.

    `properties`: (region, 'cm' F/m² | 'rL' ohm cm | 'Vm' mV, value). `concentrations`: (region, ion, 'int_con' |
    'ext_con', mM). `mechanisms`: (region, name, parameters in SI). `clamps`: (location, clamp). `inputs`: what is
    attached, under labels of ours.
    """

    v_init_mV: float
    temperature_K: float
    properties: tuple[tuple[str, str, float], ...]
    concentrations: tuple[tuple[str, str, str, float], ...]
    mechanisms: tuple[tuple[str, str, Mapping[str, float]], ...]
    clamps: tuple[tuple[str, Clamp], ...]
    inputs: tuple[Placed, ...]


def decoration(places: Cable, plan: Plan, experiment: Experiment, slots: Sequence[float]) -> Decoration:
    """The decoration of one experiment with the numbers (SI) of one candidate."""
    temperature = experiment.temperature_K
    given = experiment.v_init_mV
    painted = [p for p in properties(plan, slots) if p.name != "Vm" or given is None]
    return Decoration(
        FALLBACK_V_MV if given is None else given,
        temperature,
        tuple((region(places, p.compartments), p.name, p.value * _FACTORS[p.name]) for p in painted),
        tuple(
            (region(places, c.compartments), c.ion, c.side, c.value) for c in concentrations(plan, slots, temperature)
        ),
        tuple((region(places, p.compartments), p.mechanism, p.values) for p in paintings(plan, slots, temperature)),
        tuple((location(places.centres[c.compartment]), c) for c in clamps(experiment)),
        (*_inputs(places, plan, experiment, slots), *_voltage_clamps(places, experiment)),
    )


def _voltage_clamps(places: Cable, experiment: Experiment) -> Iterator[Placed]:
    """One point process for each level."""
    for number, clamp in enumerate(voltage_clamps(experiment)):
        where = location(places.centres[clamp.compartment])
        ends = (*clamp.times_ms[1:], clamp.end_ms)
        for k, (begin, end, target) in enumerate(zip(clamp.times_ms, ends, clamp.targets_mV, strict=True)):
            values = {"begin": begin, "end": end, "target": target, "conductance": 1.0 / clamp.series_resistance_Mohm}
            own = {name: float(value) for name, value in values.items()}
            yield Placed(where, f"clamp{number}_{k}", VOLTAGE_CLAMP, own)


def _inputs(places: Cable, plan: Plan, experiment: Experiment, slots: Sequence[float]) -> Iterator[Placed]:
    for label, attached in labels(experiment).items():
        mechanism, values = attachment(plan, attached, slots, experiment.temperature_K)
        where = location(places.centres[attached.site.compartment])
        yield Placed(where, label, mechanism, values, attached.events_ms)


def location(place: Place) -> str:
    """A point in Arbor's language."""
    return f"(location {place.branch} {place.position!r})"


def boundaries(places: Cable) -> str:
    """The ends of all compartments as one set of locations."""
    return f"(join {' '.join(location(place) for place in places.boundaries)})"


def region(places: Cable, compartments: Sequence[int]) -> str:
    """The compartments as one region; pieces that follow each other on a branch are one."""
    pieces = sorted((p for k in compartments for p in places.pieces[k]), key=lambda p: (p.branch, p.start))
    whole: list[Piece] = []
    for piece in pieces:
        if whole and whole[-1].branch == piece.branch and whole[-1].end == piece.start:
            whole[-1] = Piece(piece.branch, whole[-1].start, piece.end)
        else:
            whole.append(piece)
    texts = [f"(cable {p.branch} {p.start!r} {p.end!r})" for p in whole]
    return texts[0] if len(texts) == 1 else f"(join {' '.join(texts)})"
