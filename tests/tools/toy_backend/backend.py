"""The backend contract at its smallest: C dv/dt = g (E - v) + I(t) between the edges of pulses, by its solution.

The conductance g and the potential E at which no current flows are read off the cell's equations, which must be linear
in v and hold no state; whatever the document calls its channels.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import final

import numpy as np

from nmlopt.backend import Floats, Offer, Program, Recordings, RunStatus, Settings, Trace, refused_settings
from nmlopt.codegen.export_folder import write_folder
from nmlopt.errors import Issue, UnsupportedError, raise_errors
from nmlopt.experiment.model import Experiment, Pulse
from nmlopt.exporters.registry import installed_version
from nmlopt.ir.digest import structure_digest
from nmlopt.ir.model import Cell, Mechanism, MechanismKind, Placement
from nmlopt.lems.evaluate import Value, evaluate

RUN = '''"""Solves the passive cell of cell.json and writes v.csv (ms, mV). Needs nothing but Python."""
import json
import math
from pathlib import Path
from typing import final

here = Path(__file__).parent
cell = json.loads((here / "cell.json").read_text())
rest, tau_ms = cell["E_mV"], cell["tau_ms"]
lines = []
for k in range(round(cell["duration_ms"] / cell["dt_ms"]) + 1):
    t = k * cell["dt_ms"]
    lines.append(f"{t!r},{rest + (cell['v_init_mV'] - rest) * math.exp(-t / tau_ms)!r}")
(here / "v.csv").write_text("\\n".join(lines))
'''


@final
class ToyBackend:
    """Passive cells of one compartment. Holds nothing; can be pickled."""

    name = "toy"
    offer = Offer("the toy", package="numpy", install="pip install numpy", batch=8)

    def version(self) -> str:
        return installed_version(self.offer.package, self.offer.install)

    def unsupported(self, cell: Cell, experiments: Sequence[Experiment]) -> tuple[Issue, ...]:
        return tuple(_obstacles(cell, experiments))

    def compile(self, cell: Cell, settings: Settings) -> Program:
        raise_errors((*refused_settings(self, settings), *self.unsupported(cell, ())), UnsupportedError)
        settings = settings.on(self.offer)
        units = repr([slot.unit for slot in cell.slots])
        digest = hashlib.sha256("|".join((settings.key, cell.id, units, structure_digest(cell))).encode()).hexdigest()
        return Program(self.name, cell, settings, digest, {}, Path())

    def simulate(self, program: Program, experiments: Sequence[Experiment], values: Floats) -> tuple[Recordings, ...]:
        return tuple(_row(program, experiments, row) for row in values.tolist())

    def export(self, program: Program, experiments: Sequence[Experiment], folder: Path) -> tuple[Path, ...]:
        experiment = experiments[0]
        rest_V, tau_s, _ = _constants(program.cell, _present(program.cell), experiment.temperature_K)
        numbers = {
            "E_mV": 1e3 * rest_V,
            "tau_ms": 1e3 * tau_s,
            "v_init_mV": 1e3 * _start(program.cell, _present(program.cell), experiment),
            "duration_ms": experiment.duration_ms,
            "dt_ms": program.settings.dt_ms,
        }
        texts = {"cell.json": json.dumps(numbers), "run.py": RUN, "README.md": "python run.py\n"}
        return write_folder(folder, texts)


def _obstacles(cell: Cell, experiments: Sequence[Experiment]) -> Iterator[Issue]:
    if cell.geometry is None or len(cell.geometry.compartments) != 1:
        yield Issue("B900", f"'{cell.id}' is no cell of one compartment, and the toy has no other")
        return
    for mechanism in cell.mechanisms:
        is_current = mechanism.kind is MechanismKind.DENSITY
        if mechanism.kind is not MechanismKind.INPUT and (not is_current or mechanism.dynamics.states):
            yield Issue("B901", f"'{mechanism.name}' is not passive", mechanism.where)
    for experiment in experiments:
        if not all(isinstance(stimulus, Pulse) for stimulus in experiment.stimuli):
            yield Issue("B902", f"experiment '{experiment.id}': the toy knows pulses only")


def _row(program: Program, experiments: Sequence[Experiment], row: Sequence[float]) -> Recordings:
    cell = program.cell
    slots = [slot.unit.to_si(x) for slot, x in zip(cell.slots, row, strict=True)]
    traces: dict[tuple[str, str], Trace] = {}
    for experiment in experiments:
        t_ms = program.settings.dt_ms * np.arange(round(experiment.duration_ms / program.settings.dt_ms) + 1)
        v = _voltage(cell, slots, experiment, t_ms)
        if not np.isfinite(v).all():
            return Recordings(RunStatus.DIVERGED, {}, f"experiment '{experiment.id}': 'v' is not finite")
        for output in experiment.outputs:
            y = 1e3 * v if output.variable == "v" else _exposed(cell, slots, experiment, output.variable, v)
            traces[experiment.id, output.id] = Trace(t_ms, y)
    return Recordings(RunStatus.OK, traces)


def _voltage(cell: Cell, slots: Sequence[float], experiment: Experiment, t_ms: Floats) -> Floats:
    """v (V) at times, from one edge of the pulses to the next."""
    rest_V, tau_s, resistance_ohm = _constants(cell, slots, experiment.temperature_K)
    pulses = [s for s in experiment.stimuli if isinstance(s, Pulse)]
    edges = sorted({0.0, *(p.delay_ms for p in pulses), *(p.delay_ms + p.duration_ms for p in pulses)})
    v = np.empty_like(t_ms)
    now = _start(cell, slots, experiment)
    for begin, end in zip(edges, [*edges[1:], np.inf], strict=True):
        current_nA = sum(p.amplitude for p in pulses if p.delay_ms <= begin < p.delay_ms + p.duration_ms)
        steady = rest_V + 1e-9 * current_nA * resistance_ohm
        inside = (t_ms >= begin) & (t_ms < end)
        v[inside] = steady + (now - steady) * np.exp(-1e-3 * (t_ms[inside] - begin) / tau_s)
        now = steady + (now - steady) * float(np.exp(-1e-3 * (end - begin) / tau_s))
    return v


def _constants(cell: Cell, slots: Sequence[float], kelvin: float) -> tuple[float, float, float]:
    """Resting potential (V), time constant (s), input resistance (ohm)."""
    assert cell.geometry is not None
    at_0, at_1 = (sum(_density(cell, p, slots, kelvin, v) for p in cell.placements) for v in (0.0, 1.0))
    conductance = at_0 - at_1
    capacitance = float(evaluate(cell.capacitance[-1].value, {}, slots))
    area = cell.geometry.compartments[0].area_m2
    return at_0 / conductance, capacitance / conductance, 1.0 / (conductance * area)


def _start(cell: Cell, slots: Sequence[float], experiment: Experiment) -> float:
    if experiment.v_init_mV is not None:
        return 1e-3 * experiment.v_init_mV
    return float(evaluate(cell.initial_v[-1].value, {}, slots)) if cell.initial_v else -0.065


def _density(cell: Cell, placement: Placement, slots: Sequence[float], kelvin: float, v: float) -> float:
    mechanism = cell.mechanism(placement.mechanism)
    return float(_names(mechanism, placement, slots, kelvin, v)[mechanism.current])


def _exposed(cell: Cell, slots: Sequence[float], experiment: Experiment, variable: str, v: Floats) -> Floats:
    placement = next(p for p in cell.placements if variable.startswith(f"{p.id}/"))
    mechanism = cell.mechanism(placement.mechanism)
    name = dict(mechanism.dynamics.exposures)[variable.removeprefix(f"{placement.id}/")]
    return np.broadcast_to(_names(mechanism, placement, slots, experiment.temperature_K, v)[name], v.shape)


def _names(
    mechanism: Mechanism, placement: Placement, slots: Sequence[float], kelvin: float, v: Value
) -> dict[str, Value]:
    """All that the equations of a mechanism give at a voltage."""
    own = dict(placement.values)
    known: dict[str, Value] = {"v": v, "temperature": kelvin}
    for parameter in mechanism.parameters:
        expr = own[parameter.name] if parameter.value is None else parameter.value
        known[parameter.name] = evaluate(expr, {"temperature": kelvin}, slots)
    for assigned in mechanism.dynamics.assigned:
        known[assigned.name] = evaluate(assigned.value, known, slots)
    return known


def _present(cell: Cell) -> list[float]:
    return [slot.unit.to_si(slot.default) for slot in cell.slots]
