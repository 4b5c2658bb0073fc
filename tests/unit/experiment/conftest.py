"""The model beside the checks of targets.json, and a way to write targets for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from nmlopt.document.model import Document
from nmlopt.document.read import read
from nmlopt.spec.models import Targets

MODELS = Path(__file__).parents[2] / "checks" / "targets"


@pytest.fixture(scope="session")
def ball() -> Document:
    """A soma and a dendrite with Hodgkin-Huxley channels on the soma."""
    return read(MODELS / "ball.cell.nml")


@pytest.fixture(scope="session")
def models() -> Path:
    """The folder of small models."""
    return MODELS


@pytest.fixture
def write():
    """A function that makes Targets from its parts."""

    def make(parameters=None, protocols=None, **more) -> Targets:
        free = [
            {
                "id": "g",
                "paths": ["cell:ball/channelDensity:na/condDensity"],
                "lower": "1 S_per_m2",
                "upper": "9000 S_per_m2",
            }
        ]
        plain = [{"id": "p", "duration": "100 ms", "recordings": [{"id": "r"}]}]
        target = {"type": "spike_times", "id": "t", "protocol": "p", "recording": "r", "times": []}
        return Targets.model_validate(
            {
                "format": "nmlopt-targets",
                "format_version": "1.0",
                "id": "made",
                "parameters": parameters or free,
                "protocols": protocols or plain,
                "targets": [target],
                **more,
            }
        )

    return make
