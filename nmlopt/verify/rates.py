"""Do the states of a backend start and move as the document's equations say, at the voltage it recorded itself?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nmlopt.backend import Floats
from nmlopt.experiment.currents import current
from nmlopt.experiment.model import Attached, Experiment
from nmlopt.ir.model import Cell, MechanismKind
from nmlopt.lems.evaluate import Value
from nmlopt.verify.equations import CURRENTS, Local, array, compiled, concentration_names
from nmlopt.verify.probes import Probed

START_TOLERANCE = 1e-4
RATE_TOLERANCE = 5e-3
"""Share of a state's movement that no combination of its neighbouring samples explains: 1e-9 where all is right."""
EXPLAINED = 0.98
_JUMP = 20.0


@dataclass(frozen=True)
class Frame:
    """Everything that happens at one compartment of one backend, in SI, on the run's own samples (n,).

    `inputs`: v, t, concentrations, calcium currents, drive. `states`: by mechanism's placement. `solved`: all variables
    by placement, at the samples. `is_complete`: every current there can be computed.
    """

    t_s: Floats
    inputs: Mapping[str, Floats]
    locals: tuple[Local, ...]
    states: tuple[Mapping[str, Floats], ...]
    solved: tuple[Mapping[str, Value], ...]
    is_complete: bool

    @property
    def step_s(self) -> float:
        """The step of the run."""
        return float(np.median(np.diff(self.t_s)))


@dataclass(frozen=True)
class Start:
    """A state's value at t = 0, by the equations and as found."""

    state: str
    expected: float
    found: float


@dataclass(frozen=True)
class Rate:
    """A state that moves otherwise than its equations say.

    `share`: of its movement that is not explained. `factor`: found / expected, None where it is not one number. `at`:
    the sample where it shows most, `expected` and `found` the derivatives there (1/s).
    """

    state: str
    share: float
    factor: float | None
    at: int
    expected: float
    found: float


def frame(cell: Cell, here: tuple[Local, ...], k: int, experiment: Experiment, seen: Probed) -> Frame | None:
    """The compartment `k` from what was recorded; None where not even the voltage was."""
    n = len(seen.t_ms)
    is_point = cell.geometry is None
    inputs: dict[str, Floats] = {"t": 1e-3 * seen.t_ms}
    if (k, "v") in seen.values:
        inputs["v"] = seen.values[k, "v"]
    elif not is_point:
        return None
    names = concentration_names(here)
    inputs |= {name: seen.values[k, recorded] for name, recorded in names.items() if (k, recorded) in seen.values}
    inputs |= {name: np.zeros(n) for name in ("caConc", "caConcExt", "caConc2", "caConcExt2") if name not in names}
    if is_point:
        drive = drive_of(experiment, k, seen, 0.5)
        if drive is None:
            return None
        inputs |= {"iSyn": drive * 1e-9, "ISyn": drive}
    kept: list[tuple[Local, dict[str, Floats]]] = []
    for local in here:
        states = _states(local, k, seen, inputs, is_point=is_point)
        if states is not None and _reads(local) <= {*inputs, *CURRENTS}:
            kept.append((local, states))
    totals = {name: np.zeros(n) for name in CURRENTS}
    solved: list[Mapping[str, Value]] = []
    for local, states in sorted(kept, key=lambda pair: pair[0].mechanism.kind is MechanismKind.POOL):
        found = local.solve({**inputs, **totals, **states})
        solved.append(found)
        for name, ion in CURRENTS.items():
            if local.mechanism.ion == ion and local.mechanism.current:
                totals[name] = totals[name] + array(local.current_into(found), n)
    kept.sort(key=lambda pair: pair[0].mechanism.kind is MechanismKind.POOL)
    with_current = [local for local in here if local.mechanism.current]
    is_complete = all(any(local is own for own, _ in kept) for local in with_current)
    return Frame(
        1e-3 * seen.t_ms,
        {**inputs, **totals},
        tuple(local for local, _ in kept),
        tuple(states for _, states in kept),
        tuple(solved),
        is_complete,
    )


def drive_of(experiment: Experiment, k: int, seen: Probed, shift: float) -> Floats | None:
    """The stimulus a share `shift` of a step after each sample: nA, or plain numbers; None where one is not known."""
    t_ms = seen.t_ms + shift * seen.step_ms
    total = np.zeros(len(t_ms))
    for stimulus in experiment.stimuli:
        if stimulus.site.compartment != k:
            continue
        if isinstance(stimulus, Attached):
            found = [
                seen.values[k, f"{stimulus.id}/{n}"] for n in ("i", "I") if (k, f"{stimulus.id}/{n}") in seen.values
            ]
            if not found:
                return None
            total = total + found[0] * (1e9 if (k, f"{stimulus.id}/i") in seen.values else 1.0)
        elif hasattr(stimulus, "levels"):
            return None  # a clamp: its current follows from the voltage
        else:
            total = total + current(stimulus, t_ms)
    return total


