"""What LEMS cannot do of a cell and its experiments, found before anything is run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nmlopt.errors import Issue
from nmlopt.experiment.model import Attached, Experiment, VoltageClamp
from nmlopt.exporters.lems.layout import is_isopotential, recorded_segment
from nmlopt.ir.model import Cell

_NEURON = "use --backend neuron"
_DEEPEST = 2
"""Steps below a placement that jNeuroML's export can name: variables of gates."""


def unsupported(cell: Cell, experiments: Sequence[Experiment]) -> tuple[Issue, ...]:
    """Every obstacle in the cell and in the experiments (codes B094, B095)."""
    return () if is_isopotential(cell) else tuple(_recordings(cell, experiments))


def _recordings(cell: Cell, experiments: Sequence[Experiment]) -> Iterator[Issue]:
    """LEMS names a place by its segment, and means its middle."""
    assert cell.geometry is not None  # `is_isopotential` says so of point cells
    for experiment in experiments:
        of_inputs = {s.id for s in experiment.stimuli if isinstance(s, Attached)}
        for output in experiment.outputs:
            if output.variable.partition("/")[0] in of_inputs or any(
                isinstance(s, VoltageClamp) and output.variable == "i_clamp" for s in experiment.stimuli
            ):
                message = f"experiment '{experiment.id}': jNeuroML does not write '{output.variable}' of an input"
                yield Issue("B094", message, hint=_NEURON)
            elif output.variable.count("/") > _DEEPEST:
                message = f"experiment '{experiment.id}': jNeuroML does not write '{output.variable}', a part of a gate"
                yield Issue("B094", message, hint=_NEURON)
            elif recorded_segment(cell.geometry, output.site) is None:
                message = f"experiment '{experiment.id}': no segment has its middle where '{output.id}' is recorded"
                yield Issue("B095", message, hint=f"record at the middle of a segment, or {_NEURON}")
