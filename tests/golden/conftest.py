"""`pytest tests/golden --update-golden` rewrites the expected texts from what is generated now."""

from __future__ import annotations

from pathlib import Path

import pytest


def pytest_addoption(parser):
    parser.addoption("--update-golden", action="store_true", help="rewrite the expected texts of golden tests")


@pytest.fixture
def golden(request):
    """`golden(text, path)` compares a text with a file beside the test, or rewrites the file."""

    def compare(text: str, path: Path) -> None:
        if request.config.getoption("--update-golden", default=False):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.exists(), f"{path} is missing: run pytest tests/golden --update-golden"
        assert text == path.read_text(encoding="utf-8")

    return compare
