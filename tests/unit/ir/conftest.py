"""Fixtures for geometry."""

from __future__ import annotations

import pytest
from morphologies import Builder


@pytest.fixture
def morphology(tmp_path):
    """`build(*parts)` and `elements(*parts)` for parts made with `segment` and `group`."""
    return Builder(tmp_path)
