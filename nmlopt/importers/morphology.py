"""Morphology files of other tools as NeuroML cells without biophysics."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from nmlopt.errors import Issue, MorphologyError
from nmlopt.importers.morphology_asc import read_asc
from nmlopt.importers.morphology_axon import replace_axon
from nmlopt.importers.morphology_model import RawMorphology, area, length
from nmlopt.importers.morphology_swc import read_swc
from nmlopt.importers.morphology_write import WrittenSection, cell_text, region_groups, written_sections

LONGEST_UM: Final = 40.0
_READERS: Final = {".swc": read_swc, ".asc": read_asc}
_ID: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LARGEST_BYTES: Final = 200_000_000


@dataclass(frozen=True, slots=True)
class Region:
    """What one segmentGroup of the cell amounts to; length in µm, area in µm²."""

    id: str
    sections: int
    compartments: int
    length_um: float
    area_um2: float


@dataclass(frozen=True, slots=True)
class ImportedCell:
    """A morphology ready to be written: its text, its sections, its regions ('all' first), and what was left out."""

    id: str
    text: str
    sections: tuple[WrittenSection, ...]
    regions: tuple[Region, ...]
    notices: tuple[Issue, ...]


def read_morphology(path: Path) -> RawMorphology:
    """The sections of an SWC or Neurolucida file. Raises MorphologyError M001-M008 with all faults."""
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        message = f"'{path.suffix}' is no kind of morphology file that can be read"
        raise MorphologyError(Issue("M001", message, str(path), "give a file .swc or .asc (Neurolucida text)"))
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise MorphologyError(Issue("M001", "the file is larger than any morphology", str(path)))
        text = path.read_bytes().decode("utf-8-sig", errors="replace")
    except OSError as error:
        raise MorphologyError(Issue("M001", error.strerror or "the file cannot be read", str(path))) from error
    return reader(path, text)


def import_morphology(
    path: Path, *, cell_id: str | None = None, longest_um: float = LONGEST_UM, with_stub_axon: bool = False
) -> ImportedCell:
    """A NeuroML cell of a morphology file: one segmentGroup per section, groups for its regions, no biophysics.

    A section of length L gets 1 + 2 int(L / `longest_um`) compartments. `with_stub_axon` replaces the axon (see
    `replace_axon`). Raises MorphologyError: M001-M008, M020 (axon), M021 (id or length).
    """
    id_ = re.sub(r"\W", "_", path.stem, flags=re.ASCII) if cell_id is None else cell_id
    id_ = f"cell_{id_}" if cell_id is None and not _ID.fullmatch(id_) else id_
    faults = []
    if not _ID.fullmatch(id_):
        hint = "an id begins with a letter and holds letters, digits and _"
        faults.append(Issue("M021", f"'{id_}' cannot be the id of a cell", hint=hint))
    if not 0 < longest_um < float("inf"):
        faults.append(Issue("M021", f"compartments cannot be {longest_um:g} um long at most", hint="give 40 um, say"))
    if faults:
        raise MorphologyError(faults)
    morphology = read_morphology(path)
    if with_stub_axon:
        morphology = replace_axon(morphology, longest_um, str(path))
    sections = written_sections(morphology.sections, longest_um)
    notes = [
        f"Morphology of {path.name}: {len(sections)} sections, {sum(s.divisions for s in sections)} compartments,",
        f"1 + 2 int(L / {longest_um:g} um) in a section of length L.",
        *(["The axon is replaced by two cylinders of 30 um each."] if with_stub_axon else []),
    ]
    return ImportedCell(id_, cell_text(sections, id_, notes), sections, regions(sections), morphology.notices)


def regions(sections: tuple[WrittenSection, ...]) -> tuple[Region, ...]:
    """What each region amounts to, 'all' first."""
    groups = region_groups(sections)
    by_name = {written.name: [written] for written in sections}
    for name in [n for n in groups if n not in ("all", "dendrite_group")] + ["dendrite_group", "all"]:
        by_name[name] = [written for part in groups.get(name, ()) for written in by_name[part]]
    return tuple(_region(name, by_name[name]) for name in groups)


def _region(name: str, sections: list[WrittenSection]) -> Region:
    return Region(
        name,
        len(sections),
        sum(written.divisions for written in sections),
        sum(length(written.section) for written in sections),
        sum(area(written.section) for written in sections),
    )


def write_cell(cell: ImportedCell, path: Path) -> None:
    """Write the text of a cell to a new file. Raises MorphologyError M022."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as stream:
            stream.write(cell.text)
    except FileExistsError as error:
        raise MorphologyError(Issue("M022", f"'{path}' exists already", hint="choose a new name")) from error
    except OSError as error:
        raise MorphologyError(Issue("M022", f"'{path}' cannot be written: {error.strerror}")) from error
