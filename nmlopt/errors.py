"""What can go wrong through the user's input or installation, as values and exceptions.

An `Issue` is one finding: a stable code, a place, a remedy. An `NmloptError` carries one or more of them and the
exit code of the command. Failures of a simulation are not here: they are values (`backend.RunStatus`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding weighs: an error stops the work, the others do not."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Issue:
    """One finding about the user's input.

    `code` is stable (`D001`); `where` is `file:line` or a JSON path (`$.targets[2].sd`); `hint` says what to do.
    """

    code: str
    message: str
    where: str = ""
    hint: str = ""
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        remedy = f" ({self.hint})" if self.hint else ""
        return f"{place}{self.severity} {self.code}: {self.message}{remedy}"


class NmloptError(Exception):
    """Base of all errors that a user can cause and mend; holds every finding, not only the first."""

    exit_code = 2

    def __init__(self, issues: Issue | Iterable[Issue]) -> None:
        self.issues: tuple[Issue, ...] = (issues,) if isinstance(issues, Issue) else tuple(issues)
        super().__init__("\n".join(str(issue) for issue in self.issues))

    def __reduce__(self) -> tuple[type[NmloptError], tuple[tuple[Issue, ...]]]:
        return type(self), (self.issues,)


class UnitsError(NmloptError):
    """A quantity that cannot be read, or whose dimension does not fit (codes U...)."""


class DocumentError(NmloptError):
    """The NeuroML/LEMS files cannot be read, or are not what they should be (codes D...)."""


class PathError(NmloptError):
    """A path that matches nothing, too much, or something that cannot be fitted (codes P...)."""


class LemsError(NmloptError):
    """A ComponentType or an expression that does not resolve (codes L...)."""


class UnsupportedError(NmloptError):
    """Elements of the document that are legal but not supported, all in one list (codes I...)."""


class SimulationError(NmloptError):
    """A LEMS simulation that says something that cannot be (codes S...)."""


class MorphologyError(NmloptError):
    """A morphology file that cannot be made a cell (codes M...)."""


class TargetsError(NmloptError):
    """Faults of targets.json, or between it and the document (codes T...)."""


class ResultsError(NmloptError):
    """A run folder that cannot be written, read or resumed (codes R...)."""


class UsageError(NmloptError):
    """A command line that makes no sense (codes C...)."""


class BackendError(NmloptError):
    """A simulator or its compiler is missing or fails to build (codes B...)."""

    exit_code = 3


def raise_errors(issues: Iterable[Issue], error: type[NmloptError]) -> None:
    """Raise `error` with all findings if any of them is of severity ERROR."""
    found = tuple(issues)
    if any(issue.severity is Severity.ERROR for issue in found):
        raise error(found)
