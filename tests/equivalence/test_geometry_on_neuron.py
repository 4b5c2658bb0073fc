"""Areas, lengths and path distances against NEURON's own, from the same points."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from morphologies import Builder, group, segment

from nmlopt.document.read import read
from nmlopt.ir.geometry import build_geometry
from nmlopt.ir.inhomogeneous import variable_values
from nmlopt.ir.regions import first_compartments
from nmlopt.ir.sites import distances_from_root, section_lengths

pytestmark = pytest.mark.neuron

FLOAT32 = 3e-5  # NEURON keeps 3-D points in single precision: 1.4e-5 in the worst section of the Allen cell

PUBLISHED = {
    # file: (sections, compartments, area in um2) as jNeuroML's NEURON export has them, loaded in NEURON
    "AllenInstituteNeuroML/CellTypesDatabase/models/NeuroML2/Cell_483108201.cell.nml": (113, 285, 6586.46),
    "BlueBrainProjectShowcase/NMC/NeuroML2/cNAC187_L23_NBC_9d37c4b1f8_0_0.cell.nml": (55, 175, 7231.81),
    "Thalamocortical/NeuroML2/cells/SupBasket.cell.nml": (59, 1130, 9095.22),
    "Thalamocortical/NeuroML2/cells/nRT.cell.nml": (59, 1078, 16202.66),
    "ArborShowcase/NeuroML2/BallAndStick.cell.nml": (11, 11, 6866.87),
    "NeuroML2/examples/NML2_MultiCompCellNetwork.nml": (3, 11, 620.53),
}


def own_cell(dendrite=5, oblique=4, axon=3):
    """A tapering tree whose points do not fall on boundaries of compartments; numbers are divisions."""
    return (
        segment(0, (20, 0, 0, 12), (0, 0, 0, 9)),
        segment(1, (60, 10, 0, 1.5), (20, 0, 0, 3), parent=0),
        segment(2, (120, 0, 5, 1), parent=1),
        segment(3, (60, 80, 0, 0.5), (60, 10, 0, 1), parent=1),
        segment(4, (0, -50, 0, 1), parent=0, along=0.5),
        segment(5, (80, 80, 30, 0.7), (60, 80, 0, 1.7), parent=3),
        group("soma", 0, marked=True),
        group("dend", 1, 2, marked=True, divisions=dendrite),
        group("oblique", 3, 5, marked=True, divisions=oblique),
        group("axon", 4, marked=True, divisions=axon),
    )


@pytest.fixture(scope="module")
def neuron():
    """NEURON's interpreter."""
    from neuron import h

    h.load_file("subiter.hoc")
    return h


@pytest.fixture
def load(neuron):
    """Makes sections from a geometry; they live as long as the test."""
    kept = []

    def make(geometry):
        sections = []
        for number, section in enumerate(geometry.sections):
            made = neuron.Section(name=f"s{number}")
            for point in section.points:
                made.pt3dadd(*point)
            made.nseg = section.divisions
            if section.parent >= 0:
                made.connect(sections[section.parent](section.parent_x), 0)
            sections.append(made)
        kept.append(sections)
        return sections

    yield make
    for section in itertools.chain.from_iterable(kept):
        neuron.delete_section(sec=section)


def published(folder, name):
    """Geometry of the first cell of a shared file."""
    cell = next(c for c in read(folder / "osb" / name).components() if c.tag == "cell")
    return build_geometry(cell, next(c for c in cell.children if c.tag == "morphology"), [])


def assert_same_membrane(geometry, sections):
    """Area, position and length of every compartment and section."""
    segments = [s for section in sections for s in section]
    assert [s.x for s in segments] == pytest.approx([c.x for c in geometry.compartments])
    assert [s.area() for s in segments] == pytest.approx([c.area_m2 * 1e12 for c in geometry.compartments], rel=FLOAT32)
    assert [s.L for s in sections] == pytest.approx(section_lengths(geometry), rel=FLOAT32)


@pytest.mark.parametrize("name", PUBLISHED, ids=lambda name: name.rsplit("/", 1)[1])
def test_published_cells_have_the_membrane_of_their_neuron_export(shared_data, load, name):
    geometry = published(shared_data, name)
    sections, compartments, area = PUBLISHED[name]
    assert (len(geometry.sections), len(geometry.compartments)) == (sections, compartments)
    assert sum(c.area_m2 for c in geometry.compartments) * 1e12 == pytest.approx(area, abs=0.006)
    assert_same_membrane(geometry, load(geometry))


@pytest.mark.parametrize("divisions", [1, 2, 3, 16])
def test_every_division_has_neurons_area(tmp_path, load, divisions):
    geometry, issues = Builder(tmp_path).build(*own_cell(divisions, divisions, divisions))
    assert issues == []
    assert_same_membrane(geometry, load(geometry))


def test_distance_is_neurons_where_sections_join_at_a_centre_or_an_end(tmp_path, neuron, load):
    geometry, _ = Builder(tmp_path).build(*own_cell())
    # elsewhere NEURON's distance() starts at the centre of the parent's compartment
    moved = tuple(replace(s, parent_x=1.0) if s.name == "oblique" else s for s in geometry.sections)
    geometry = replace(geometry, sections=moved)
    sections = load(geometry)
    neuron.distance(0, sections[0](0))
    found = [neuron.distance(s) for section in sections for s in section]
    assert found == pytest.approx(distances_from_root(geometry), rel=FLOAT32)


@pytest.mark.parametrize("proximal", [0, 1])
@pytest.mark.parametrize("distal", [0, 1])
def test_variable_is_that_of_neurons_subset_iterator(tmp_path, neuron, load, proximal, distal):
    builder = Builder(tmp_path)
    geometry, _ = builder.build(*own_cell())
    sections = load(geometry)
    chosen = [k for k, s in enumerate(geometry.sections) if s.name in ("dend", "axon")]
    starts = first_compartments(geometry.sections)
    compartments = [starts[k] + n for k in chosen for n in range(geometry.sections[k].divisions)]
    subset = neuron.SectionList([sections[k] for k in chosen])
    iterator = neuron.SubsetDomainIterator(subset, 0, proximal, distal)
    iterator.update()
    children = '<proximal translationStart="0"/>' * proximal + '<distal normalizationEnd="1"/>' * distal
    inner = f'<inhomogeneousParameter id="i" variable="p" metric="Path Length from root">{children}'
    _, element = builder.elements(own_cell()[0], group("g", 0, extra=inner + "</inhomogeneousParameter>"))
    ours = variable_values(geometry, element.children[1].children[-1], compartments)
    assert len(set(ours)) == len(ours)
    assert ours == pytest.approx(neurons_map(neuron, iterator, len(ours)), rel=FLOAT32)


def neurons_map(neuron, iterator, count):
    """Values of the iterator, by its own loop."""
    neuron("objref nmlopt_iterator, nmlopt_found")
    neuron.nmlopt_iterator = iterator
    neuron.nmlopt_found = neuron.Vector()
    neuron("{for nmlopt_iterator.loop() { nmlopt_found.append(nmlopt_iterator.p) }}")
    assert len(neuron.nmlopt_found) == count
    return list(neuron.nmlopt_found)
