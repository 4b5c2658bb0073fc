"""How far adaptive runs of the native kernel are from the truth, and whether that is within what is stated.

What is stated (tests/equivalence/tolerances.toml, native.adaptive; docs/backends.md), by accuracy and size of the cell,
at the default dt:
the first spike of a trace is off by `first_ms` at most, each later one by that and `later_share` of the time since the
first; voltages without spikes, and before the first one, by `trace_mV`; other recorded quantities by `other_share` of
the range they pass through (of their value where they do not move).
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import backend_comparison as comparison
import numpy as np
from backend_comparison import TOLERANCES, Runs, Traces
from spikes import crossings, extrapolate

from nmlopt.backend import Accuracy, Integrator, Settings
from nmlopt.document.model import Document
from nmlopt.document.read import read
from nmlopt.exporters.native.accuracy import FEW_COMPARTMENTS
from nmlopt.importers.lems_simulation import read_simulation
from nmlopt.importers.simulation_model import Above, LemsSimulation
from tests.conformance.judge import Trace as Column
from tests.conformance.judge import judge, measure
from tests.conformance.nmlopt_runs import recorded_columns
from tests.conformance.suite import Case, Quantity

CONVERGED = "converged"
"""In place of an accuracy: what adaptive steps tend to, judged as what fixed steps tend to."""
LEVELS = (*(str(accuracy) for accuracy in Accuracy), CONVERGED)
FINEST_MS = 0.00625
"""dt of the finer of the two runs at `tight` from which the limit is extrapolated; their error goes with dt squared."""
MOST_SAMPLES = 2e7
REFINEMENTS = 2
"""How often the reference's steps are halved until two of them have one number of spikes."""


@dataclass(frozen=True)
class Stated:
    """The largest errors that an accuracy may have."""

    first_ms: float
    later_share: float
    trace_mV: float
    other_share: float


@dataclass(frozen=True)
class Seen:
    """The largest errors of a case. `of_stated`: of all the largest as a share of what is stated: 1 is the limit.

    `later_share`: of a later spike, beyond what a first one may be off, per time since the first.
    """

    spikes: int = 0
    first_ms: float = 0.0
    largest_ms: float = 0.0
    later_share: float = 0.0
    trace_mV: float = 0.0
    other_share: float = 0.0
    of_stated: float = 0.0
    fault: str = ""

    @property
    def numbers(self) -> dict[str, float]:
        """All but the fault, for tables."""
        return {name: float(f"{x:.4g}") for name, x in asdict(self).items() if name != "fault"}

    def __add__(self, other: Seen) -> Seen:
        """Both: the larger errors, all spikes and faults."""
        mine, theirs = asdict(self), asdict(other)
        largest = {name: max(mine[name], theirs[name]) for name in mine if name not in ("spikes", "fault")}
        fault = "; ".join(filter(None, (self.fault, other.fault)))
        return Seen(**{**largest, "spikes": self.spikes + other.spikes, "fault": fault})


def stated(level: str, *, is_large: bool = False) -> Stated:
    """What is stated for an accuracy, of cells of more than FEW_COMPARTMENTS or of smaller ones."""
    table = tomllib.loads(TOLERANCES.read_text(encoding="utf-8"))["native"]["adaptive"]
    return Stated(**table["large" if is_large else "small"][level])


def stated_for(level: str, simulation: LemsSimulation) -> Stated:
    """What is stated for the largest cell of a simulation."""
    return stated(level, is_large=_largest(simulation) > FEW_COMPARTMENTS)


def _largest(simulation: LemsSimulation) -> int:
    """Compartments of the largest of its cells."""
    sizes = (len(run.cell.geometry.compartments) for run in simulation.runs if run.cell.geometry is not None)
    return max(sizes, default=1)


def settings_of(level: str) -> Settings:
    """Adaptive steps of that accuracy, all else as it is by default."""
    return Settings(integrator=Integrator.ADAPTIVE, accuracy=Accuracy(level))


# ------------------------------------------------------------------------------------------------ one case


