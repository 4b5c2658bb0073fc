"""Imported morphologies against NEURON's Import3d: every section, its length, area, place and width."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from import3d_reference import reference
from morphology_files import SOMAS, asc, swc

from nmlopt.document.read import read
from nmlopt.importers.morphology import import_morphology, write_cell
from nmlopt.importers.morphology_axon import width_in_the_middle
from nmlopt.ir.geometry import build_geometry
from nmlopt.ir.model import Site
from nmlopt.ir.sites import path_length, section_lengths

pytestmark = pytest.mark.neuron

FLOAT32 = 3e-5  # NEURON keeps 3-D points in single precision, and Import3d prints them with 8 digits
NAMES = [
    *(f"{form}{seed}.swc".replace(" ", "_") for form in SOMAS for seed in range(6)),
    *(f"{s}.asc" for s in range(20)),
]
PUBLISHED = ("l5pc/C060114A7.asc", *(f"thalamocortical/morphologies/{n}_idA.asc" for n in ("jy160728_A", "jy170517_A")))


@dataclass(frozen=True)
class Measured:
    """One section as somebody measured it."""

    length_um: float
    area_um2: float
    divisions: int
    from_um: float
    to_um: float


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The files by name, and NEURON's measures of them."""
    folder = tmp_path_factory.mktemp("morphologies")
    for form in SOMAS:
        for seed in range(6):
            (folder / f"{form}{seed}.swc".replace(" ", "_")).write_text(swc(form, seed))
    for seed in range(20):
        (folder / f"{seed}.asc").write_text(asc(seed))
    files = sorted(folder.iterdir())
    return folder, {name: _of_neuron(rows) for name, rows in reference(files).items()}


def _of_neuron(rows):
    single = sum(row["name"].startswith("soma[") for row in rows) == 1
    found = {}
    for row in rows:
        name = row["name"].replace("[", "_").replace("]", "")
        values = (row[k] for k in ("length_um", "area_um2", "nseg", "from_um", "to_um"))
        found["soma" if single and name == "soma_0" else name] = (Measured(*values), row["middle_um"])
    return found


def _of_document(path, folder):
    """Measures of the geometry that is read back from the document, and widths in the middle from the import."""
    cell = import_morphology(path)
    out = folder / f"{path.stem}.nml"
    write_cell(cell, out)
    element = next(c for c in read(out).components() if c.tag == "cell")
    issues = []
    geometry = build_geometry(element, next(c for c in element.children if c.tag == "morphology"), issues)
    assert [i for i in issues if i.severity == "error"] == []
    areas = [0.0] * len(geometry.sections)
    for compartment in geometry.compartments:
        areas[compartment.section] += compartment.area_m2 * 1e12
    lengths = section_lengths(geometry)
    widths = {w.name: width_in_the_middle(w.section, 40.0) for w in cell.sections}
    found = {}
    for k, section in enumerate(geometry.sections):
        ends = (path_length(geometry, Site(k, x, 0)) for x in (0.0, 1.0))
        found[section.name] = (Measured(lengths[k], areas[k], section.divisions, *ends), widths[section.name])
    return found


def _agree(ours, neurons):
    assert ours.keys() == neurons.keys()
    for name, (mine, width) in ours.items():
        theirs, neurons_width = neurons[name]
        assert mine.divisions == theirs.divisions, name
        for field in ("length_um", "from_um", "to_um", "area_um2"):
            assert getattr(mine, field) == pytest.approx(getattr(theirs, field), rel=FLOAT32, abs=1e-5), (name, field)
        assert width == pytest.approx(neurons_width, rel=FLOAT32), name


@pytest.mark.parametrize("name", NAMES)
def test_every_section_is_neurons(written, tmp_path, name):
    folder, neurons = written
    _agree(_of_document(folder / name, tmp_path), neurons[name])


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_morphologies_are_neurons(shared_data, tmp_path, name):
    path = shared_data / name
    _agree(_of_document(path, tmp_path), _of_neuron(reference([path])[path.name]))
