"""Which simulators there are, which of them are here, and what each can do with the elements of a document."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nmlopt.api.problem import Options, read_files, read_model
from nmlopt.backend import Backend, Offer
from nmlopt.errors import BackendError, Issue, LemsError, TargetsError, raise_errors
from nmlopt.experiment.inputs import input_components
from nmlopt.experiment.model import Experiment
from nmlopt.experiment.resolve import resolve
from nmlopt.exporters import registry
from nmlopt.ir.choose import choose_cell, is_cell
from nmlopt.ir.inputs import is_input, lower_input
from nmlopt.ir.lower import lower
from nmlopt.ir.mechanisms import Catalogue
from nmlopt.ir.model import Cell, Mechanism, MechanismKind, Placement
from nmlopt.ir.numbers import Numbers
from nmlopt.lems.resolve import Components, components

COMMANDS: Mapping[str, tuple[str, ...]] = {"c++": ("c++", "g++", "clang++"), "cc": ("cc", "gcc", "clang")}
"""Programs that go by several names."""


@dataclass(frozen=True, slots=True)
class Installed:
    """A backend and what of it is on this machine: `version` is None where it says, by `issues`, that it is not."""

    name: str
    offer: Offer
    version: str | None
    missing_programs: tuple[str, ...]
    issues: tuple[Issue, ...] = ()

    @property
    def is_ready(self) -> bool:
        """Whether it can run here."""
        return self.version is not None and not self.missing_programs


@dataclass(frozen=True, slots=True)
class Support:
    """An element of a document and what each backend has against it (nothing: it is supported).

    `kind` is 'cell', 'protocol' or the kind of a mechanism; `name` its id, or the ids of the densities with the same
    equations; `where` is `file:line`, or a JSON path of the targets.
    """

    cell: str
    kind: str
    name: str
    where: str
    refusals: Mapping[str, tuple[Issue, ...]]


def installed() -> tuple[Installed, ...]:
    """All backends, in the order of the registry."""
    return tuple(_installed(registry.load(name)) for name in registry.names())


def find_program(name: str) -> str | None:
    """Where a program that a backend needs lies on this machine."""
    return next((path for command in COMMANDS.get(name, (name,)) if (path := shutil.which(command))), None)


def stand_in(name: str) -> str | None:
    """What does the work of a program that is not there, for people; None where nothing does."""
    from nmlopt.exporters.native.library import instead_of_compiler  # with all that prints kernels

    return instead_of_compiler() if name == "cc" else None


def support(
    model: Path, options: Options, targets: Path | None = None, component: str | None = None
) -> tuple[Support, ...]:
    """What each backend can do with the cells and inputs of a document and, if given, with the protocols of targets.

    `component`: this cell only. Raises DocumentError, UnsupportedError (what no backend can be given), TargetsError.
    """
    backends = [registry.load(name) for name in registry.names()]
    if targets is not None:
        return tuple(_of_problem(model, targets, options, backends))
    document = read_model(model, options)
    known = components(document)
    inputs, refused = _inputs(known)
    wanted = [component] if component is not None else _cells(known) or [None]
    cells = [lower(document, component=cell_id, inputs=inputs) for cell_id in wanted]
    found = (row for cell in cells for row in supported(cell, backends, where=choose_cell(known, cell.id).where))
    unusable = (
        Support("", str(MechanismKind.INPUT), name, issues[0].where, {b.name: issues for b in backends})
        for name, issues in refused.items()
    )
    return (*_once(found), *unusable)


def supported(
    cell: Cell, backends: Sequence[Backend], experiments: Sequence[Experiment] = (), *, where: str = ""
) -> tuple[Support, ...]:
    """The cell (which stands at `where`), its mechanisms and the experiments, each with what a backend refuses of it.

    A refusal that no single mechanism or experiment brings about is the cell's.
    """
    bare = replace(cell, mechanisms=(), placements=())
    mechanisms = [m for m in cell.mechanisms if m.kind is not MechanismKind.POINT_CELL]
    parts = [(m, replace(cell, mechanisms=(m,), placements=_placed(cell, m))) for m in mechanisms]
    own: dict[str, tuple[Issue, ...]] = {}
    of_parts: list[dict[str, tuple[Issue, ...]]] = [{} for _ in parts]
    of_experiments: list[dict[str, tuple[Issue, ...]]] = [{} for _ in experiments]
    for backend in backends:
        whole = backend.unsupported(cell, ())
        rest = set(whole)
        base = set(backend.unsupported(bare, ()))
        for (mechanism, part), found in zip(parts, of_parts, strict=True):
            here = [i for i in backend.unsupported(part, ()) if i in rest and i not in base]
            found[backend.name] = tuple(replace(i, where=i.where or mechanism.where) for i in here)
            rest -= set(here)
        own[backend.name] = tuple(replace(i, where=i.where or where) for i in whole if i in rest)
        for experiment, found in zip(experiments, of_experiments, strict=True):
            found[backend.name] = tuple(i for i in backend.unsupported(cell, (experiment,)) if i not in whole)
    rows = [Support(cell.id, "cell", f"{cell.id} ({cell.type})", where, own)]
    rows += [
        Support(cell.id, str(m.kind), _name(cell, m), m.where, found)
        for (m, _), found in zip(parts, of_parts, strict=True)
    ]
    rows += [Support(cell.id, "protocol", e.id, "", f) for e, f in zip(experiments, of_experiments, strict=True)]
    return tuple(rows)


def _of_problem(model: Path, targets: Path, options: Options, backends: Sequence[Backend]) -> Iterator[Support]:
    files = read_files(model, targets, options)
    raise_errors(files.issues, TargetsError)
    spec, document = files.targets, files.document
    cell = lower(document, component=spec.component, inputs=input_components(spec))
    places = {p.id: f"$.protocols[{i}]" for i, p in enumerate(spec.protocols)}
    where = choose_cell(components(document), cell.id).where
    for row in supported(cell, backends, resolve(spec, document, cell, folder=files.folder), where=where):
        yield replace(row, where=places.get(row.name, "")) if row.kind == "protocol" else row


def _installed(backend: Backend) -> Installed:
    missing = tuple(name for name in backend.offer.programs if find_program(name) is None and stand_in(name) is None)
    try:
        return Installed(backend.name, backend.offer, backend.version(), missing)
    except BackendError as error:
        return Installed(backend.name, backend.offer, None, missing, error.issues)


def _cells(known: Components) -> list[str | None]:
    return [e.attributes.get("id") for e in known.top if is_cell(known, e)]


def _inputs(known: Components) -> tuple[tuple[str, ...], dict[str, tuple[Issue, ...]]]:
    """The inputs and synapses of a document that can be compiled, and why the others cannot."""
    ids = dict.fromkeys(e.attributes["id"] for e in known.top if "id" in e.attributes and is_input(known, e))
    usable: list[str] = []
    refused: dict[str, tuple[Issue, ...]] = {}
    for name in ids:
        try:
            lower_input(known, Numbers(known.units, ()), name, Catalogue())
            usable.append(name)
        except LemsError as error:
            refused[name] = error.issues
    return tuple(usable), refused


def _once(rows: Iterable[Support]) -> Iterator[Support]:
    """An input is compiled with every cell, and is shown with the first."""
    seen: set[str] = set()
    for row in rows:
        if row.kind != MechanismKind.INPUT or row.name not in seen:
            seen.add(row.name)
            yield row


def _placed(cell: Cell, mechanism: Mechanism) -> tuple[Placement, ...]:
    return tuple(p for p in cell.placements if p.mechanism == mechanism.name)


def _name(cell: Cell, mechanism: Mechanism) -> str:
    """The ids of what has these equations; an input is called by its own."""
    return ", ".join(dict.fromkeys(p.id for p in _placed(cell, mechanism))) or mechanism.component or mechanism.name
