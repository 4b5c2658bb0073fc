"""Solutions as NeuroML: the model's whole file set with the fitted numbers in place, provenance, scores beside it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nmlopt.document.edit import Edit, apply
from nmlopt.document.model import Document
from nmlopt.document.paths import resolve
from nmlopt.document.read import read
from nmlopt.document.write import write
from nmlopt.experiment.parameters import Parameters
from nmlopt.optimise.model import Json
from nmlopt.results.bounds import at_bound
from nmlopt.results.faults import reported
from nmlopt.results.files import new_folder, replaced_folder, sha256
from nmlopt.results.inputs import search_paths_below
from nmlopt.results.model import Stored
from nmlopt.results.own_files import require_own
from nmlopt.results.provenance import Facts, with_provenance
from nmlopt.results.rescored import NotRun, Rescored, RescoredPart, label, part
from nmlopt.results.verification import sentence
from nmlopt.results.verified import Verified
from nmlopt.spec.models import DEFAULT_CAP
from nmlopt.units import Quantity, format_number

FOLDER = "solutions"
SCORES = "scores.json"
FORMAT = "nmlopt-solution"
VERSION = "1.0"


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a solution comes from. `component`: (type, id) of the fitted cell. `date` is that of the run."""

    component: tuple[str, str]
    date: str
    backend: str
    settings: Mapping[str, Json]
    versions: Mapping[str, str]
    targets_id: str
    targets_digest: str
    objectives: tuple[str, ...]
    cap: float = DEFAULT_CAP


@dataclass(frozen=True, slots=True)
class Solution:
    """An evaluation that is to be written, why it was chosen, what other backends say of it if they were asked, and
    how it scored again."""

    stored: Stored
    reasons: tuple[str, ...]
    verified: Verified | None = None
    rescored: tuple[Rescored | NotRun, ...] = ()

    def again(self, objectives: Sequence[str]) -> tuple[RescoredPart, ...]:
        """How it scored again, with what that changes; `objectives`: their names."""
        return tuple(part(found, self.stored.evaluation, objectives) for found in self.rescored)


@dataclass(frozen=True, slots=True)
class Written:
    """A solution on disk: its folder's name ('01'), its main model file (`file` relative to that folder), all files."""

    name: str
    file: str
    model: Path
    files: tuple[Path, ...]
    solution: Solution


def write_solutions(
    run: Path,
    document: Document,
    parameters: Parameters,
    solutions: Sequence[Solution],
    provenance: Provenance,
) -> tuple[Written, ...]:
    """Write `solutions/01`, `02`, ... of a run, in place of those that are there, all together or not at all.

    Raises ResultsError R002, R003, R031 (files of others are there); PathError when the document is not the one that
    was fitted.
    """
    require_own(run / FOLDER, SCORES)
    names = [f"{number:02d}" for number in range(1, len(solutions) + 1)]
    with reported(run), replaced_folder(run / FOLDER) as part:
        for name, solution in zip(names, solutions, strict=True):
            _fill(part / name, document, parameters, solution, provenance)
    files = [tuple(sorted(p for p in (run / FOLDER / name).rglob("*") if p.is_file())) for name in names]
    return tuple(
        Written(name, document.main, run / FOLDER / name / document.main, found, solution)
        for name, found, solution in zip(names, files, solutions, strict=True)
    )


def write_solution(
    folder: Path, document: Document, parameters: Parameters, solution: Solution, provenance: Provenance
) -> tuple[Path, ...]:
    """Write one solution into a new folder: model files (the main one first) and scores.json.

    Raises ResultsError R001 (folder exists), R002, R003.
    """
    with reported(folder), new_folder(folder) as part:
        written = _fill(part, document, parameters, solution, provenance)
        names = [path.relative_to(part) for path in written]
    return tuple(folder / name for name in names)


def edits_of(parameters: Parameters, x: Sequence[float]) -> tuple[Edit, ...]:
    """What a candidate changes in the document."""
    return tuple(Edit(path, quantity) for path, quantity in parameters.edits(x))


