"""Inputs that experiments attach to a live cell: made once, set and switched on or off for each run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from nmlopt.backend import Floats
from nmlopt.codegen.derived_inputs import DerivedInput
from nmlopt.experiment.model import Attached, Experiment
from nmlopt.exporters.neuron.derived_inputs import derived_input
from nmlopt.exporters.neuron.live import LiveCell


@dataclass(frozen=True)
class Instance:
    """One point process, where it lies, and the connection through which its events arrive (None: it takes none)."""

    process: Any
    compartment: int
    connection: Any


@dataclass(frozen=True)
class Recording:
    """An exposure of an attached input: what is recorded, by IR name, and how its values follow."""

    derived: DerivedInput
    vectors: dict[str, Any]


@final
class Attachments:
    """The inputs of all experiments: as many instances of each at each place as the most demanding experiment needs.

    `apart`: each experiment has its inputs alone, made anew. With variable steps the states of idle inputs would take
    part in the choice of the step, so that an experiment would depend on the others.
    """

    def __init__(self, h: Any, live: LiveCell, experiments: Sequence[Experiment], *, apart: bool) -> None:
        self._h = h
        self._live = live
        self._experiments = experiments
        self._apart = apart
        self._parts = {part.mechanism.component: part for part in live.plan.inputs}
        self._ids = [{s.id for s in e.stimuli if isinstance(s, Attached)} for e in experiments]
        self._pools: dict[tuple[str, int], list[Instance]] = {}
        self._used: dict[int, list[tuple[Attached, Instance]]] = {}
        self._recordings: dict[int, dict[str, Recording]] = {}
        self._selected = 0
        for index in () if apart else range(len(experiments)):
            self._build(index)

    def select(self, index: int) -> None:
        """Switch on the inputs of one experiment, all others off."""
        self._selected = index
        if self._apart and index not in self._used:
            for held in (self._recordings, self._used, self._pools):
                held.clear()
            self._build(index)
        for pool in self._pools.values():
            for instance in pool:
                instance.process.present = 0.0
        for attached, instance in self._used[index]:
            instance.process.present, instance.process.weight = 1.0, attached.weight

    def deliver(self) -> None:
        """Queue the events of the selected experiment; to be called after initialisation, which empties the queue."""
        for attached, instance in self._used[self._selected]:
            for time_ms in attached.events_ms:
                instance.connection.event(time_ms)

    def owns(self, index: int, variable: str) -> bool:
        """Whether an output of an experiment is of an attached input."""
        return variable.partition("/")[0] in self._ids[index]

    def values(self, index: int, variable: str, temperature_K: float) -> Floats:
        """What an output of the selected experiment held at the samples, in SI."""
        recording = self._recordings[index][variable]
        recorded = {name: _read(vector) for name, vector in recording.vectors.items()}
        return recording.derived.quantity.compute(recorded, self._live.slots, temperature_K)

    def _build(self, index: int) -> None:
        self._used[index] = self._places(self._experiments[index])
        self._recordings[index] = self._record(index, self._experiments[index])

    def _places(self, experiment: Experiment) -> list[tuple[Attached, Instance]]:
        found: list[tuple[Attached, Instance]] = []
        taken: dict[tuple[str, int], int] = {}
        for stimulus in experiment.stimuli:
            if not isinstance(stimulus, Attached):
                continue
            key = (stimulus.component, stimulus.site.compartment)
            position = taken.get(key, 0)
            taken[key] = position + 1
            pool = self._pools.setdefault(key, [])
            if position == len(pool):
                pool.append(self._make(*key))
            found.append((stimulus, pool[position]))
        return found

    def _make(self, component: str, compartment: int) -> Instance:
        part = self._parts[component]
        process = getattr(self._h, part.suffix)(self._live.segments[compartment])
        for pointer, variable in part.pointers.items():
            self._h.setpointer(self._live.pointer(0, variable), pointer, process)
        takes_events = bool(part.mechanism.dynamics.events)
        return Instance(process, compartment, self._h.NetCon(None, process) if takes_events else None)

    def _record(self, index: int, experiment: Experiment) -> dict[str, Recording]:
        instances = {attached.id: (attached, instance) for attached, instance in self._used[index]}
        found = {}
        for output in experiment.outputs:
            id_, _, exposure = output.variable.partition("/")
            if id_ in instances:
                attached, instance = instances[id_]
                part = self._parts[attached.component]
                derived = derived_input(self._live.plan, part, exposure, attached.weight)
                found[output.variable] = Recording(derived, self._vectors(instance, derived))
        return found

    def _vectors(self, instance: Instance, derived: DerivedInput) -> dict[str, Any]:
        vectors = {}
        for name, source in derived.quantity.sources.items():
            is_own = name in derived.own
            reference = f"_ref_{source.variable}"
            pointer = (
                getattr(instance.process, reference)
                if is_own
                else self._live.pointer(instance.compartment, source.variable)
            )
            vectors[name] = self._h.Vector().record(pointer)
        return vectors


def _read(vector: Any) -> Floats:
    values: Floats = np.empty(int(vector.size()))
    vector.to_python(values)
    return values
