"""Where the elements of a membrane lie: segmentGroup and segment attributes as compartments."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches

from nmlopt.document.model import Element
from nmlopt.errors import Issue, LemsError, NmloptError
from nmlopt.ir.model import Geometry
from nmlopt.lems.types import place


class Places:
    """The regions of one cell, and the list that collects what is wrong with it."""

    def __init__(self, geometry: Geometry, morphology: Element, issues: list[Issue]) -> None:
        self.geometry = geometry
        self.morphology = morphology
        self.issues = issues
        self._regions = dict(geometry.regions)

    @contextmanager
    def collecting(self) -> Iterator[None]:
        """Errors raised inside are added to `issues`."""
        try:
            yield
        except NmloptError as error:
            self.issues.extend(issue for issue in error.issues if issue not in self.issues)

    def region(self, group: str) -> tuple[int, ...]:
        """The compartments of a segmentGroup. Raises KeyError."""
        return self._regions[group]

    def of(self, element: Element) -> tuple[int, ...]:
        """The compartments that an element's `segmentGroup` or `segment` names; the whole cell without either.

        Empty for a group without segments. Raises LemsError: I030 no such group, I031 no such segment.
        """
        segment = element.attributes.get("segment")
        if segment is not None and "segmentGroup" not in element.attributes:
            return self._of_segment(element, segment)
        return self._of_group(element, element.attributes.get("segmentGroup", "all"))

    def _of_group(self, element: Element, group: str) -> tuple[int, ...]:
        if group not in self._regions:
            near = get_close_matches(group, self._regions, n=3, cutoff=0.5)
            hint = f"did you mean {', '.join(near)}?" if near else f"groups: {', '.join(list(self._regions)[:8])}"
            raise LemsError(
                Issue("I030", f"<{element.tag}> lies on the unknown segmentGroup '{group}'", place(element), hint)
            )
        return self._regions[group]

    def _of_segment(self, element: Element, segment: str) -> tuple[int, ...]:
        spans = [s for s in self.geometry.spans if str(s.segment) == segment]
        if not spans:
            raise LemsError(Issue("I031", f"<{element.tag}> lies on the unknown segment '{segment}'", place(element)))
        span = spans[0]
        parts = [(k, c) for k, c in enumerate(self.geometry.compartments) if c.section == span.section]
        centred = tuple(k for k, c in parts if span.start <= c.x < span.end)
        middle = (span.start + span.end) / 2
        # a segment shorter than a compartment may hold no centre: then it is the compartment around its middle
        return centred or tuple(k for k, c in parts if abs(c.x - middle) * len(parts) <= 0.5)[-1:]
