"""Published cells beside the checkout with our targets for them: what equivalence tests and benchmarks run.

A case's protocols are targets.json files written by us (tests/data/osb_targets). jNeuroML runs the published LEMS file
itself, of which only length, step and what is written out are changed: so the protocols are checked too.
"""

from __future__ import annotations

import math
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from export_repairs import Repair, nernst_of_the_types, plain_literals, rates_in_order
from lxml import etree

from nmlopt.backend import Integrator, Numerics, Program, Settings, Trace
from nmlopt.document.model import Document
from nmlopt.document.paths import resolve as resolve_path
from nmlopt.document.read import read
from nmlopt.experiment.model import Experiment
from nmlopt.experiment.resolve import resolve
from nmlopt.exporters import registry
from nmlopt.ir.lower import lower
from nmlopt.resources import jneuroml_jar
from nmlopt.spec.load import load

TARGETS = Path(__file__).parents[1] / "data" / "osb_targets"
Traces = Mapping[tuple[str, str], Trace]


@dataclass(frozen=True)
class Case:
    """One published cell.

    `columns` gives the LEMS quantity of each recording ('protocol/recording') that jNeuroML writes out; SI, so voltages
    are scaled to mV. `threshold` is what a spike crosses upwards in the first recording. `dt_ms`: of the comparison
    with jNeuroML; `coarse_ms`: the first of three halved steps in the comparison of the numerics, which takes spikes
    up to `until_ms`. `repairs`: defects of the export without which spikes fall into other steps.
    """

    name: str
    lems: str
    columns: Mapping[str, str]
    dt_ms: float
    coarse_ms: float
    threshold: float = 0.0
    until_ms: float = math.inf
    is_slow: bool = True
    repairs: tuple[Repair, ...] = ()

    @property
    def repository(self) -> str:
        """The folder of the published repository."""
        return self.lems.split("/")[0]


@dataclass(frozen=True)
class Problem:
    """A case read and resolved: document, experiments, and the path of its parameter."""

    document: Document
    component: str | None
    experiments: tuple[Experiment, ...]
    paths: tuple[str, ...]


_EXAMPLES = "NeuroML2/LEMSexamples"
_ALLEN = "AllenInstituteNeuroML/CellTypesDatabase/models/NeuroML2"
_FN = "FitzHugh-Nagumo/NeuroML2/LEMS_FitzHughNagumo.xml"
_IAF = f"{_EXAMPLES}/LEMS_NML2_Ex0_IaF.xml"

