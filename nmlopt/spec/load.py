"""Reads targets.json: text, form, and the parts among themselves; all faults at once."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import ValidationError

from nmlopt.errors import Issue, Severity, TargetsError
from nmlopt.spec.checks import check
from nmlopt.spec.faults import to_issues
from nmlopt.spec.models import Targets
from nmlopt.spec.references import references
from nmlopt.spec.text import Json, parse_json, read_text


def load(path: Path | str) -> Targets:
    """The targets in a file. Raises TargetsError with every fault; warnings are left to `spec.checks.check`."""
    return loads(read_text(Path(path)), str(path))


def loads(text: str, where: str = "targets.json") -> Targets:
    """The targets in a text; `where` names it in messages about its syntax. Raises TargetsError with every fault."""
    data, issues = parse_json(text, where)
    found, targets = [*issues], _validated(data, where)
    if isinstance(targets, Targets):
        found += [issue for issue in check(targets) if issue.severity is Severity.ERROR]
        if not found:
            return targets
    else:
        faulty = [issue.where for issue in issues]
        found += [issue for issue in targets if issue.where not in faulty]
        found += [issue for issue in references(data) if issue.where not in [i.where for i in found]]
    raise TargetsError(found)


def _validated(data: Json, where: str) -> Targets | list[Issue]:
    if not isinstance(data, dict):
        return [Issue("T012", "this is no targets file: the text is not one object {...}", where)]
    try:
        return Targets.model_validate_json(json.dumps(data), strict=True)
    except ValidationError as error:
        return to_issues(error.errors(include_url=False), data)
