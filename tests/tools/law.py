"""What tests of the law of DESIGN §1.2 share: everything recorded, run, and compared bit for bit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nmlopt.backend import Program, Recordings
from nmlopt.experiment.model import Experiment, Output, Pulse
from nmlopt.experiment.sites import input_dimension
from nmlopt.exporters import registry
from nmlopt.ir.model import Cell, Site

SITE = Site(section=0, x=0.5, compartment=0)
BACKEND = registry.load("neuron")


def experiment(
    cell: Cell, amplitude: float, duration_ms: float, *, else_K: float = 293.15, only_v: bool = False
) -> Experiment:
    """A pulse at the first compartment, where all that can be is recorded, or the voltage alone.

    `else_K`: the temperature where the document states none.
    """
    takes = input_dimension(cell) is not None and amplitude != 0.0
    stimuli = (Pulse(SITE, 5.0, duration_ms - 10.0, amplitude),) if takes else ()
    has_v = cell.geometry is not None or any(s.name == "v" for m in cell.mechanisms for s in m.dynamics.states)
    variables = ["v"] if has_v else []
    for placement in () if only_v else cell.placements:
        if 0 in placement.compartments:
            exposed = cell.mechanism(placement.mechanism).dynamics.exposures
            variables += [f"{placement.id}/{name}" for name, _ in exposed]
    outputs = tuple(Output(str(i), SITE, v) for i, v in enumerate(dict.fromkeys(variables)))
    return Experiment("e", duration_ms, cell.temperature_K or else_K, stimuli, outputs)


def run(program: Program, experiments: tuple[Experiment, ...], rows: Sequence[Sequence[float]]) -> Sequence[Recordings]:
    """Simulate rows of slot values."""
    values = np.array(rows, dtype=np.float64).reshape(len(rows), len(program.slots))
    return registry.load(program.backend).simulate(program, experiments, values)


def same(found: Recordings, wanted: Recordings, what: str) -> None:
    """Every trace equal in every bit, times too."""
    assert found.status == wanted.status, (what, found.detail, wanted.detail)
    assert found.traces.keys() == wanted.traces.keys()
    assert wanted.traces
    for key, trace in wanted.traces.items():
        assert np.array_equal(found.traces[key].t_ms, trace.t_ms), (what, key)
        difference = np.abs(found.traces[key].y - trace.y).max()
        assert np.array_equal(found.traces[key].y, trace.y), (what, key, difference)


def alike(found: Recordings, wanted: Recordings, what: str) -> None:
    """Every trace equal to a billionth of its largest value: where a compiler may rearrange literals."""
    assert found.status == wanted.status, (what, found.detail, wanted.detail)
    assert found.traces.keys() == wanted.traces.keys()
    for key, trace in wanted.traces.items():
        largest = float(np.abs(trace.y).max())
        difference = float(np.abs(found.traces[key].y - trace.y).max())
        assert difference <= 1e-9 * largest, (what, key, difference, largest)
