"""A folder that runs with nothing but Arbor: mod files, morphology and decorations in Arbor's own format, run.py.

The texts are printed here: Arbor's own writer keeps six decimals of a number.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from nmlopt.backend import Program
from nmlopt.codegen.export_folder import write_folder
from nmlopt.codegen.templating import environment, num
from nmlopt.experiment.model import Experiment
from nmlopt.exporters.arbor.decoration import Decoration, boundaries, decoration
from nmlopt.exporters.arbor.export_recordings import described, functions
from nmlopt.exporters.arbor.mod import TEMPLATES, Part, files
from nmlopt.exporters.arbor.paint import Plan
from nmlopt.exporters.arbor.recordings import recorders
from nmlopt.exporters.arbor.simulate import shape_of
from nmlopt.exporters.arbor.stimuli import labels

_FORMAT = "0.10-dev"
_PROPERTIES = {"cm": "membrane-capacitance", "rL": "axial-resistivity", "Vm": "membrane-potential"}
_IONS = {"int_con": "ion-internal-concentration", "ext_con": "ion-external-concentration"}


def export(
    program: Program, parts: Sequence[Part], plan: Plan, experiments: Sequence[Experiment], folder: Path
) -> tuple[Path, ...]:
    """Write the folder; the files written. Raises ResultsError R010 if the folder exists and is not empty, R011."""
    return write_folder(folder, export_texts(program, parts, plan, experiments))


def export_texts(
    program: Program, parts: Sequence[Part], plan: Plan, experiments: Sequence[Experiment]
) -> dict[str, str]:
    """All files of the folder by relative name."""
    cell, settings = program.cell, program.settings
    assert cell.geometry is not None
    slots = [slot.unit.to_si(slot.default) for slot in cell.slots]
    morphology, places = shape_of(cell.geometry)
    names = _file_names([e.id for e in experiments])
    recording = [recorders(cell, parts, e) for e in experiments]
    written = [
        {
            "id": e.id,
            "decor": f"{names[e.id]}.decor.acc",
            "duration_ms": e.duration_ms,
            "events_ms": {label: attached.events_ms for label, attached in labels(e).items() if attached.events_ms},
            **described(places, own, _trace_names(names[e.id], e), f"output_{number}"),
        }
        for number, (e, own) in enumerate(zip(experiments, recording, strict=True))
    ]
    texts = [
        text
        for number, (e, own) in enumerate(zip(experiments, recording, strict=True))
        for text in functions(own, f"output_{number}", slots, e.temperature_K)
    ]
    about = {"dt_ms": settings.dt_ms, "cv_boundaries": boundaries(places), "experiments": written}
    env = environment(TEMPLATES)
    said = {"cell": cell.id, "version": version("nmlopt"), "arbor": version("arbor"), "names": list(names.values())}
    return {
        **{f"mod/{name}": text for name, text in files(parts).items()},
        "morphology.acc": _component(_morphology(morphology)),
        **{
            f"{names[e.id]}.decor.acc": _component(_decor(decoration(places, plan, e, slots))) for e in experiments
        },
        "experiments.json": json.dumps(about, indent=2) + "\n",
        "recorded.py": env.get_template("recorded.py.j2").render(functions=texts),
        "run.py": env.get_template("run.py.j2").render(),
        "README.md": env.get_template("README.md.j2").render(**said),
    }  # fmt: skip


def _file_names(ids: Sequence[str]) -> dict[str, str]:
    """A file name for each experiment, unique whatever its id is."""
    found: dict[str, str] = {}
    for id_ in ids:
        base = re.sub(r"[^\w-]", "_", id_) or "experiment"
        name, count = base, 2
        while name in found.values():
            name, count = f"{base}_{count}", count + 1
        found[id_] = name
    return found


def _trace_names(base: str, experiment: Experiment) -> dict[str, str]:
    """A CSV file for each output, unique whatever its id is."""
    return {id_: f"{base}.{name}.csv" for id_, name in _file_names([o.id for o in experiment.outputs]).items()}


def _component(lines: Iterator[str]) -> str:
    inner = "\n".join(f"  {line}" for line in lines)
    return f'(arbor-component\n  (meta-data (version "{_FORMAT}"))\n{inner})\n'


def _morphology(morphology: Any) -> Iterator[str]:
    yield "(morphology"
    for branch in range(morphology.num_branches):
        parent = morphology.branch_parent(branch)
        yield f"  (branch {branch} {parent if 0 <= parent < morphology.num_branches else -1}"
        for segment in morphology.branch_segments(branch):
            ends = " ".join(_point(point) for point in (segment.prox, segment.dist))
            yield f"    (segment {segment.tag} {ends} {segment.tag})"
        yield "  )"
    yield ")"


def _point(point: Any) -> str:
    return f"(point {num(point.x)} {num(point.y)} {num(point.z)} {num(point.radius)})"


def _decor(found: Decoration) -> Iterator[str]:
    yield "(decor"
    yield f"  (default (membrane-potential {num(found.v_init_mV)} (scalar 1.0)))"
    yield f"  (default (temperature-kelvin {num(found.temperature_K)} (scalar 1.0)))"
    for region, name, value in found.properties:
        yield f"  (paint {region} ({_PROPERTIES[name]} {num(value)} (scalar 1.0)))"
    for region, ion, side, value in found.concentrations:
        yield f'  (paint {region} ({_IONS[side]} "{ion}" {num(value)} (scalar 1.0)))'
    for region, mechanism, values in found.mechanisms:
        numbers = " ".join(f'("{name}" {num(value)})' for name, value in values.items())
        yield f'  (paint {region} (density (mechanism "{mechanism}" {numbers})))'
    for count, (where, made) in enumerate(found.clamps):
        points = " ".join(f"({num(t)} {num(i)})" for t, i in made.envelope)
        wave = f"{num(made.frequency_kHz)} {num(made.phase_rad)}"
        yield f'  (place {where} (current-clamp (envelope {points}) {wave}) "current{count}")'
    for placed in found.inputs:
        numbers = " ".join(f'("{name}" {num(value)})' for name, value in placed.values.items())
        yield f'  (place {placed.location} (synapse (mechanism "{placed.mechanism}" {numbers})) "{placed.label}")'
    yield ")"