def starts(found: Frame) -> Iterator[tuple[Local, Start]]:
    """States whose value at t = 0 is not that of the equations."""
    first = {name: float(values[0]) for name, values in found.inputs.items()}
    for local, states in zip(found.locals, found.states, strict=True):
        for state in local.states():
            expected = local.start(state, first)
            if expected is None or not np.isfinite(expected):
                continue
            value, scale = float(states[state][0]), float(np.ptp(states[state]))
            if abs(value - float(expected)) > START_TOLERANCE * max(abs(float(expected)), scale):
                yield local, Start(state, float(expected), value)


def rates(found: Frame) -> Iterator[tuple[Local, Rate]]:
    """States that do not move as the equations say.

    A step from one sample to the next may be taken with the inputs of either, or of the one before, and with the state
    of either: implicit, explicit and staggered methods differ in that. What lies outside of all these derivatives is
    no matter of the method.
    """
    for local, states in zip(found.locals, found.states, strict=True):
        if local.mechanism.dynamics.regimes or not local.states() or len(found.t_s) < 4:
            continue
        possible: dict[str, list[Floats]] = {state: [] for state in local.states()}
        quiet = np.ones(len(found.t_s) - 2, dtype=bool)
        for shift in (0, 1, 2):
            for own in (1, 2):
                known = {name: _part(values, shift) for name, values in found.inputs.items()}
                if "v" in states:
                    known["v"] = _part(states["v"], own)
                solved = local.solve({**known, **{s: _part(v, own) for s, v in states.items()}})
                for condition in local.mechanism.dynamics.conditions:
                    quiet &= array(compiled(condition.test)(solved, ()), len(quiet)) == 0.0
                for state in local.states():
                    possible[state].append(array(local.derivative(state, solved), len(quiet)))
        for state in local.states():
            moved = np.diff(states[state])[1:] / found.step_s
            departed = _departed(state, moved, possible[state], quiet)
            if departed is not None:
                yield local, departed


def _departed(state: str, moved: Floats, possible: Sequence[Floats], quiet: np.ndarray) -> Rate | None:
    low, high = np.minimum.reduce(possible), np.maximum.reduce(possible)
    bound = np.maximum(np.abs(low), np.abs(high))
    kept = quiet & np.isfinite(low) & np.isfinite(high)
    kept &= np.abs(moved) < _JUMP * np.max(bound, where=kept, initial=0.0) + 1e-300  # no reset within the step
    if not kept.any():
        return None
    excess = np.where(kept, np.maximum(0.0, np.maximum(moved - high, low - moved)), 0.0)
    middle = 0.5 * (low + high)
    scale = max(float(np.abs(moved[kept]).sum()), float(np.abs(middle[kept]).sum()))
    share = float(excess.sum()) / scale if scale > 0 else 0.0
    if share <= RATE_TOLERANCE:
        return None
    expected = [_over_a_step(begin, end) for begin, end in zip(possible[::2], possible[1::2], strict=True)]
    fits, factor, nearest = max(
        ((*_multiple(moved[kept], rate[kept]), rate) for rate in expected), key=lambda found: found[0]
    )
    at = int(np.argmax(excess))
    return Rate(state, share, factor if fits > EXPLAINED else None, at + 1, float(nearest[at]), float(moved[at]))


def _over_a_step(begin: Floats, end: Floats) -> Floats:
    """The mean derivative over a step from those at its begin and end, for a state that decays: the logarithmic mean.

    It stays the right one where the state decays faster or slower by a factor.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(begin != 0, end / begin, 1.0)
        decays = (ratio > 0) & (np.abs(ratio - 1.0) > 1e-6)
        return np.where(decays, (end - begin) / np.log(np.where(decays, ratio, np.e)), 0.5 * (begin + end))


def _multiple(moved: Floats, rate: Floats) -> tuple[float, float]:
    """Share of the squares of `moved` that a multiple of `rate` explains, and that multiple."""
    norm = float(rate @ rate)
    factor = float(moved @ rate) / norm if norm > 0 else 0.0
    return 1.0 - float(((moved - factor * rate) ** 2).sum()) / float((moved**2).sum() or 1.0), factor


def _part(values: Floats, first: int) -> Floats:
    """The samples from `first` on, two fewer than there are in all."""
    return values[first : len(values) - 2 + first]


def _states(
    local: Local, k: int, seen: Probed, inputs: Mapping[str, Floats], *, is_point: bool
) -> dict[str, Floats] | None:
    """The recorded states of a mechanism; None where one was not recorded."""
    found = {}
    for state in local.mechanism.dynamics.states:
        if is_point and state.name == "v" and "v" in inputs:
            found["v"] = inputs["v"]
            continue
        recorded = local.recorded.get(state.name)
        if recorded is None or (k, recorded) not in seen.values:
            return None
        found[state.name] = seen.values[k, recorded]
    return found


def _reads(local: Local) -> set[str]:
    return set(local.mechanism.dynamics.inputs) - {"temperature", "surfaceArea"}
