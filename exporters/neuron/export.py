"""A folder that runs with nothing but NEURON: mod files, hoc template, experiments, README."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

from nmlopt.backend import Floats, Integrator, Program
from nmlopt.codegen.export_folder import write_folder
from nmlopt.codegen.templating import environment, num
from nmlopt.experiment.model import Experiment, Output
from nmlopt.experiment.voltage_clamps import clamp_of, clamps
from nmlopt.exporters.neuron.bind import OWN_VOLTAGE
from nmlopt.exporters.neuron.build import COMPILER_FLAGS
from nmlopt.exporters.neuron.derived import derived
from nmlopt.exporters.neuron.export_inputs import AttachedText
from nmlopt.exporters.neuron.hoc import CellText, cell_text, node, section_names
from nmlopt.exporters.neuron.mod import TEMPLATES, Plan
from nmlopt.exporters.neuron.stimuli import Current, currents, drive_samples

_PER_LINE = 8


@dataclass(frozen=True, slots=True)
class TraceFile:
    """One written trace."""

    file: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Run:
    """One experiment as a hoc procedure, with the object names it needs."""

    id: str
    name: str
    objects: tuple[str, ...]
    lines: tuple[str, ...]


def export(program: Program, plan: Plan, experiments: Sequence[Experiment], folder: Path) -> tuple[Path, ...]:
    """Write the folder; the files written. Raises ResultsError R010 if the folder exists and is not empty."""
    return write_folder(folder, export_texts(program, plan, experiments))


def export_texts(program: Program, plan: Plan, experiments: Sequence[Experiment]) -> dict[str, str]:
    """All files of the folder by relative name."""
    cell, settings = program.cell, program.settings
    slots = [slot.unit.to_si(slot.default) for slot in cell.slots]
    temperatures = tuple(dict.fromkeys(e.temperature_K for e in experiments))
    text = cell_text(cell, plan, slots, temperatures)
    writer = _Runs(program, plan, text)
    runs = [writer.run(index, experiment) for index, experiment in enumerate(experiments)]
    env = environment(TEMPLATES)
    shared = {
        "cell": text, "dt_ms": settings.dt_ms, "atol": settings.atol, "numerics": str(settings.numerics),
        "variable": settings.integrator is Integrator.CVODE, "flags": COMPILER_FLAGS,
    }  # fmt: skip
    names = {"version": version("nmlopt"), "neuron_version": version("neuron")}
    return {
        **{f"mod/{name}": source for name, source in program.files.items()},
        **writer.files,
        "cell.hoc": env.get_template("cell.hoc.j2").render(cell=text),
        "init.hoc": env.get_template("init.hoc.j2").render(runs=runs, globals=_ion_defaults(plan), **shared),
        "run.py": env.get_template("run.py.j2").render(flags=COMPILER_FLAGS),
        "README.md": env.get_template("README.md.j2").render(
            traces=writer.traces, omitted=sorted(writer.omitted), **names, **shared
        ),
    }


def _ion_defaults(plan: Plan) -> list[str]:
    variables = {"caConc": "cai0_ca_ion", "caConcExt": "cao0_ca_ion",
                 "caConc2": "ca2i0_ca2_ion", "caConcExt2": "ca2o0_ca2_ion"}  # fmt: skip
    used = {name for part in plan.parts for name in part.mechanism.dynamics.inputs}
    return [variable for name, variable in variables.items() if name in used]


class _Runs:
    """Writes the experiments; gathers the traces they leave and the files they read."""

    def __init__(self, program: Program, plan: Plan, text: CellText) -> None:
        self._cell = program.cell
        self._plan = plan
        self._settings = program.settings
        self._text = text
        self._sections = section_names(program.cell)
        self._own_voltage = any(p.interface.states.get("v") == OWN_VOLTAGE for p in plan.parts)
        self._driven = any(p.interface.has_drive for p in plan.parts)
        self.traces: list[TraceFile] = []
        self.omitted: set[str] = set()
        self.files: dict[str, str] = {}

    def run(self, index: int, experiment: Experiment) -> Run:
        """One experiment."""
        self._attached = AttachedText(self._cell, self._plan, self._sections, index, experiment)
        objects: list[str] = [*self._attached.objects]
        lines = [f"cell.parameters_{self._text.temperatures_K.index(experiment.temperature_K)}()"]
        lines.append(f"celsius = {num(experiment.temperature_K - 273.15)}")
        lines += self._stimuli(index, experiment, objects)
        lines += self._attached.setup()
        lines += self._recorders(index, experiment, objects)
        lines += self._start(experiment)
        lines += ["finitialize()", *self._attached.deliver(), f"pc.psolve({num(experiment.duration_ms)})"]
        for number, output in enumerate(experiment.outputs):
            lines += self._save(f"{index}_{number}", f"time_{index}", experiment, output)
        lines += [f"{name} = nil" for name in objects]
        return Run(experiment.id, f"experiment_{index}", tuple(objects), tuple(lines))

    def _start(self, experiment: Experiment) -> list[str]:
        lines = []
        if self._cell.geometry is None:
            given = experiment.v_init_mV is not None
            lines += [f"cell.point.start_given = {int(given)}"]
            lines += [f"cell.point.start = {num(0.001 * (experiment.v_init_mV or 0.0))}"]
        if experiment.v_init_mV is None:
            return [*lines, "cell.initial_voltage()"]
        return [*lines, f"forall {{ v = {num(experiment.v_init_mV)} }}"]

    def _stimuli(self, index: int, experiment: Experiment, objects: list[str]) -> list[str]:
        if self._driven:
            return self._drive(index, experiment, objects)
        lines: list[str] = []
        for number, current in enumerate(currents(experiment)):
            lines += self._current(f"stim_{index}_{number}", current, objects)
        for number, clamp in enumerate(clamps(experiment)):
            name = f"clamp_{index}_{number}"
            objects += [name, f"{name}_y", f"{name}_t"]
            section, x = node(self._cell, self._sections, clamp.compartment)
            lines += [f"cell.{section} {{ {name} = new SEClamp({x}) }}"]
            lines += [f"{name}.rs = {num(clamp.series_resistance_Mohm)}", f"{name}.dur1 = {num(clamp.end_ms)}"]
            lines += [f"{name}.amp1 = {num(float(clamp.targets_mV[0]))}"]
            lines += [*_vector(f"{name}_y", clamp.targets_mV), *_vector(f"{name}_t", clamp.times_ms)]
            if len(clamp.targets_mV) > 1:
                lines.append(f"{name}_y.play(&{name}.amp1, {name}_t)")
        return lines

    def _current(self, name: str, current: Current, objects: list[str]) -> list[str]:
        objects.append(name)
        section, x = node(self._cell, self._sections, current.compartment)
        kind = self._plan.sine if current.is_sine else "IClamp"
        delay = "delay" if current.is_sine else "del"
        lines = [f"cell.{section} {{ {name} = new {kind}({x}) }}"]
        values = ((delay, current.delay_ms), ("dur", current.duration_ms), ("amp", current.amplitude))
        lines += [f"{name}.{key} = {num(value)}" for key, value in values]
        if current.is_sine:
            lines += [f"{name}.period = {num(current.period_ms)}", f"{name}.phase = {num(current.phase_rad)}"]
        if current.times_ms is not None and current.amplitudes is not None:
            objects += [f"{name}_y", f"{name}_t"]
            lines += [*_vector(f"{name}_y", current.amplitudes), *_vector(f"{name}_t", current.times_ms)]
            lines.append(f"{name}_y.play(&{name}.amp, {name}_t, 1)")
        return lines

    def _drive(self, index: int, experiment: Experiment, objects: list[str]) -> list[str]:
        dimensionless = any("ISyn" in p.mechanism.dynamics.inputs for p in self._plan.parts)
        samples = drive_samples(experiment.stimuli, experiment.duration_ms, self._settings.dt_ms)
        values = np.append(samples * (1.0 if dimensionless else 1e-9), 0.0)
        name, file = f"drive_{index}", f"drive_{index}.txt"
        self.files[file] = "".join(f"{num(float(x))}\n" for x in values)
        objects.append(name)
        return [f"{name} = new Vector()", f'read_numbers("{file}", {name})', f"{name}.play(&cell.point.drive, dt)"]

    def _recorders(self, index: int, experiment: Experiment, objects: list[str]) -> list[str]:
        lines = [f"time_{index} = new Vector()"]
        objects.append(f"time_{index}")
        if self._settings.integrator is Integrator.CVODE:
            lines.append(f"time_{index}.record(&t)")
        for number, output in enumerate(experiment.outputs):
            for ending, reference in self._references(experiment, output):
                name = f"rec_{index}_{number}{ending}"
                objects.append(name)
                lines += [f"{name} = new Vector()", f"{name}.record(&{reference})"]
        return lines

    def _references(self, experiment: Experiment, output: Output) -> list[tuple[str, str]]:
        """(ending of the vector's name, hoc variable) for what an output records."""
        if output.variable == "v" and self._own_voltage:
            return [("", f"cell.point.{OWN_VOLTAGE}"), ("_t", "cell.point.spike_t"), ("_v", "cell.point.spike_v")]
        clamped = output.variable == "i_clamp"
        compartment = clamp_of(experiment, output).compartment if clamped else output.site.compartment
        section, x = node(self._cell, self._sections, compartment)
        if output.variable in ("v", "i_clamp"):
            return [("", f"cell.{section}.v({x})")]
        if self._attached.owns(output):
            found = self._attached.source(output)
            if found is None:
                self.omitted.add(output.variable)
            return [("", found[0])] if found else []
        source = self._plain(output)
        if source is None:
            self.omitted.add(output.variable)
            return []
        variable, _ = source
        if self._cell.geometry is None:
            return [("", f"cell.point.{variable}")]
        return [("", f"cell.{section}.{variable}({x})")]

    def _plain(self, output: Output) -> tuple[str, float] | None:
        """(variable, factor) of an output that is recorded as it is; None if it follows from several."""
        if self._attached.owns(output):
            return self._attached.source(output)
        quantity = derived(self._cell, self._plan, output.variable, output.site.compartment)
        if quantity.steps or len(quantity.sources) != 1 or quantity.result not in quantity.sources:
            return None
        source = quantity.sources[quantity.result]
        return source.variable, source.factor

    def _save(self, tag: str, times: str, experiment: Experiment, output: Output) -> list[str]:
        if output.variable in self.omitted:
            return []
        file = f"{_file_name(experiment.id)}.{_file_name(output.id)}.dat"
        unit = {"v": "mV", "i_clamp": "nA"}.get(output.variable, "SI")
        self.traces.append(TraceFile(file, f"{output.variable} ({unit}) of experiment {experiment.id}"))
        if output.variable == "v" and self._own_voltage:
            return [f'save_spikes("{file}", rec_{tag}, rec_{tag}_t, rec_{tag}_v)']
        if output.variable == "i_clamp":
            clamp = clamp_of(experiment, output)
            number = next(k for k, c in enumerate(clamps(experiment)) if c.compartment == clamp.compartment)
            name = f"clamp_{tag.split('_')[0]}_{number}"
            numbers = f"{num(clamp.series_resistance_Mohm)}, {num(clamp.end_ms)}"
            compute = f"clamp_current(rec_{tag}, {times}, rec_{tag}.c, {name}_t, {name}_y, {numbers})"
            return [compute, f'save("{file}", {times}, rec_{tag}, 1)']
        factor = 1.0
        if output.variable != "v":
            plain = self._plain(output)
            factor = plain[1] if plain else 1.0
        return [f'save("{file}", {times}, rec_{tag}, {num(factor)})']


def _file_name(text: str) -> str:
    return re.sub(r"[^\w-]", "_", text, flags=re.ASCII)


def _vector(name: str, values: Floats) -> list[str]:
    """hoc that fills a Vector; append takes many numbers, a line not too many."""
    texts = [num(float(x)) for x in values]
    rows = [texts[k : k + _PER_LINE] for k in range(0, len(texts), _PER_LINE)]
    return [f"{name} = new Vector()", *(f"{name}.append({', '.join(row)})" for row in rows)]
