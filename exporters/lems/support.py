"""What LEMS cannot do of a cell and its experiments, found before anything is run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nmlopt.document.packed import unpack
from nmlopt.errors import Issue
from nmlopt.experiment.model import Attached, Experiment, VoltageClamp
from nmlopt.exporters.lems.layout import is_at_middle, is_isopotential
from nmlopt.ir.inputs import input_element
from nmlopt.ir.model import Cell, MechanismKind
from nmlopt.lems.resolve import components
from nmlopt.lems.types import ComponentType

_NEURON = "use --backend neuron"
_DEEPEST = 2
"""Steps below a placement that jNeuroML's export can name: variables of gates."""


def unsupported(cell: Cell, experiments: Sequence[Experiment]) -> tuple[Issue, ...]:
    """Every obstacle in the cell and in the experiments (codes B094, B098)."""
    recordings = () if is_isopotential(cell) else tuple(_recordings(experiments))
    return (*random_inputs(cell), *recordings)


def random_inputs(cell: Cell) -> tuple[Issue, ...]:
    """Inputs compiled in that would draw spikes of their own, other ones than the experiment has (code B098)."""
    names = [m.component for m in cell.mechanisms if m.kind is MechanismKind.INPUT]
    if not names or cell.document is None:
        return ()
    known = components(unpack(cell.document))
    return tuple(
        Issue("B098", f"'{name}' makes random spikes, which no two simulators draw alike", hint=_NEURON)
        for name in names
        if _draws(known.instance(input_element(known, name)).type)
    )


def _draws(type_: ComponentType) -> bool:
    dynamics = type_.dynamics
    return dynamics is not None and any("random(" in value for e in dynamics.walk() for value in e.attributes.values())


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