def of_case(case: Case, level: str) -> Seen:
    """A conformance case against its reference."""
    simulation = read_simulation(read(case.lems))
    if level == CONVERGED:
        return _converged_case(case, simulation)
    columns = recorded_columns(simulation, "native", settings_of(level))
    total, allowed = Seen(), stated_for(level, simulation)
    for quantity in case.quantities:
        column, threshold = _crossed(simulation, quantity, columns)
        got = measure(replace(quantity, threshold=threshold), {quantity.column: column})
        wanted = np.asarray(quantity.reference)
        if quantity.kind == "crossings":
            total += spikes_off(quantity.id, 1e3 * got, 1e3 * wanted, allowed)
        elif quantity.column.startswith("v"):
            total += voltage_off(quantity.id, 1e3 * float(np.abs(got - wanted).max()), allowed)
        else:
            share = float(np.abs(got - wanted).max() / (np.ptp(wanted) or np.abs(wanted).max()))
            total += _judged(quantity.id, share, "other_share", "of its range", allowed)
    return total


def _crossed(simulation: LemsSimulation, quantity: Quantity, columns: Mapping[str, Column]) -> tuple[Column, float]:
    """The column and the threshold; of 'spiking' the voltage, which tells the moment more finely than the samples."""
    found = next(c for file in simulation.files for c in file.columns if c.id == quantity.column)
    level = found.signal.level if isinstance(found.signal, Above) else quantity.threshold
    return columns[quantity.column], level


def _converged_case(case: Case, simulation: LemsSimulation) -> Seen:
    """The finest run by the case's own tolerances; nothing is extrapolated, as samples lie at other moments then."""
    columns = recorded_columns(simulation, "native", replace(settings_of("tight"), dt_ms=FINEST_MS))
    found = {}
    for quantity in case.quantities:
        column, threshold = _crossed(simulation, quantity, columns)
        found[quantity.id] = measure(replace(quantity, threshold=threshold), {quantity.column: column})
    outcome = judge(case, found)
    fault = outcome.message if outcome.status != "pass" else ""
    return Seen(of_stated=max(outcome.errors.values()), fault=fault)


# ------------------------------------------------------------------------------------- one published simulation


def of_simulation(document: Document, level: str, kept: Path) -> Seen:
    """Every recorded membrane potential of a simulation against NEURON's, extrapolated; traces `kept` as in `Runs`."""
    simulation = comparison.simulation_of(document)
    runs = Runs(document, comparison.REFERENCE, kept)
    if level == CONVERGED:
        return _converged_simulation(document, simulation, runs)
    settings = settings_of(level)
    mine = comparison.voltages(document, "native", settings.dt_ms, settings)
    step_ms, allowed = _settled_step(simulation, runs), stated_for(level, simulation)
    seen = against(mine, runs.both(step_ms), allowed)
    return _finer(seen, simulation, step_ms, lambda finer_ms: against(mine, runs.both(finer_ms), allowed))


def _converged_simulation(document: Document, simulation: LemsSimulation, runs: Runs) -> Seen:
    """While they differ, our steps are halved, and then those of the reference."""
    fine_ms = max(FINEST_MS, simulation.duration_ms / (0.25 * MOST_SAMPLES))
    step_ms, order = _settled_step(simulation, runs), _order(simulation)
    coarse, fine = (_tight(document, dt_ms) for dt_ms in (2.0 * fine_ms, fine_ms))
    seen = _converged((coarse, fine), runs.both(step_ms), order)
    if seen.fault:
        coarse, fine = fine, _tight(document, 0.5 * fine_ms)
        seen = _converged((coarse, fine), runs.both(step_ms), order)
    return _finer(seen, simulation, step_ms, lambda finer_ms: _converged((coarse, fine), runs.both(finer_ms), order))


def _finer(seen: Seen, simulation: LemsSimulation, step_ms: float, judged: Callable[[float], Seen]) -> Seen:
    """While there is a fault, what is `judged` at smaller steps (ms) of the reference: half, then less if cheap.

    It is of first order: where firing is unsteady, what it seems to tend to moves until steps are very small.
    """
    finer_ms, least_ms = 0.5 * step_ms, _largest(simulation) * simulation.duration_ms / (0.5 * MOST_SAMPLES)
    while seen.fault and (finer_ms == 0.5 * step_ms or finer_ms >= least_ms):
        seen = judged(finer_ms)
        finer_ms *= 0.5
    return seen


def _tight(document: Document, dt_ms: float) -> Traces:
    return comparison.voltages(document, "native", dt_ms, settings_of("tight"))