def _fill(
    folder: Path, document: Document, parameters: Parameters, solution: Solution, provenance: Provenance
) -> tuple[Path, ...]:
    edits = edits_of(parameters, solution.stored.evaluation.x)
    before = _present(document, edits)
    fitted = apply(document, edits)
    marked = with_provenance(fitted, provenance.component, _facts(document, edits, before, solution, provenance))
    folder.mkdir(exist_ok=True)
    paths = write(marked, folder)
    _look_again(marked, folder)
    contents = {
        **_scores(solution, parameters, provenance),
        "edits": [_edit(edit, old) for edit, old in zip(edits, before, strict=True)],
        "model": document.main,
        "files": [source.path for source in document.files],
        "sha256": {path.relative_to(folder).as_posix(): sha256(path.read_bytes()) for path in paths},
        "search_paths": list(search_paths_below(document, ".")),
        "base_digest": document.digest,
        "digest": marked.digest,
    }
    scores = folder / SCORES
    scores.write_text(json.dumps(contents, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
    return (*paths, scores)


def _look_again(document: Document, folder: Path) -> None:
    """Read back what was written: a model that cannot be read would be found here, not by its user."""
    below = [folder / path for path in search_paths_below(document, ".")]
    found = read(folder / document.main, root=folder, search_paths=below)
    if found.digest != document.digest:
        message = f"the files in {folder} read back as another model than was written"
        raise RuntimeError(message)


def _present(document: Document, edits: Sequence[Edit]) -> tuple[Quantity, ...]:
    """The values before the edits, in the units of the edits."""
    return tuple(resolve(document, edit.path)[0].quantity for edit in edits)


def _facts(
    document: Document,
    edits: Sequence[Edit],
    before: Sequence[Quantity],
    solution: Solution,
    provenance: Provenance,
) -> Facts:
    place, evaluation = solution.stored, solution.stored.evaluation
    settings = ", ".join(f"{key} {value}" for key, value in provenance.settings.items())
    version = provenance.versions.get(provenance.backend, "")
    fitted = [("fitted", f"{e.path} = {e.quantity} (was {old})") for e, old in zip(edits, before, strict=True)]
    return [
        ("version", provenance.versions.get("nmlopt", "")),
        ("date", provenance.date),
        ("base", f"sha256:{document.digest}"),
        ("targets", f"{provenance.targets_id} sha256:{provenance.targets_digest}"),
        ("backend", f"{provenance.backend} {version} ({settings})"),
        ("candidate", f"seed {place.seed}, generation {place.generation}, number {place.position + 1}"),
        ("sum_of_objectives", format_number(evaluation.total)),
        *(("rescored", _again(found)) for found in solution.again(provenance.objectives)),
        *([("verified", sentence(solution.verified.document))] if solution.verified is not None else []),
        *fitted,
    ]


def _scores(solution: Solution, parameters: Parameters, provenance: Provenance) -> dict[str, Json]:
    place, evaluation = solution.stored, solution.stored.evaluation
    values = dict(zip((p.id for p in parameters.free), evaluation.x, strict=True))
    return {
        "format": FORMAT,
        "format_version": VERSION,
        "reasons": list(solution.reasons),
        "sum": _finite(evaluation.total),
        "objectives": {k: _finite(v) for k, v in zip(provenance.objectives, evaluation.objectives, strict=True)},
        "scores": {key: _finite(value) for key, value in evaluation.scores.items()},
        "features": {key: [_finite(v) for v in found] for key, found in evaluation.features.items()},
        "parameters": {
            p.id: {"value": values[p.id], "unit": p.unit.symbol, "lower": p.lower, "upper": p.upper, "scale": p.scale}
            for p in parameters.free
        },
        "at_bound": [p.id for p in parameters.free if at_bound(p.lower, p.upper, p.scale, values[p.id])],
        "seed": place.seed,
        "generation": place.generation,
        "position": place.position,
        "cap": provenance.cap,
        "cpu_seconds": evaluation.cpu_s,
        "component": list(provenance.component),
        "backend": provenance.backend,
        "settings": dict(provenance.settings),
        "versions": dict(provenance.versions),
        "targets": {"id": provenance.targets_id, "digest": provenance.targets_digest},
        "date": provenance.date,
        "rescored": [found.model_dump(mode="json") for found in solution.again(provenance.objectives)],
        **({"verification": _verification(solution.verified)} if solution.verified is not None else {}),
    }


def _again(found: RescoredPart) -> str:
    """A fact about a solution scored again."""
    settings = ", ".join(f"{key} {value}" for key, value in found.settings.items())
    if found.sum is None or not found.has_run:
        return f"{label(found.role, found.backend)}: {found.status}: {found.detail}"
    return f"sum_of_objectives {format_number(found.sum)} on {found.backend} {found.version} ({settings})"


def _verification(found: Verified) -> Json:
    return {
        "verdict": found.document.verdict,
        "backends": {b.name: f"{b.status} {b.version}".strip() for b in found.document.backends},
        "findings": [finding.text for finding in found.document.findings],
        "file": found.file,
    }


def _edit(edit: Edit, before: Quantity) -> Json:
    return {"path": edit.path, "value": str(edit.quantity), "before": str(before)}


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
