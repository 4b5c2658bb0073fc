"""Runs a cell with current pulses in jNeuroML: jLEMS itself, or its own export to NEURON. A peer for our backends."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import spikes
from export_repairs import Repair

from nmlopt.backend import Trace
from nmlopt.resources import jneuroml_jar

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
    java = shutil.which("java")
    assert java, "java is needed: sudo apt-get install default-jre-headless"
    command = [java, "-Xmx1G", "-jar", str(jneuroml_jar()), lems.name]
    command += ["-neuron", "-run", "-nogui", "-compile"] if engine == "neuron" else ["-nogui"]
    environment = {**os.environ, "NEURON_HOME": sys.prefix, "PATH": f"{sys.prefix}/bin:{os.environ['PATH']}"}
    ran = subprocess.run(command, cwd=lems.parent, capture_output=True, text=True, check=False, env=environment)
    output = lems.with_name("out.dat")
    assert output.exists(), ran.stdout[-3000:] + ran.stderr[-3000:]
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
    java = shutil.which("java")
    assert java, "java is needed: sudo apt-get install default-jre-headless"
    said = _said([java, "-Xmx2G", "-jar", str(jneuroml_jar()), lems.name, "-neuron", "-nogui"], lems.parent)
    script = lems.with_name("LEMS_peer_nrn.py")
    assert script.exists(), said[-3000:]
    script.write_text(script.read_text().replace("%e", "%.17g"))
    for file in (f for ending in ("mod", "hoc", "py") for f in lems.parent.glob(f"*.{ending}") if repair):
        file.write_text(repair(file.name, file.read_text()))
    said += _said([f"{sys.prefix}/bin/nrnivmodl"], lems.parent)
    said += _said([sys.executable, script.name, "-nogui"], lems.parent)
    output = lems.with_name("out.dat")
    assert output.exists(), said[-3000:]
    table = np.loadtxt(output)
    scale = 1e3 if not run.quantity or run.quantity.endswith("/v") else 1.0
    return 1e3 * table[:, 0], scale * table[:, 1]


def _said(command: Sequence[str], folder: Path) -> str:
    environment = {**os.environ, "NEURON_HOME": sys.prefix, "PATH": f"{sys.prefix}/bin:{os.environ['PATH']}"}
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=environment)
    return ran.stdout + ran.stderr


def validates(model: Path) -> str:
    """What jNeuroML's validation says that is wrong with a document; '' if nothing."""
    command = [str(shutil.which("java")), "-jar", str(jneuroml_jar()), "-validate", model.name]
    ran = subprocess.run(command, cwd=model.parent, capture_output=True, text=True, check=False)
    return "" if ran.returncode == 0 and "Valid against schema and all tests" in ran.stdout else ran.stdout + ran.stderr


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
