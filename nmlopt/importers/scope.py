"""What every part of reading a LEMS simulation needs: the components of the document, and where findings go."""

from __future__ import annotations

from dataclasses import dataclass, field

from nmlopt.document.model import Element
from nmlopt.errors import Issue, LemsError, Severity, UnitsError
from nmlopt.lems.resolve import Components
from nmlopt.lems.types import ComponentType, place
from nmlopt.units import Quantity


@dataclass(frozen=True, slots=True)
class Scope:
    """Components and findings; nothing is raised before everything was looked at."""

    known: Components
    issues: list[Issue] = field(default_factory=list)

    def fault(self, code: str, message: str, element: Element, hint: str = "") -> None:
        """Note an error at an element."""
        self.issues.append(Issue(code, message, place(element), hint))

    def remark(self, code: str, message: str, element: Element, severity: Severity = Severity.WARNING) -> None:
        """Note something that stops nothing."""
        self.issues.append(Issue(code, message, place(element), severity=severity))

    def type_of(self, element: Element, within: ComponentType | None = None) -> ComponentType | None:
        """The type of an element, None (and a finding) if its `type` is unknown, None if it is no component."""
        try:
            return self.known.type_of(element, within)
        except LemsError as error:
            self.issues.extend(error.issues)
            return None

    def number(self, element: Element, attribute: str, default: float, dimension: str = "") -> float:
        """A number in SI; `default` where it is not written, or cannot be read (S005)."""
        text = element.attributes.get(attribute)
        if text is None:
            return default
        try:
            quantity = Quantity.parse(text)
            found = quantity.exponents(self.known.units)
            value = quantity.si(self.known.units)
        except UnitsError as error:
            for issue in error.issues:
                self.fault("S005", f"{attribute} of <{element.tag}>: {issue.message}", element, issue.hint)
            return default
        wanted = self.known.units.dimensions.get(dimension)
        if wanted is not None and found != wanted and value != 0.0:
            name = self.known.units.dimension_name(found)
            self.fault("S005", f"{attribute}='{text}' of <{element.tag}> is a {name}, not a {dimension}", element)
            return default
        return value
