"""Runs a cell with current pulses in jNeuroML: jLEMS itself, or its own export to NEURON. A peer for our backends."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import spikes
from export_repairs import Repair

from nmlopt.backend import Trace
from nmlopt.exporters.lems.java import jneuroml
from nmlopt.exporters.lems.java import run as run_program
from nmlopt.exporters.lems.neuron_run import compiler

LIMIT_S = 3600.0

LEMS = """<Lems>
    <Target component="sim"/>
    <Include file="Cells.xml"/>
    <Include file="Networks.xml"/>
    <Include file="Simulation.xml"/>
    <Include file="{model}"/>
{inputs}
    <network id="net"{temperature}>
        {population}
{connections}
    </network>
    <Simulation id="sim" length="{duration_ms}ms" step="{dt_ms}ms" target="net">
        <OutputFile id="out" fileName="out.dat">
            <OutputColumn id="v" quantity="{quantity}"/>
        </OutputFile>
    </Simulation>
</Lems>
"""


@dataclass(frozen=True)
class Pulse:
    """A current pulse on a segment (its middle)."""

    delay_ms: float
    duration_ms: float
    amplitude: str
    segment: int = 0


@dataclass(frozen=True)
class Run:
    """One simulation: a cell of a model file, pulses, and where the voltage is read."""

    model: Path
    cell: str
    duration_ms: float
    dt_ms: float
    pulses: Sequence[Pulse] = ()
    temperature: str = ""
    segment: int | None = None
    is_dimensionless: bool = False
    quantity: str = ""


def voltage(run: Run, folder: Path, *, engine: str) -> tuple[np.ndarray, np.ndarray]:
    """Times (ms) and voltages (mV) of `run` by `engine`: 'jlems', or 'neuron' (jNeuroML's export).

    `folder` must hold the model's file set; the LEMS file is written beside the model.
    """
    lems = run.model.with_name("LEMS_peer.xml")
    lems.write_text(_lems(run))
    how = ["-neuron", "-run", "-nogui", "-compile"] if engine == "neuron" else ["-nogui"]
    said = jneuroml(lems.parent, [lems.name, *how], LIMIT_S)
    output = lems.with_name("out.dat")
    assert output.exists(), said[-3000:]
    table = np.loadtxt(output)
    output.unlink()
    return 1e3 * table[:, 0], 1e3 * table[:, 1]


def exported(run: Run, repair: Repair | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Times (ms) and values (mV, or as they are where the cell is dimensionless) of jNeuroML's export to NEURON.

    As `voltage`, but with all digits; `repair` changes the text of each exported file before it is compiled. The
    model's folder must be a copy that may be written to.
    """
    lems = run.model.with_name("LEMS_peer.xml")
    lems.write_text(_lems(run))
    said = jneuroml(lems.parent, [lems.name, "-neuron", "-nogui"], LIMIT_S)
    script = lems.with_name("LEMS_peer_nrn.py")
    assert script.exists(), said[-3000:]
    script.write_text(script.read_text().replace("%e", "%.17g"))
    for file in (f for ending in ("mod", "hoc", "py") for f in lems.parent.glob(f"*.{ending}") if repair):
        file.write_text(repair(file.name, file.read_text()))
    said += run_program([str(compiler())], lems.parent, LIMIT_S)
    said += run_program([sys.executable, script.name, "-nogui"], lems.parent, LIMIT_S)
    output = lems.with_name("out.dat")
    assert output.exists(), said[-3000:]
    table = np.loadtxt(output)
    scale = 1e3 if not run.quantity or run.quantity.endswith("/v") else 1.0
    return 1e3 * table[:, 0], scale * table[:, 1]


def validates(model: Path) -> str:
    """What jNeuroML's validation says that is wrong with a document; '' if nothing."""
    said = jneuroml(model.parent, ["-validate", model.name], LIMIT_S)
    return "" if "Valid against schema and all tests" in said else said


def _lems(run: Run) -> str:
    tag = "pulseGeneratorDL" if run.is_dimensionless else "pulseGenerator"
    inputs = "\n".join(
        f'    <{tag} id="p{i}" delay="{p.delay_ms}ms" duration="{p.duration_ms}ms" amplitude="{p.amplitude}"/>'
        for i, p in enumerate(run.pulses)
    )
    if run.segment is None:
        population = f'<population id="pop" component="{run.cell}" size="1"/>'
        target = "pop[0]"
        connections = "\n".join(
            f'        <explicitInput target="{target}" input="p{i}" destination="synapses"/>'
            for i in range(len(run.pulses))
        )
        quantity = run.quantity or "pop[0]/v"
    else:
        instance = '<instance id="0"><location x="0" y="0" z="0"/></instance>'
        population = f'<population id="pop" component="{run.cell}" type="populationList">{instance}</population>'
        connections = "\n".join(
            f'        <inputList id="l{i}" population="pop" component="p{i}"><input id="0" '
            f'target="../pop/0/{run.cell}" segmentId="{p.segment}" destination="synapses"/></inputList>'
            for i, p in enumerate(run.pulses)
        )
        quantity = run.quantity or f"pop/0/{run.cell}/{run.segment}/v"
    return LEMS.format(
        model=run.model.name,
        inputs=inputs,
        temperature=f' type="networkWithTemperature" temperature="{run.temperature}"' if run.temperature else "",
        population=population,
        connections=connections,
        duration_ms=run.duration_ms,
        dt_ms=run.dt_ms,
        quantity=quantity,
    )


def crossings(t: np.ndarray, v: np.ndarray, threshold: float = 0.0) -> np.ndarray:
    """Times of upward crossings, linearly interpolated."""
    return spikes.crossings(Trace(t, v), threshold)


def steps_above(t: np.ndarray, v: np.ndarray, threshold: float = 0.0) -> np.ndarray:
    """Times of the first sample above threshold after one at or below: the step in which a spike falls."""
    return t[spikes.step_indices(Trace(t, v), threshold)]
