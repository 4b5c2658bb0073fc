"""Outcomes of verification in a run folder, by what was verified: so that resuming verifies nothing twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from nmlopt.optimise.model import Json
from nmlopt.results.faults import reported
from nmlopt.results.files import write_file
from nmlopt.results.verification import VerificationDocument
from nmlopt.results.verification_files import render, to_json
from nmlopt.verify.model import Verification

FOLDER = "verification"
_KEY_LENGTH = 16


@dataclass(frozen=True, slots=True)
class Verified:
    """An outcome; `page` and `file` are relative to the run folder."""

    document: VerificationDocument
    page: str
    file: str


def key(values: Sequence[float], model: str, targets: str, backends: Mapping[str, Json]) -> str:
    """A name for a solution under verification: slot values, digests of document and targets, versions and settings."""
    parts = [[value.hex() for value in values], model, targets, dict(backends)]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:_KEY_LENGTH]


def stored(run: Path, name: str) -> Verified | None:
    """The outcome of that name, None where there is none that can be read."""
    path = run / FOLDER / f"{name}.json"
    try:
        document = VerificationDocument.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
    return Verified(document, f"{FOLDER}/{name}.html", f"{FOLDER}/{name}.json")


def store(run: Path, name: str, found: Verification, document: VerificationDocument) -> Verified:
    """Write an outcome: its page, then its document. Raises ResultsError R002, R003."""
    with reported(run):
        (run / FOLDER).mkdir(exist_ok=True)
        write_file(run / FOLDER / f"{name}.html", render(found, document).encode())
        write_file(run / FOLDER / f"{name}.json", to_json(document).encode())
    return Verified(document, f"{FOLDER}/{name}.html", f"{FOLDER}/{name}.json")
