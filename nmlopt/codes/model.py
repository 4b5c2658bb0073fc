"""What a code of a finding means."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Meaning:
    """One code: what was found in one sentence, why it matters or how it comes, and what to do about it."""

    title: str
    remedy: str
    is_warning: bool = False


def error(title: str, remedy: str) -> Meaning:
    """The meaning of a code that stops the work."""
    return Meaning(title, remedy)


def warning(title: str, remedy: str) -> Meaning:
    """The meaning of a code that does not."""
    return Meaning(title, remedy, is_warning=True)