def _order(simulation: LemsSimulation) -> int:
    """By which power of dt the error falls: point cells take NEURON's fixed steps."""
    return 1 if comparison.kind_of(simulation) == "point cell" else 2


def _settled_step(simulation: LemsSimulation, runs: Runs) -> float:
    """The coarser of two steps (ms) of the reference that have the same numbers of spikes."""
    step_ms = comparison.first_step(simulation, comparison.REFERENCE)
    for _ in range(REFINEMENTS):
        pairs = ((pair, level) for _, pair, level, _ in comparison.each_of(runs.both(step_ms)) if level is not None)
        if all(len(crossings(pair[0], level)) == len(crossings(pair[1], level)) for pair, level in pairs):
            break
        step_ms /= 2.0
    return step_ms


def against(mine: Traces, reference: tuple[Traces, Traces], allowed: Stated) -> Seen:
    """Traces of one run against the reference's at two steps."""
    total = Seen()
    for name, pair, level, until_ms in comparison.each_of(reference):
        if level is not None:
            times = [crossings(trace, level) for trace in pair]
            if len(times[0]) != len(times[1]):
                total += Seen(fault=f"{name}: {len(times[0])} and {len(times[1])} spikes in the reference")
                continue
            total += spikes_off(name, crossings(mine[name], level), extrapolate(*times), allowed)
        total += voltage_off(name, comparison.below([(mine[name], mine[name]), pair], until_ms), allowed)
    return total


def _converged(mine: tuple[Traces, Traces], reference: tuple[Traces, Traces], order: int) -> Seen:
    """What both tend to, judged as the fixed steps are."""
    allowed, total = comparison.tolerances("native"), Seen()
    for name, pair, level, until_ms in comparison.each_of(reference):
        own = (mine[0][name], mine[1][name])
        if level is not None:
            times = [crossings(trace, level) for trace in (*own, *pair)]
            if len({len(found) for found in times}) > 1:
                total += Seen(fault=f"{name}: {[len(found) for found in times]} spikes")
                continue
            apart = np.abs(extrapolate(times[0], times[1], order=order) - extrapolate(times[2], times[3]))
            largest = float(apart.max(initial=0.0))
            of_limit = largest / allowed["extrapolated_ms"]
            fault = f"{name}: spike {int(apart.argmax()) + 1} of {len(apart)} {largest:.4f} ms apart"
            total += Seen(len(apart), 0.0, largest, of_stated=of_limit, fault=fault if of_limit > 1.0 else "")
        below = comparison.below([own, pair], until_ms, order=order)
        fault = f"{name}: {below:.4f} mV apart before the first spike"
        of_limit = below / allowed["trace_mV"]
        total += Seen(trace_mV=below, of_stated=of_limit, fault=fault if of_limit > 1.0 else "")
    return total


# ------------------------------------------------------------------------------------------------ errors


def spikes_off(name: str, found: np.ndarray, wanted: np.ndarray, allowed: Stated) -> Seen:
    """Spike times (ms) against the true ones."""
    if len(found) != len(wanted):
        return Seen(len(wanted), fault=f"{name}: {len(found)} spikes, not {len(wanted)}")
    if len(wanted) == 0:
        return Seen()
    off, since = np.abs(found - wanted), wanted - wanted[0]
    of_stated = off / (allowed.first_ms + allowed.later_share * since)
    worst = int(of_stated.argmax())
    beyond = np.clip(off - allowed.first_ms, 0.0, None)[1:] / since[1:]
    said = (
        f"{name}: spike {worst + 1} of {len(off)} is off by {off[worst]:.4f} ms, {since[worst]:.0f} ms after the first"
    )
    return Seen(
        len(off), float(off[0]), float(off.max()), float(beyond.max(initial=0.0)),
        of_stated=float(of_stated[worst]), fault=said if of_stated[worst] > 1.0 else "",
    )  # fmt: skip


def voltage_off(name: str, off_mV: float, allowed: Stated) -> Seen:
    """A voltage without spikes."""
    return _judged(name, off_mV, "trace_mV", "mV where nothing spikes", allowed)


def _judged(name: str, off: float, kind: str, what: str, allowed: Stated) -> Seen:
    of_stated = off / getattr(allowed, kind)
    fault = f"{name}: off by {off:.4g} {what}" if not of_stated <= 1.0 else ""
    return replace(Seen(of_stated=of_stated, fault=fault), **{kind: off})
