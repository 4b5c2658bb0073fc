"""Steady states and time constants of gates by three ways: our generated NMODL run in NEURON, our IR, and jLEMS.

NEURON is not asked for variables of ours: from one step that starts at 0 and one that starts at 1, taken by the code
that simulations run, a linear gate's steady state and time constant follow.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from channel_probes import CALCIUM_MM, HOLD, TEMPERATURE_C, VOLTAGES_MV, Channel, write_lems

from nmlopt.backend import Numerics, Program, Settings
from nmlopt.codegen.analysis import Definitions
from nmlopt.document.model import Document, Element
from nmlopt.exporters.neuron.backend import NeuronBackend, program_plan
from nmlopt.exporters.neuron.build import library
from nmlopt.exporters.neuron.live import LiveCell
from nmlopt.exporters.neuron.mod import Member, Part, Plan
from nmlopt.ir.model import Cell, KineticScheme, Mechanism, Placement, Transition
from nmlopt.lems.evaluate import evaluate
from nmlopt.lems.expression import Expr, Sym
from nmlopt.lems.resolve import Components, components, label
from nmlopt.resources import jneuroml_jar

STEPS_MS = 10.0 ** np.arange(-10.0, 6.0)
V = 1e-3 * VOLTAGES_MV
Curves = dict[tuple[int, str], tuple[np.ndarray, np.ndarray]]
"""(steady state, time constant in s) over VOLTAGES_MV by (number of the channel, name of the state in the IR)."""


@dataclass(frozen=True)
class Placed:
    """The k-th channel of a probe: its mechanism as the IR has it, where it lies, and its part of the NMODL."""

    k: int
    mechanism: Mechanism
    placement: Placement
    part: Part
    member: Member

    @property
    def gates(self) -> tuple[str, ...]:
        """The states that follow a differential equation."""
        return tuple(s.name for s in self.mechanism.dynamics.states if s.derivative is not None)


def placed(cell: Cell, plan: Plan) -> tuple[Placed, ...]:
    """The channels of a probe, in order."""
    found = []
    for placement in cell.placements:
        if placement.id.startswith("d"):
            part, member = plan.member_of(placement.id, "iDensity", 0)
            found.append(Placed(int(placement.id[1:]), cell.mechanism(placement.mechanism), placement, part, member))
    return tuple(sorted(found, key=lambda p: p.k))


# ---------------------------------------------------------------------------------------------- the IR in numpy


def known_values(channel: Placed, slots: Sequence[float]) -> dict[str, Any]:
    """All inputs and parameters of a channel, SI."""
    known: dict[str, Any] = {"v": V, "temperature": TEMPERATURE_C + 273.15, "t": 0.0}
    known |= {"caConc": CALCIUM_MM, "caConcExt": 2.0, "surfaceArea": 1.0, "iCa": 0.0}
    shared = [(p.name, p.value) for p in channel.mechanism.parameters if p.value is not None]
    for name, expr in (*shared, *channel.placement.values):
        known[name] = evaluate(expr, known, slots)
    return known


def value(channel: Placed, expr: Expr, known: Mapping[str, Any]) -> np.ndarray:
    """An expression of a channel over the sweep."""
    names = dict(known)
    for assigned in Definitions(channel.mechanism.dynamics.assigned).needed([expr]):
        names[assigned.name] = evaluate(assigned.value, names)
    return np.broadcast_to(np.asarray(evaluate(expr, names), dtype=float), V.shape)


def by_ir(channels: Sequence[Placed], slots: Sequence[float]) -> Curves:
    """From the derivative at 0 and at 1."""
    found: Curves = {}
    for channel in channels:
        known = known_values(channel, slots)
        for state in channel.mechanism.dynamics.states:
            if state.derivative is None:
                continue
            at_0, at_1 = (value(channel, state.derivative, {**known, state.name: x}) for x in (0.0, 1.0))
            with np.errstate(all="ignore"):
                tau = 1.0 / (at_0 - at_1)
                found[channel.k, state.name] = at_0 * tau, tau
    return found


# ---------------------------------------------------------------------------------------------- NMODL in NEURON


@lru_cache(maxsize=1)
def _neuron() -> Any:
    from neuron import h

    return h


@lru_cache
def _load(path: Path) -> None:
    """Load a library once: channels of several files may be the same to the last bit."""
    _neuron().nrn_load_dll(str(path))


class Probe:
    """A probe cell alive in NEURON."""

    def __init__(self, program: Program) -> None:
        h = self.h = _neuron()
        self.plan = program_plan(program)
        _load(library(program.folder))
        self.live = LiveCell(h, program.cell, self.plan)
        self.channels = placed(program.cell, self.plan)
        self.lag = program.settings.numerics is Numerics.JNEUROML
        self._v = self._pointers("v")
        self.bind(np.zeros(len(program.slots)))

    def bind(self, slots: Sequence[float]) -> None:
        """Bind slots (SI) and initialise at the voltages of the sweep."""
        self.live.bind(list(slots), TEMPERATURE_C + 273.15)
        self.h.celsius = TEMPERATURE_C
        self._v.scatter(self.h.Vector(VOLTAGES_MV))
        self.h.finitialize()

    def _pointers(self, variable: str) -> Any:
        found = self.h.PtrVector(len(self.live.segments))
        for k, _ in enumerate(self.live.segments):
            found.pset(k, self.live.pointer(k, variable))
        return found

    def read(self, variable: str) -> np.ndarray:
        """A variable of NEURON at all compartments."""
        found = self.h.Vector(len(self.live.segments))
        self._pointers(variable).gather(found)
        return np.array(found)

    def stepped(self, states: Mapping[str, float], dt_ms: float) -> dict[str, np.ndarray]:
        """Set the states (NEURON's names), take one step, read them."""
        h = self.h
        pointers = {name: self._pointers(name) for name in states}
        h.dt = dt_ms
        self._v.scatter(h.Vector(VOLTAGES_MV))
        h.finitialize()
        for name, x in states.items():
            pointers[name].scatter(h.Vector(len(self.live.segments), x))
        h.fadvance()
        found = {}
        for name, pointer in pointers.items():
            vector = h.Vector(len(self.live.segments))
            pointer.gather(vector)
            found[name] = np.array(vector)
        return found

    def curves(self) -> Curves:
        """Steady states and time constants of all gates."""
        names = {(c.k, s): f"{c.member.states[s]}_{c.part.suffix}" for c in self.channels for s in c.gates}
        if not names:
            return {}
        runs = [
            (self.stepped(dict.fromkeys(names.values(), 0.0), dt), self.stepped(dict.fromkeys(names.values(), 1.0), dt))
            for dt in STEPS_MS
        ]
        return {key: self._curve(name, runs) for key, name in names.items()}

    def _curve(self, name: str, runs: Sequence[tuple[Mapping[str, np.ndarray], Mapping[str, np.ndarray]]]) -> tuple:
        """From the step nearest to the time constant at each voltage."""
        first = np.array([low[name] for low, _ in runs])
        kept = np.array([high[name] - low[name] for low, high in runs])
        with np.errstate(all="ignore"):
            ratio = (1.0 - kept) if self.lag else -np.log(kept)
            distance = np.abs(np.log(np.abs(ratio)))  # a published time constant is negative somewhere
            distance[~np.isfinite(distance)] = np.inf
            best = distance.argmin(axis=0)
            columns = np.arange(len(VOLTAGES_MV))
            tau = 1e-3 * STEPS_MS[best] / ratio[best, columns]
            return first[best, columns] / (1.0 - kept[best, columns]), tau

    def schemes(self) -> Iterator[tuple[Placed, float]]:
        """For each kinetic scheme, how far one implicit step is from the same step in numpy (occupancies)."""
        for channel in self.channels:
            for scheme in channel.mechanism.dynamics.kinetics:
                yield channel, max(self._scheme(channel, scheme, dt) for dt in (0.01, 0.1, 1.0, 10.0))

    def _scheme(self, channel: Placed, scheme: KineticScheme, dt_ms: float) -> float:
        names = [f"{channel.member.states[s]}_{channel.part.suffix}" for s in scheme.states]
        rates = 1e-3 * flows(channel, scheme, known_values(channel, [0.0] * len(self.channels)))
        worst = 0.0
        for start, _ in enumerate(names):
            found = self.stepped({n: float(i == start) for i, n in enumerate(names)}, dt_ms)
            wanted = np.linalg.solve(np.eye(len(names)) - dt_ms * rates, np.eye(len(names))[start])
            worst = max(worst, np.abs(np.array([found[n] for n in names]).T - wanted).max())
        return worst


def run_probe(cell: Cell, settings: Settings) -> Probe:
    """Compile a probe cell and bring it to life."""
    return Probe(NeuronBackend().compile(cell, settings))


def current_of(channel: Placed, slots: Sequence[float]) -> np.ndarray:
    """The current that NEURON should show after initialisation, mA/cm2."""
    known = known_values(channel, slots)
    for state in channel.mechanism.dynamics.states:
        known[state.name] = value(channel, state.initial, known)
    for scheme in channel.mechanism.dynamics.kinetics:
        known |= dict(zip(scheme.states, _steady(flows(channel, scheme, known)).T, strict=True))
    return -0.1 * value(channel, Sym(channel.mechanism.current), known)


def flows(channel: Placed, scheme: KineticScheme, known: Mapping[str, Any]) -> np.ndarray:
    """x' = flows x for the occupancies x of a scheme, per second, at each voltage."""
    index = {s: i for i, s in enumerate(scheme.states)}
    found = np.zeros((len(V), len(index), len(index)))
    for edge in scheme.transitions:
        a, b = index[edge.source], index[edge.target]
        for start, end, rate in ((a, b, edge.forward), (b, a, edge.reverse)):
            flow = value(channel, rate, known)
            found[:, end, start] += flow
            found[:, start, start] -= flow
    return found


def _steady(matrices: np.ndarray) -> np.ndarray:
    """Occupancies that no longer change, one in all."""
    closed = matrices.copy()
    closed[:, 0, :] = 1.0
    return np.linalg.solve(closed, np.eye(closed.shape[1])[0])


# ---------------------------------------------------------------------------------------------- jLEMS


def by_jlems(document: Document, members: Sequence[Channel], channels: Sequence[Placed], folder: Path) -> Curves:
    """From the exposures `inf` and `tau` of gates (nan where a gate's type has none), `rf` and `rr` of transitions.

    `folder` takes its files.
    """
    known = components(document)
    wanted: list[tuple[int, str]] = []
    keys: list[tuple[int, str, int]] = []
    for channel in channels:
        paths = {variable: path for path, variable in channel.mechanism.dynamics.exposures if path.endswith("/q")}
        for state in channel.gates:
            gate = paths.get(state, "").rpartition("/")[0]
            exposed = _exposures(known, members[channel.k].id, gate)
            for which, name in enumerate(("inf", "tau")):
                if name in exposed:
                    wanted.append((channel.k, f"{gate}/{name}"))
                    keys.append((channel.k, state, which))
        for path, _ in edges(known, members[channel.k].id, channel):
            for which, name in enumerate(("rf", "rr")):
                wanted.append((channel.k, f"{path}/{name}"))
                keys.append((channel.k, path, which))
    table = _table(members, wanted, folder)
    found: Curves = {}
    for column, (k, state, which) in enumerate(keys):
        pair = found.setdefault((k, state), (np.full(len(V), np.nan), np.full(len(V), np.nan)))
        pair[which][:] = table[:, column]
    return found


def edges(known: Components, channel: str, placed_channel: Placed) -> list[tuple[str, Transition]]:
    """The transitions of a channel by their path below it; those of the IR are in the order of the document."""
    found = [edge for scheme in placed_channel.mechanism.dynamics.kinetics for edge in scheme.transitions]
    top = next(e for e in known.by_id[channel] if "ionChannel" in e.tag)
    paths = [f"{label(gate)}/{label(e)}" for gate in top.children for e in gate.children if "Transition" in e.tag]
    return list(zip(paths, found, strict=True)) if found else []


def edges_by_ir(known: Components, members: Sequence[Channel], channels: Sequence[Placed]) -> Curves:
    """Forward and reverse rates (1/s) of transitions."""
    found: Curves = {}
    for channel in channels:
        numbers = known_values(channel, [0.0] * len(channels))
        for path, edge in edges(known, members[channel.k].id, channel):
            found[channel.k, path] = value(channel, edge.forward, numbers), value(channel, edge.reverse, numbers)
    return found


def _exposures(known: Components, channel: str, gate: str) -> frozenset[str]:
    fitting = [e for e in known.by_id[channel] if "ionChannel" in e.tag]
    instance = known.instance(fitting[0])
    for step in gate.split("/") if gate else ():
        child: Element | None = next((e for e in instance.element.children if label(e) == step), None)
        if child is None:
            return frozenset()
        instance = known.instance(child, instance)
    declared = instance.type.declarations.values()
    return frozenset(d.name for d in declared if d.kind == "Exposure") if gate else frozenset()


def _table(members: Sequence[Channel], wanted: Sequence[tuple[int, str]], folder: Path) -> np.ndarray:
    """The columns wanted; where jLEMS ends with an error, channel by channel, nan for those with which it does."""
    if not wanted:
        return np.empty((len(V), 0))
    found = _jlems(members, wanted, folder)
    if found is not None:
        return found
    columns = np.full((len(V), len(wanted)), np.nan)
    for k in dict.fromkeys(k for k, _ in wanted):
        own = [i for i, (other, _) in enumerate(wanted) if other == k]
        part = _jlems([members[k]], [(0, wanted[i][1]) for i in own], folder)
        if part is not None:
            columns[:, own] = part
    return columns


def _jlems(members: Sequence[Channel], wanted: Sequence[tuple[int, str]], folder: Path) -> np.ndarray | None:
    path = folder / "LEMS_probe.xml"
    write_lems(members, wanted, path)
    java = shutil.which("java")
    assert java, "java is needed: sudo apt-get install default-jre-headless"
    command = [java, "-Xmx1G", "-jar", str(jneuroml_jar()), path.name, "-nogui"]
    subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    output = folder / "out.dat"
    if not output.exists():
        return None
    table = np.loadtxt(output)[HOLD * np.arange(len(V)) + HOLD - 1]
    output.unlink()
    assert np.allclose(table[:, 1], V, atol=1e-8), (table[:4, 1], table[-4:, 1], table.shape)
    return table[:, 2:]
