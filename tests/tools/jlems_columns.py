"""Runs components of a document in jLEMS, all in one simulation, and reads columns of what they do."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nmlopt.resources import jneuroml_jar

_LEMS = """<Lems>
  <Target component="sim"/>
  <Include file="Cells.xml"/><Include file="PyNN.xml"/><Include file="Networks.xml"/><Include file="Simulation.xml"/>
  <Include file="{model}"/>
  {inputs}
  <network id="net" type="networkWithTemperature" temperature="{temperature_K} K">
    {populations}
    {attached}
  </network>
  <Simulation id="sim" length="{duration_ms}ms" step="{dt_ms}ms" target="net">
    <OutputFile id="o" fileName="columns.dat">{columns}</OutputFile>
  </Simulation>
</Lems>
"""


@dataclass(frozen=True)
class Wanted:
    """One cell: its component, the paths to read in it, and the input component that drives it ('' for none)."""

    component: str
    paths: Sequence[str]
    input: str = ""


def columns(
    model: Path, wanted: Sequence[Wanted], *, duration_ms: float, dt_ms: float, temperature_K: float, inputs: str = ""
) -> Mapping[tuple[str, str], np.ndarray]:
    """Values in SI by (component, path), times (ms) under ("", "t"). The LEMS file is written beside `model`."""
    rows = [(w.component, path) for w in wanted for path in w.paths]
    text = _LEMS.format(
        model=model.name,
        inputs=inputs,
        temperature_K=temperature_K,
        populations="".join(f'<population id="p_{w.component}" component="{w.component}" size="1"/>' for w in wanted),
        attached="".join(
            f'<explicitInput target="p_{w.component}[0]" input="{w.input}" destination="synapses"/>'
            for w in wanted
            if w.input
        ),
        duration_ms=duration_ms,
        dt_ms=dt_ms,
        columns="".join(f'<OutputColumn id="c{i}" quantity="p_{c}[0]/{path}"/>' for i, (c, path) in enumerate(rows)),
    )
    lems = model.with_name("LEMS_columns.xml")
    lems.write_text(text)
    java = shutil.which("java")
    assert java, "java is needed: sudo apt-get install default-jre-headless"
    command = [java, "-Xmx1G", "-jar", str(jneuroml_jar()), lems.name, "-nogui"]
    ran = subprocess.run(command, cwd=model.parent, capture_output=True, text=True, check=False)
    output = model.with_name("columns.dat")
    assert output.exists(), ran.stdout[-2000:] + ran.stderr[-4000:]
    table = np.loadtxt(output)
    output.unlink()
    found = {row: table[:, i] for i, row in enumerate(rows, 1)}
    return {**found, ("", "t"): 1e3 * table[:, 0]}
