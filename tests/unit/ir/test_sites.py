"""Sites by segment and by distance; the variable of inhomogeneous parameters."""

from __future__ import annotations

import pytest
from morphologies import group, segment

from nmlopt.errors import TargetsError, UnsupportedError
from nmlopt.ir.inhomogeneous import variable_values
from nmlopt.ir.sites import distances_from_root, locate, locate_distance, path_length

CELL = (
    segment(0, (20, 0, 0, 10), (0, 0, 0, 10)),
    segment(1, (60, 0, 0, 2), (20, 0, 0, 2), parent=0),
    segment(2, (120, 0, 0, 2), parent=1),
    segment(3, (60, 80, 0, 1), (60, 0, 0, 1), parent=1),
    segment(4, (0, -50, 0, 1), (0, 0, 0, 1), parent=0, along=0),
    group("soma", 0, marked=True),
    group("dend", 1, 2, marked=True, divisions=5),
    group("oblique", 3, marked=True, divisions=4),
    group("axon", 4, marked=True, divisions=1),
)


@pytest.fixture
def geometry(morphology):
    """A soma of 20 µm, a dendrite of 100 µm with an oblique of 80 µm at 40 µm, an axon at the soma's 0 end."""
    return morphology.build(*CELL)[0]


@pytest.mark.parametrize(
    ("number", "fraction", "section", "x", "compartment"),
    [
        (0, 0.5, "soma", 0.5, 0),
        (1, 0.0, "dend", 0.0, 1),
        (1, 0.5, "dend", 0.2, 2),
        (2, 0.0, "dend", 0.4, 3),
        (2, 1.0, "dend", 1.0, 5),
        (3, 0.25, "oblique", 0.25, 7),
        (3, 0.5, "oblique", 0.5, 8),
        (4, 0.5, "axon", 0.5, 10),
    ],
)
def test_site_on_a_segment(geometry, number, fraction, section, x, compartment):
    site = locate(geometry, number, fraction)
    assert geometry.sections[site.section].name == section
    assert site.x == pytest.approx(x, abs=1e-15)
    assert site.compartment == compartment
    assert geometry.compartments[compartment].section == site.section


@pytest.mark.parametrize(
    ("distance", "towards", "section", "x"),
    [
        (0, 2, "soma", 0.5),
        (5, 2, "soma", 0.75),
        (5, 4, "soma", 0.25),
        (10, 2, "soma", 1.0),
        (30, 2, "dend", 0.2),
        (110, 2, "dend", 1.0),
        (50, 3, "dend", 0.4),
        (70, 3, "oblique", 0.25),
        (35, 4, "axon", 0.5),
    ],
)
def test_site_at_a_distance(geometry, distance, towards, section, x):
    site = locate_distance(geometry, distance, towards)
    assert geometry.sections[site.section].name == section
    assert site.x == pytest.approx(x)
    assert path_length(geometry, site) == pytest.approx(distance)


def test_distance_beyond_the_end_names_the_range(geometry):
    for distance in (130.5, -1.0, float("nan")):
        with pytest.raises(TargetsError) as error:
            locate_distance(geometry, distance, 3)
        assert error.value.issues[0].code == "I132"
        assert "0 to 130 um" in error.value.issues[0].hint


def test_unknown_segment_and_fraction_are_refused(geometry):
    with pytest.raises(TargetsError) as error:
        locate(geometry, 9, 0.5)
    assert error.value.issues[0].code == "I130"
    assert "0, 1, 2, 3, 4" in error.value.issues[0].hint
    for fraction in (-0.1, 1.01, float("nan")):
        with pytest.raises(TargetsError) as error:
            locate(geometry, 0, fraction)
        assert error.value.issues[0].code == "I131"


def test_distances_from_the_root_end(geometry):
    expected = [10, 30, 50, 70, 90, 110, 70, 90, 110, 130, 25]
    assert distances_from_root(geometry) == pytest.approx(expected)


def parameter(morphology, children="", metric="Path Length from root"):
    """The <inhomogeneousParameter> element."""
    inner = f'<inhomogeneousParameter id="i" variable="p" metric="{metric}">{children}</inhomogeneousParameter>'
    _, element = morphology.elements(CELL[0], group("soma", 0, extra=inner))
    return element.children[1].children[-1]


TRANSLATED = '<proximal translationStart="0"/>'
NORMALISED = '<distal normalizationEnd="1"/>'
OBLIQUE = (6, 7, 8, 9)


@pytest.mark.parametrize(
    ("children", "expected"),
    [
        ("", [70, 90, 110, 130]),
        (TRANSLATED, [10, 30, 50, 70]),
        (NORMALISED, [70 / 140, 90 / 140, 110 / 140, 130 / 140]),
        (TRANSLATED + NORMALISED, [0.125, 0.375, 0.625, 0.875]),
    ],
)
def test_variable_of_an_inhomogeneous_parameter(morphology, geometry, children, expected):
    values = variable_values(geometry, parameter(morphology, children), OBLIQUE)
    assert values == pytest.approx(expected)


def test_variable_over_nothing_is_nothing(morphology, geometry):
    assert variable_values(geometry, parameter(morphology, NORMALISED), ()) == ()


@pytest.mark.parametrize(
    ("children", "metric", "codes"),
    [
        ("", "Radial", ["I140"]),
        ('<proximal translationStart="3"/>', "Path Length from root", ["I141"]),
        ('<distal normalizationEnd="2"/>', "Path Length from root", ["I142"]),
        ('<proximal translationStart="3"/><distal/>', "", ["I140", "I141", "I101"]),
    ],
)
def test_other_metrics_and_ends_are_refused(morphology, geometry, children, metric, codes):
    with pytest.raises(UnsupportedError) as error:
        variable_values(geometry, parameter(morphology, children, metric), OBLIQUE)
    assert [i.code for i in error.value.issues] == codes
