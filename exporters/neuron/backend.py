"""NEURON as a backend: generate NMODL, compile it once, bind and run."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import final

from nmlopt.backend import Floats, Integrator, Numerics, Offer, Program, Recordings, Settings, refused_settings
from nmlopt.codegen.input_conditions import sorted_conditions
from nmlopt.errors import Issue, UnsupportedError, raise_errors
from nmlopt.experiment.model import Experiment
from nmlopt.exporters.neuron.build import build, toolchain
from nmlopt.exporters.neuron.mod import Plan, plan
from nmlopt.exporters.neuron.support import unsupported
from nmlopt.exporters.registry import installed_version
from nmlopt.ir.digest import structure_digest
from nmlopt.ir.model import Cell, MechanismKind

GENERATOR_VERSION = "1"


@final
class NeuronBackend:
    """The NEURON simulator. Holds nothing; can be pickled."""

    name = "neuron"
    offer = Offer(
        title="NEURON",
        package="neuron",
        install="pip install neuron",
        numerics=(Numerics.CNEXP, Numerics.JNEUROML),
        integrators=(Integrator.FIXED, Integrator.CVODE),
        tables=True,
        programs=("c++", "make"),
        citation="NEURON: Hines ML, Carnevale NT (1997) The NEURON simulation environment. "
        "Neural Computation 9:1179–1209.",
    )

    def version(self) -> str:
        """Version of NEURON from its package metadata. Raises BackendError B001 if it is not installed."""
        return installed_version(self.offer.package, self.offer.install)

    def unsupported(self, cell: Cell, experiments: Sequence[Experiment]) -> tuple[Issue, ...]:
        """What of this cell and these experiments NEURON cannot do as generated here."""
        return unsupported(cell, experiments)

    def compile(self, cell: Cell, settings: Settings) -> Program:
        """Generate and build. Raises BackendError (B001-B004) and UnsupportedError (B010-B013, B040-B101)."""
        raise_errors((*refused_settings(self, settings), *_refused_combinations(cell, settings)), UnsupportedError)
        settings = settings.on(self.offer)
        tools = toolchain(self.version())
        planned = plan(cell, settings, tools)
        texts = hashlib.sha256("".join(f"{n}\0{t}\0" for n, t in sorted(planned.files.items())).encode())
        texts.update(tools.encode())
        folder = build(planned.files, texts.hexdigest())
        return Program(self.name, cell, settings, _digest(cell, settings, tools), planned.files, folder)

    def simulate(self, program: Program, experiments: Sequence[Experiment], values: Floats) -> tuple[Recordings, ...]:
        """Run every experiment for every row of `values` (n_candidates, n_slots), in the slots' units."""
        from nmlopt.exporters.neuron.simulate import simulate

        return simulate(program, program_plan(program), experiments, values)

    def export(self, program: Program, experiments: Sequence[Experiment], folder: Path) -> tuple[Path, ...]:
        """Write a folder that runs with nothing but NEURON. Raises ResultsError if it exists and is not empty."""
        from nmlopt.exporters.neuron.export import export

        return export(program, program_plan(program), experiments, folder)


@lru_cache(maxsize=4)
def program_plan(program: Program) -> Plan:
    """The plan of a program, made once per process and program."""
    return plan(program.cell, program.settings, toolchain(NeuronBackend().version()))


def _digest(cell: Cell, settings: Settings, tools: str) -> str:
    """Of all that a program is but the present values of its slots and the document they came from."""
    units = tuple(slot.unit for slot in cell.slots)
    parts = (GENERATOR_VERSION, tools, settings.key, cell.id, repr(units), structure_digest(cell))
    return hashlib.sha256("|".join(parts).encode()).hexdigest()


def _refused_combinations(cell: Cell, settings: Settings) -> tuple[Issue, ...]:
    """Settings that exclude each other, all at once (codes B010-B013)."""
    issues = []
    variable, lag = settings.integrator is Integrator.CVODE, settings.numerics is Numerics.JNEUROML
    if variable and any(m.kind is MechanismKind.POINT_CELL for m in cell.mechanisms):
        issues.append(
            Issue("B010", f"'{cell.id}' is a point cell: these run with fixed steps", hint="use --integrator fixed")
        )
    if variable:
        issues.extend(_with_conditions(cell))
    if lag and settings.tables:
        issues.append(Issue("B012", "numerics 'jneuroml' has no tables", hint="leave tables off"))
    if variable and lag:
        issues.append(Issue("B011", "numerics 'jneuroml' is defined for fixed steps", hint="use --integrator fixed"))
    return tuple(issues)


def _with_conditions(cell: Cell) -> Iterator[Issue]:
    """Channels and inputs whose conditions are tested after each fixed step; CVODE knows of none."""
    for mechanism in cell.mechanisms:
        tested = mechanism.kind in (MechanismKind.DENSITY, MechanismKind.POPULATION) and mechanism.dynamics.conditions
        if mechanism.kind is MechanismKind.INPUT:
            tested = sorted_conditions(mechanism.dynamics).steps
        if tested:
            message = f"'{mechanism.name}' has conditions, which are tested at fixed steps"
            yield Issue("B013", message, mechanism.where, "use --integrator fixed")
