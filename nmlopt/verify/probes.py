"""What is recorded to find out what makes a difference: voltages, states, concentrations at a few compartments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from nmlopt.backend import Floats, RunStatus
from nmlopt.errors import NmloptError
from nmlopt.experiment.model import Attached, Experiment, Output
from nmlopt.ir.model import Cell, Site
from nmlopt.verify.axial import Axial
from nmlopt.verify.equations import Local, concentration_names
from nmlopt.verify.model import Entrant, Subject
from nmlopt.verify.run import simulate_at

MOST_PLACES = 12
Probe = tuple[int, str]
"""A compartment and a variable: 'v', '<placement>/<exposure>' or '<input>/<exposure>'."""


@dataclass(frozen=True)
class Probed:
    """What a backend recorded of one protocol: times in ms (n,), SI values (n,) by probe."""

    t_ms: Floats
    values: dict[Probe, Floats]

    @property
    def step_ms(self) -> float:
        """The step of the run."""
        return float(np.median(np.diff(self.t_ms)))


def places(cell: Cell, experiment: Experiment) -> tuple[int, ...]:
    """Compartments to look at: those that the protocol records, then one for each placement not yet among them."""
    found = dict.fromkeys(output.site.compartment for output in experiment.outputs)
    for placement in cell.placements:
        if len(found) >= MOST_PLACES:
            break
        if not found.keys() & set(placement.compartments):
            found[placement.compartments[len(placement.compartments) // 2]] = None
    return tuple(list(found)[:MOST_PLACES])


def wanted(
    cell: Cell, experiment: Experiment, at: Sequence[int], here: dict[int, tuple[Local, ...]], joined: Axial | None
) -> tuple[Probe, ...]:
    """Everything that the equations at these compartments need."""
    found: dict[Probe, None] = {}
    for k in at:
        if cell.geometry is not None or any("v" in local.recorded for local in here[k]):
            found[k, "v"] = None
        for local in here[k]:
            found |= dict.fromkeys((k, name) for s, name in local.recorded.items() if not _is_voltage(cell, s))
        found |= dict.fromkeys((k, name) for name in concentration_names(here[k]).values())
        if joined is not None:
            found |= dict.fromkeys((other, "v") for other in joined.neighbours(k))
    for stimulus in experiment.stimuli:
        if isinstance(stimulus, Attached) and stimulus.site.compartment in at:
            exposures = dict(cell.input_mechanism(stimulus.component).dynamics.exposures)
            found |= dict.fromkeys(
                (stimulus.site.compartment, f"{stimulus.id}/{n}") for n in ("i", "I") if n in exposures
            )
    return tuple(found)


def _is_voltage(cell: Cell, state: str) -> bool:
    return cell.geometry is None and state == "v"


def probe(
    subject: Subject, entrant: Entrant, experiment: Experiment, probes: Sequence[Probe], dt_ms: float
) -> Probed | None:
    """One run with these recordings, as many of them as the backend can do; None where it fails."""
    cell = subject.cell
    outputs = {f"p{i}": Output(f"p{i}", _site(cell, k), name) for i, (k, name) in enumerate(probes)}
    asked = replace(experiment, outputs=tuple(outputs.values()))
    if entrant.backend.unsupported(cell, (asked,)):
        able = [o for o in asked.outputs if not entrant.backend.unsupported(cell, (replace(asked, outputs=(o,)),))]
        asked = replace(asked, outputs=tuple(able))
    if not asked.outputs:
        return None
    try:
        run = simulate_at(replace(subject, experiments=(asked,)), entrant, dt_ms)
    except NmloptError:
        return None
    if run.status is not RunStatus.OK:
        return None
    values = {}
    for output in asked.outputs:
        trace = run.traces[asked.id, output.id]
        factor = 1e-3 if output.variable == "v" else 1.0
        values[probes[int(output.id[1:])]] = factor * trace.y
    first = run.traces[asked.id, asked.outputs[0].id]
    return Probed(first.t_ms, values)


def _site(cell: Cell, compartment: int) -> Site:
    if cell.geometry is None:
        return Site(0, 0.5, 0)
    found = cell.geometry.compartments[compartment]
    return Site(found.section, found.x, compartment)