CASES = (
    Case(
        "hh_detailed", f"{_EXAMPLES}/LEMS_NML2_Ex5_DetCell.xml", {"pulse/soma": "hhpop[0]/v"}, 0.01, 0.01, is_slow=False
    ),
    Case(
        "hh_tutorial",
        "hodgkin_huxley_tutorial/Tutorial/Source/LEMS_HH_Simulation.xml",
        {"two_pulses/soma": "hhpop[0]/v"},
        0.01,
        0.01,
    ),
    Case(
        "pospischil_rs",
        "PospischilEtAl2008/NeuroML2/cells/RS/LEMS_RS.xml",
        {"pulse/soma": "CG_RS/0/RS/v"},
        0.001,
        0.01,
    ),
    Case(
        "pospischil_lts",
        "PospischilEtAl2008/NeuroML2/cells/LTS/LEMS_LTS.xml",
        {"pulse/soma": "CG_LTS/0/LTS/v", "pulse/calcium": "CG_LTS/0/LTS/caConc"},
        0.001,
        0.004,
    ),
    Case(
        "allen_soma",
        f"{_ALLEN}/LEMS_SomaTest.xml",
        {"down_up/soma": "TestSoma/0/Soma_Test/v", "down_up/calcium": "TestSoma/0/Soma_Test/caConc"},
        0.0025,
        0.005,
    ),
    Case(
        "golgi_soma",
        "SolinasEtAl-GolgiCell/NeuroML2/LEMS_Soma_Test_HELPER.xml",
        {
            "down_up/soma": "CG_Test/0/TestSoma/v",
            "down_up/calcium": "CG_Test/0/TestSoma/caConc",
        },
        0.0025,
        0.005,
        until_ms=185.0,  # later it fires on its own, near threshold: distances add up to milliseconds
        repairs=(plain_literals, nernst_of_the_types),
    ),
    Case(
        "multi_compartment",
        f"{_EXAMPLES}/LEMS_NML2_Ex25_MultiComp.xml",
        {
            "from_20_ms/soma": "pop0/0/MultiCompCell/0/v",
            "from_20_ms/dendrite1": "pop0/0/MultiCompCell/1/v",
            "from_20_ms/dendrite2": "pop0/0/MultiCompCell/2/v",
            "from_20_ms/dendrite3": "pop0/0/MultiCompCell/3/v",
            "from_30_ms/soma": "pop0/2/MultiCompCell/0/v",
            "from_30_ms/dendrite3": "pop0/2/MultiCompCell/3/v",
        },
        0.005,
        0.005,
        is_slow=False,
    ),
    Case(
        "ball_and_stick",
        "ArborShowcase/NeuroML2/LEMS_SimTestNet.xml",
        {
            "pulse/soma": "pop0/0/BallAndStick/0/v",
            "pulse/dendrite5": "pop0/0/BallAndStick/5/v",
            "pulse/dendrite10": "pop0/0/BallAndStick/10/v",
        },
        0.025,
        0.025,
        threshold=-60.0,
    ),
    Case(
        "pyramidal",
        f"{_EXAMPLES}/morphologies/LEMS_pyrfull_in.xml",
        {"pulse/soma": "pyramidals/0/pyr_4_sym/0/v", "pulse/dendrite3": "pyramidals/0/pyr_4_sym/3/v"},
        0.0025,
        0.005,
    ),
    Case(
        "allen_483108201",
        f"{_ALLEN}/LEMS_483108201.xml",
        {
            "pulse/soma": "Pop_Cell_483108201/0/Cell_483108201/v",
            "pulse/calcium": "Pop_Cell_483108201/0/Cell_483108201/caConc",
        },
        0.025,
        0.0125,  # at 0.025 ms errors of second order still count
    ),
    Case(
        "superficial_basket",
        "Thalamocortical/NeuroML2/test/LEMS_supbaskFigA2a.xml",
        {"down_up/soma": "CGsupbask/0/SupBasket/v"},
        0.025,
        0.0125,
        repairs=(rates_in_order,),
    ),
    Case(
        "ghk",
        "ghk-nernst/NeuroML2/LEMS_ghk_na_k_ca.xml",
        {"pulse/soma": "pop0/0/na_k_ca/v", "pulse/calcium": "pop0/0/na_k_ca/caConc"},
        0.001,
        0.01,
    ),
    Case(
        "nernst",
        "ghk-nernst/NeuroML2/LEMS_nernst_na_k_ca.xml",
        {"pulse/soma": "pop0/0/na_k_ca/v", "pulse/calcium": "pop0/0/na_k_ca/caConc"},
        0.001,
        0.01,
    ),
    Case(
        "izhikevich_2007",
        "IzhikevichModel/NeuroML2/LEMS_2007One.xml",
        {"current/soma": "RS_pop/0/RS/v"},
        0.0025,
        0.01,
        is_slow=False,
        repairs=(plain_literals,),
    ),
    Case("iaf", _IAF, {"rest/soma": "iafPop[0]/v"}, 0.005, 0.01, threshold=-55.5),
    Case("iafRef", _IAF, {"rest/soma": "iafRefPop[0]/v"}, 0.005, 0.01, threshold=-55.5),
    Case("iafTau", _IAF, {"rest/soma": "iafTauPop[0]/v"}, 0.005, 0.01, threshold=-55.5),
    Case("iafTauRef", _IAF, {"rest/soma": "iafTauRefPop[0]/v"}, 0.005, 0.01, threshold=-55.5),
    Case(
        "fitzhugh_nagumo",
        _FN,
        {"rest/V": "fn1pop[0]/V", "rest/W": "fn1pop[0]/W"},
        0.01,
        0.02,
    ),
)
BY_NAME = {case.name: case for case in CASES}


def problem(case: Case, data: Path) -> Problem:
    """The case's document and targets, read and resolved by the code under test."""
    document = read(data / "osb" / case.lems)
    targets = load(TARGETS / f"{case.name}.json")
    cell = lower(document, component=targets.component)
    experiments = resolve(targets, document, cell, folder=TARGETS)
    return Problem(document, targets.component, experiments, tuple(p for q in targets.parameters for p in q.paths))


