"""A folder that runs with nothing but jNeuroML: the document as it is, a LEMS file for each experiment beside it.

The document's files are not touched. An experiment that starts the cell otherwise than the document has a copy of the
cell in its LEMS file.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path, PurePosixPath

from nmlopt.backend import Program
from nmlopt.codegen.export_folder import write_folder
from nmlopt.codegen.templating import environment
from nmlopt.errors import UnsupportedError, raise_errors
from nmlopt.experiment.model import Experiment
from nmlopt.exporters.lems.batch import Copy, Unit, base, moment_of, part_of
from nmlopt.exporters.lems.copies import Changes, needed, printed
from nmlopt.exporters.lems.java import version as jneuroml_version
from nmlopt.exporters.lems.layout import for_people, is_isopotential
from nmlopt.exporters.lems.lems_file import CORE, TEMPLATES, LemsFile, text_of
from nmlopt.exporters.lems.start import at_start
from nmlopt.exporters.lems.support import not_written
from nmlopt.lems.resolve import components


def export(program: Program, experiments: Sequence[Experiment], folder: Path) -> tuple[Path, ...]:
    """Write the folder; the files written.

    Raises ResultsError R010 if the folder exists and is not empty, R011; UnsupportedError B095.
    """
    raise_errors(not_written(program.cell, experiments), UnsupportedError)
    document = base(program)
    files: dict[str, str | bytes] = {source.path: source.data for source in document.files}
    return write_folder(folder, {**files, **export_texts(program, experiments, taken=frozenset(files))})


def export_texts(
    program: Program, experiments: Sequence[Experiment], *, taken: frozenset[str] = frozenset()
) -> dict[str, str]:
    """The files that stand beside the document's, by relative name; none is called as one of `taken`."""
    main = PurePosixPath(base(program).main)
    names = _names([e.id for e in experiments], main.parent, taken)
    texts = {str(main.parent / f"LEMS_{names[e.id]}.xml"): text_of(_file(program, e, names[e.id])) for e in experiments}
    about = {
        "cell": program.cell.id,
        "version": version("nmlopt"),
        "jneuroml": jneuroml_version(),
        "folder": "" if main.parent == PurePosixPath() else f"{main.parent}{os.sep}",
        "main": main.name,
        "names": list(names.values()),
        "option": "-nogui" if is_isopotential(program.cell) else "-neuron -run -nogui",
        "in_neuron": not is_isopotential(program.cell),
    }
    readme = "README.md" if "README.md" not in taken else "README_nmlopt.md"
    return {**texts, readme: environment(TEMPLATES).get_template("README.md.j2").render(**about)}


def _file(program: Program, experiment: Experiment, name: str) -> LemsFile:
    unit = Unit(0, tuple(slot.default for slot in program.slots), experiment)
    copy = _cell(program, unit, f"_{name}")
    ids = {e.attributes.get("id", "") for e in copy.known.top}
    population = next(p for p in (name + "_" * k for k in range(len(ids) + 1)) if p not in ids)
    part = part_of(program, unit, copy, population, for_people(program))
    return LemsFile(
        simulation=f"sim_{population}",
        network=f"net_{population}",
        duration_ms=experiment.duration_ms,
        dt_ms=program.settings.dt_ms,
        temperature_K=experiment.temperature_K,
        includes=(*CORE, PurePosixPath(base(program).main).name),
        comment=f"{program.cell.id}: experiment '{experiment.id}', written by nmlopt".replace("--", "- -"),
        copies=[copy.text] if copy.text else [],
        components=part.wiring.components,
        inside=[*part.population, *part.wiring.network],
        tables=[part.table],
    )


def _cell(program: Program, unit: Unit, suffix: str) -> Copy:
    """The document's own cell; a copy with another start where the experiment or jLEMS needs one."""
    document = base(program)
    known = components(document)
    cell = known.reference(program.cell.id, "baseCell", document.file(document.main).root)
    tops = needed(known, [cell])
    start = at_start(known, program.cell, cell, tops, moment_of(program, unit), suffix=suffix)
    changed = {*start.attributes, *(element for element, more in start.children.items() if more)}
    if not changed:
        return Copy(known, cell, Changes(), "", "")
    others = {top for top in tops if not changed.isdisjoint(top.walk())}
    copied = [top for top in tops if top is cell or not others.isdisjoint(needed(known, [top]))]
    names = {top.attributes["id"]: top.attributes["id"] + suffix for top in copied}
    changes = Changes(names, start.attributes, start.children)
    return Copy(known, cell, changes, "", start.types + printed(known, copied, changes))


def _names(ids: Sequence[str], folder: PurePosixPath, taken: frozenset[str]) -> dict[str, str]:
    """A name for each experiment that LEMS takes as an id, unique whatever the experiment's own id is."""
    found: dict[str, str] = {}
    for id_ in ids:
        plain = re.sub(r"\W", "_", id_, flags=re.ASCII) or "experiment"
        names = (plain if k == 1 else f"{plain}_{k}" for k in range(1, len(ids) + len(taken) + 2))
        found[id_] = next(n for n in names if n not in found.values() and str(folder / f"LEMS_{n}.xml") not in taken)
    return found
