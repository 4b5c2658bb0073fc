"""From a LEMS simulation to a first targets.json: protocols, stimuli, recordings, temperature, starting voltage."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from nmlopt.document.paths import Address
from nmlopt.errors import Issue, Severity, SimulationError
from nmlopt.experiment.model import Attached, Experiment, Output, Played, Pulse, Ramp, Sine, Stimulus, VoltageClamp
from nmlopt.experiment.sites import VOLTAGE, has_voltage
from nmlopt.experiment.skeleton import skeleton
from nmlopt.importers.simulation_model import CellRun, LemsSimulation
from nmlopt.ir.model import Cell, Site
from nmlopt.lems.expression import Num
from nmlopt.spec.text import COMMENT, Json

_MOST_PROTOCOLS: Final = 20
_ZERO_C: Final = 273.15


def choose_run(simulation: LemsSimulation, component: str | None) -> CellRun:
    """The run of the cell that is to be fitted. Raises SimulationError S030 if it is not said, or not there."""
    ids = [run.cell.id for run in simulation.runs]
    if component is None and len(ids) == 1:
        return simulation.runs[0]
    for run in simulation.runs:
        if run.cell.id == component:
            return run
    listed = ", ".join(ids)
    message = f"the simulation holds {len(ids)} kinds of cells: {listed}"
    if component is not None:
        message = f"the simulation records no cell '{component}'; it records {listed}"
    raise SimulationError(Issue("S030", message, simulation.document.main, "choose one with --component"))


def targets_of(
    simulation: LemsSimulation, run: CellRun, addresses: Sequence[Address]
) -> tuple[dict[str, Json], list[Issue]]:
    """Plain data of a targets file with the run's experiments as protocols, and warnings S031 of what is not in it.

    `addresses` are the bindable numbers of the cell. Passes `load` and `check`. Raises TargetsError T037.
    """
    made = skeleton(simulation.document, run.cell, addresses)
    issues: list[Issue] = []
    protocols: list[dict[str, Json]] = []
    for experiment in _distinct(run.experiments):
        if len(protocols) == _MOST_PROTOCOLS:
            issues.append(_left_out(simulation, f"more than {_MOST_PROTOCOLS} protocols"))
            break
        protocols.append(_protocol(simulation, run.cell, experiment, {str(p["id"]) for p in protocols}, issues))
    made["id"] = f"fit_{_name(run.cell.id)}"
    made[COMMENT] = (
        f"Made from the simulation '{simulation.id}' of {simulation.document.main}, whose step is "
        f"{simulation.step_ms:g} ms: choose parameters and bounds, and fill in means and sds from data."
    )
    made["temperature"] = f"{_text(run.experiments[0].temperature_K - _ZERO_C)} degC"
    start = _start(run.cell)
    if start is not None:
        made["v_init"] = f"{_text(start)} mV"
    made["protocols"] = list(protocols)
    made["targets"] = [_retargeted(target, protocols[0]) for target in _dictionaries(made["targets"])]
    order = [key for key in made if key not in ("parameters", "protocols", "targets")]
    return {key: made[key] for key in (*order, "parameters", "protocols", "targets")}, issues


def _distinct(experiments: Sequence[Experiment]) -> Iterator[Experiment]:
    """Instances that are stimulated and recorded alike give one protocol."""
    seen = set()
    for experiment in experiments:
        key = (experiment.stimuli, experiment.outputs)
        if key not in seen:
            seen.add(key)
            yield experiment


def _protocol(
    simulation: LemsSimulation, cell: Cell, experiment: Experiment, taken: set[str], issues: list[Issue]
) -> dict[str, Json]:
    name = _name(experiment.id)
    name = next(n for n in (name, *(f"{name}_{k}" for k in range(2, len(taken) + 3))) if n not in taken)
    stimuli: list[Json] = []
    for stimulus in experiment.stimuli:
        made = _stimulus(cell, stimulus)
        if made is None:
            issues.append(_left_out(simulation, f"a stimulus on '{experiment.id}'"))
        else:
            stimuli.append(made)
    recordings: list[Json] = []
    names: set[str] = set()
    for output in experiment.outputs:
        recordings.append(_recording(cell, output, names))
    if not recordings and has_voltage(cell):
        recordings.append({"id": "v", "quantity": VOLTAGE})
    protocol: dict[str, Json] = {"id": name, "duration": f"{_text(experiment.duration_ms)} ms"}
    if stimuli:
        protocol["stimuli"] = stimuli
    return protocol | {"recordings": recordings}


def _stimulus(cell: Cell, stimulus: Stimulus) -> Json | None:
    unit = "" if _is_dimensionless(cell) else " nA"
    match stimulus:
        case Pulse():
            made: dict[str, Json] = {"type": "pulse", "amplitude": f"{_text(stimulus.amplitude)}{unit}"}
        case Ramp():
            made = {
                "type": "ramp",
                "start": f"{_text(stimulus.start)}{unit}",
                "finish": f"{_text(stimulus.finish)}{unit}",
            }
        case Sine():
            made = {
                "type": "sine",
                "amplitude": f"{_text(stimulus.amplitude)}{unit}",
                "period": f"{_text(stimulus.period_ms)} ms",
                "phase": stimulus.phase_rad,
            }
        case Attached():
            return _input(stimulus) | _at(cell, stimulus.site)
        case Played() | VoltageClamp():
            return None
    window: dict[str, Json] = {
        "delay": f"{_text(stimulus.delay_ms)} ms",
        "duration": f"{_text(stimulus.duration_ms)} ms",
    }
    return {"type": made.pop("type"), **window, **made, **_at(cell, stimulus.site)}


def _input(stimulus: Attached) -> dict[str, Json]:
    """An input of the document, with the events that it got in the simulation."""
    made: dict[str, Json] = {"type": "input", "component": stimulus.component}
    if stimulus.id != stimulus.component:
        made["id"] = stimulus.id
    if stimulus.weight != 1.0:
        made["weight"] = stimulus.weight
    if stimulus.events_ms:
        made["events"] = [f"{_text(time)} ms" for time in stimulus.events_ms]
    return made


def _recording(cell: Cell, output: Output, taken: set[str]) -> dict[str, Json]:
    name = _name(output.variable)
    name = next(n for n in (name, *(f"{name}_{k}" for k in range(2, len(taken) + 3))) if n not in taken)
    taken.add(name)
    return {"id": name, "quantity": output.variable, **_at(cell, output.site)}


def _at(cell: Cell, site: Site) -> dict[str, Json]:
    """The segment that holds a site, and the fraction along it."""
    if cell.geometry is None:
        return {}
    spans = [span for span in cell.geometry.spans if span.section == site.section]
    span = next((s for s in spans if s.start <= site.x <= s.end), spans[0])
    length = span.end - span.start
    fraction = (site.x - span.start) / length if length > 0.0 else 0.5
    return {"at": {"segment": span.segment, "fraction_along": float(f"{min(max(fraction, 0.0), 1.0):.9g}")}}


def _retargeted(target: dict[str, Json], protocol: dict[str, Json]) -> dict[str, Json]:
    """A target of the skeleton on the first protocol and its first recording; a stimulus there is its window."""
    recordings = _dictionaries(protocol["recordings"])
    chosen = next((r for r in recordings if r["quantity"] == VOLTAGE), recordings[0])
    made = target | {"protocol": protocol["id"], "recording": chosen["id"]}
    window = {key: value for key, value in made.items() if key != "window"}
    stimuli = _dictionaries(protocol.get("stimuli", []))
    if stimuli:
        return window
    return window | {"window": {"start": "0 ms", "end": protocol["duration"]}}


def _dictionaries(value: Json) -> list[dict[str, Json]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _is_dimensionless(cell: Cell) -> bool:
    return cell.geometry is None and any("ISyn" in m.dynamics.inputs for m in cell.mechanisms)


def _start(cell: Cell) -> float | None:
    """initMembPotential (mV), if the whole cell has one."""
    if not has_voltage(cell) or cell.geometry is None:
        return None
    values = {a.value for a in cell.initial_v}
    value = values.pop() if len(values) == 1 else None
    return 1e3 * value.value if isinstance(value, Num) else None


def _left_out(simulation: LemsSimulation, what: str) -> Issue:
    message = f"targets.json cannot hold {what}: left out"
    return Issue("S031", message, simulation.document.main, severity=Severity.WARNING)


def _name(text: str) -> str:
    name = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_")
    return name if name and not name[0].isdigit() else f"p_{name}"


def _text(value: float) -> str:
    """A number without the noise of its conversion."""
    return f"{float(f'{value:.12g}'):.12g}"
