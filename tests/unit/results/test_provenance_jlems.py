"""jLEMS itself reads what we put into annotations (it stops at any element there that it does not know)."""

from __future__ import annotations

import subprocess
from dataclasses import replace

import pytest

from nmlopt.document.read import read
from nmlopt.resources import jneuroml_jar
from nmlopt.results.writeback import write_solution

SIMULATION = """<Lems>
    <Target component="sim"/>
    <Include file="Cells.xml"/>
    <Include file="Networks.xml"/>
    <Include file="Simulation.xml"/>
    <Include file="{model}"/>
    <network id="net"><population id="pop" component="{cell}" size="1"/></network>
    <Simulation id="sim" length="1ms" step="0.01ms" target="net">
        <OutputFile id="out" fileName="v.dat"><OutputColumn id="v" quantity="pop[0]/v"/></OutputFile>
    </Simulation>
</Lems>
"""


@pytest.mark.java
@pytest.mark.parametrize("kind", ["cell", "point cell"])
def test_a_solution_runs_in_jlems(tmp_path, model, kit, kind):
    if kind == "cell":
        # jLEMS cannot read attributes in single quotes, which the model of the other tests has.
        model.write_text(model.read_text(encoding="utf-8").replace("'", '"'), encoding="utf-8")
        provenance = replace(kit.provenance(), targets_id="a \"b\" 'c' <d> & µ")
        arguments = (read(model), kit.leak, kit.solution((4.5, -61.25)), provenance)
    else:
        path = tmp_path / "iz.nml"
        path.write_text(kit.point)
        parameters = kit.parameters(("izhikevich2007Cell:iz/C", "pF", 50.0, 200.0, "linear", 100.0))
        arguments = (read(path), parameters, kit.solution((120.0,)), kit.provenance(("izhikevich2007Cell", "iz")))
    main = write_solution(tmp_path / "s", *arguments)[0]
    cell = "hh" if kind == "cell" else "iz"
    (tmp_path / "s" / "LEMS_run.xml").write_text(SIMULATION.format(model=main.name, cell=cell))
    command = ["java", "-Xmx400M", "-Djava.awt.headless=true", "-jar", str(jneuroml_jar()), "LEMS_run.xml", "-nogui"]
    run = subprocess.run(command, cwd=tmp_path / "s", capture_output=True, text=True, check=False, timeout=120)
    assert run.returncode == 0, run.stdout[-2000:]
    assert len((tmp_path / "s" / "v.dat").read_text().splitlines()) > 90