def compiled(found: Problem, settings: Settings) -> Program:
    """The program of a problem with its parameter free, so that it is compiled as it is for a fit."""
    free = [a for path in found.paths for a in resolve_path(found.document, path)]
    return registry.load("neuron").compile(lower(found.document, free, component=found.component), settings)


def ours(found: Problem, numerics: Numerics, dt_ms: float) -> Traces:
    """Our traces at the published values."""
    settings = Settings(dt_ms=dt_ms, numerics=numerics, integrator=Integrator.FIXED)
    program = compiled(found, settings)
    values = np.array([[slot.default for slot in program.slots]])
    (run,) = registry.load("neuron").simulate(program, found.experiments, values)
    assert run.status == "ok", run.detail
    return run.traces


def peers(
    case: Case,
    found: Problem,
    data: Path,
    folder: Path,
    *,
    engine: str,
    dt_ms: float,
    repair: Repair | None = None,
) -> Traces:
    """jNeuroML's traces of the published LEMS file: engine 'neuron' (its own export) or 'jlems'.

    Voltages in mV, all else in SI. `repair` changes the text of each exported
    file before it is compiled.
    """
    copy = folder / case.repository
    shutil.copytree(data / "osb" / case.repository, copy, dirs_exist_ok=True)
    published = folder / case.lems
    lems = published.with_name("LEMS_peer.xml")
    lems.write_bytes(_shortened(published, case, max(e.duration_ms for e in found.experiments), dt_ms))
    java = [_java(), "-Xmx2G", "-jar", str(jneuroml_jar()), lems.name]
    if engine == "jlems":
        said = _run([*java, "-nogui"], lems.parent)
    else:
        said = _run([*java, "-neuron", "-nogui"], lems.parent)
        script = lems.with_name("LEMS_peer_nrn.py")
        script.write_text(script.read_text().replace("%e", "%.17g"))  # prints all digits instead of seven
        for file in (f for ending in ("mod", "hoc", "py") for f in lems.parent.glob(f"*.{ending}") if repair):
            file.write_text(repair(file.name, file.read_text()))
        said += _run([str(Path(sys.prefix, "bin", "nrnivmodl"))], lems.parent)
        said += _run([sys.executable, "LEMS_peer_nrn.py", "-nogui"], lems.parent)
    output = lems.with_name("peer.dat")
    assert output.exists(), said[-3000:]
    return _columns(case, found, np.loadtxt(output), dt_ms)


def _run(command: list[str], folder: Path) -> str:
    environment = {**os.environ, "PATH": f"{sys.prefix}/bin:{os.environ['PATH']}"}
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=environment)
    return ran.stdout + ran.stderr


def _java() -> str:
    java = shutil.which("java")
    assert java, "java is needed: sudo apt-get install default-jre-headless"
    return java


def _shortened(published: Path, case: Case, duration_ms: float, dt_ms: float) -> bytes:
    tree = etree.parse(str(published))
    (simulation,) = (e for e in tree.getroot() if isinstance(e.tag, str) and _is_simulation(e))
    simulation.set("length", f"{duration_ms}ms")
    simulation.set("step", f"{dt_ms}ms")
    for child in list(simulation):
        simulation.remove(child)
    namespace = re.match(r"\{.*\}|", simulation.tag)
    prefix = namespace.group() if namespace else ""
    file = etree.SubElement(simulation, f"{prefix}OutputFile", id="peer", fileName="peer.dat")
    for position, quantity in enumerate(case.columns.values()):
        etree.SubElement(file, f"{prefix}OutputColumn", id=f"c{position}", quantity=quantity)
    return bytes(etree.tostring(tree, xml_declaration=True, encoding="utf-8"))


def _is_simulation(element: etree._Element) -> bool:
    return etree.QName(element).localname == "Simulation" or element.get("type") == "Simulation"


def _columns(case: Case, found: Problem, table: np.ndarray, dt_ms: float) -> Traces:
    """Rows are steps: jNeuroML rounds the times that it prints, the row number does not."""
    traces = {}
    variables = {(e.id, o.id): (o.variable, e.duration_ms) for e in found.experiments for o in e.outputs}
    for position, name in enumerate(case.columns, 1):
        protocol, recording = name.split("/")
        variable, duration_ms = variables[protocol, recording]
        rows = round(duration_ms / dt_ms) + 1
        values = table[:rows, position] * (1e3 if variable == "v" else 1.0)
        traces[protocol, recording] = Trace(np.arange(len(values)) * dt_ms, values)
    return traces
