"""Numbers that vary over a region: the variable of an inhomogeneousParameter."""

from __future__ import annotations

from collections.abc import Sequence

from nmlopt.document.model import Element
from nmlopt.errors import Issue
from nmlopt.ir.model import Geometry
from nmlopt.ir.segments import Fixed, child, plain_number, read_number, stop_on
from nmlopt.ir.sites import distances_from_root, section_lengths

METRIC = "Path Length from root"


def variable_values(
    geometry: Geometry, parameter: Element, compartments: Sequence[int], *, fixed: Fixed = plain_number
) -> tuple[float, ...]:
    """The variable of `<inhomogeneousParameter>` at the centres of the compartments of its group, in their order.

    It is the path length (µm, a plain number in the expression) from the 0 end of the root section. `<proximal
    translationStart="0"/>` makes it 0 at the most proximal edge of the group's compartments, `<distal
    normalizationEnd="1"/>` then 1 at the most distal edge. These are the values of NEURON's SubsetDomainIterator (and
    so of jNeuroML's export), with two exceptions: that iterator takes 1 µm for the length of a shorter group, and its
    distance() starts a section that joins its parent between 0 and 1 at the centre of the parent's compartment.
    Raises UnsupportedError: I140 metric, I141 translationStart, I142 normalizationEnd.
    """
    issues: list[Issue] = []
    metric = parameter.attributes.get("metric", "")
    if metric != METRIC:
        issues.append(Issue("I140", f"metric '{metric}' is not supported", parameter.where, f"only '{METRIC}' is"))
    translated = _asked(parameter, ("proximal", "translationStart", 0.0), "I141", fixed, issues)
    normalised = _asked(parameter, ("distal", "normalizationEnd", 1.0), "I142", fixed, issues)
    stop_on(issues)
    if not compartments:
        return ()
    centres = distances_from_root(geometry)
    halves = [
        s / (2 * section.divisions) for s, section in zip(section_lengths(geometry), geometry.sections, strict=True)
    ]
    edges = [(centres[k], halves[geometry.compartments[k].section]) for k in compartments]
    origin = min(centre - half for centre, half in edges) if translated else 0.0
    unit = max(centre + half for centre, half in edges) - origin if normalised else 1.0
    return tuple((centres[k] - origin) / unit for k in compartments)


def _asked(parameter: Element, wanted: tuple[str, str, float], code: str, fixed: Fixed, issues: list[Issue]) -> bool:
    """Whether the child is there; its attribute may have the one supported value only."""
    tag, attribute, value = wanted
    element = child(parameter, tag)
    if element is None:
        return False
    before = len(issues)
    found = read_number(element, attribute, fixed, issues)
    if len(issues) == before and found != value:
        issues.append(Issue(code, f"{attribute} {found:g} is not supported", element.where, f"only {value:g} is"))
    return True
