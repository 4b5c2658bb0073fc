"""What LEMS cannot do of a cell and its experiments, found before anything is run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nmlopt.errors import Issue
from nmlopt.experiment.model import Attached, Experiment, VoltageClamp
from nmlopt.exporters.lems.layout import is_at_middle, is_isopotential
from nmlopt.ir.model import Cell

_NEURON = "use --backend neuron"
_DEEPEST = 2
"""Steps below a placement that jNeuroML's export can name: variables of gates."""


def unsupported(cell: Cell, experiments: Sequence[Experiment]) -> tuple[Issue, ...]:
    """Every obstacle in the cell and in the experiments (code B094)."""
    return () if is_isopotential(cell) else tuple(_recordings(experiments))


def not_written(cell: Cell, experiments: Sequence[Experiment]) -> tuple[Issue, ...]:
    """Recordings that a LEMS file cannot name (B095): a run moves them in what jNeuroML generates."""
    geometry = cell.geometry
    if geometry is None or is_isopotential(cell):
        return ()
    return tuple(
        Issue(
            "B095",
            f"experiment '{e.id}': '{o.id}' is not at the middle of a segment, the only place that LEMS can name",
            hint="record at the middle of a segment: fraction_along 0.5",
        )
        for e in experiments
        for o in e.outputs
        if not is_at_middle(geometry, o.site)
    )


def _recordings(experiments: Sequence[Experiment]) -> Iterator[Issue]:
    """What jNeuroML's export does not write into a file."""
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
