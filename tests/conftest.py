"""Rules for the whole suite: a skip of ours is a failure in CI; optional data lie beside the checkout."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).parents[1]
OPTIONAL_DATA = ROOT.parent / "shared" / "data"
OPTIONAL_REASON = "optional data"

# A job that a script puts in the background ignores Ctrl-C, and so would the commands that tests start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A busy machine is no failure: speed lives in benchmarks/. CI tries the same examples each time; elsewhere new ones.
settings.register_profile("unhurried", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("unhurried")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item):
    """In CI a skipped test fails, unless its reason says that optional data are absent."""
    outcome = yield
    report = outcome.get_result()
    if report.skipped and os.environ.get("CI") and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if OPTIONAL_REASON not in reason:
            report.outcome = "failed"
            report.longrepr = f"skipped in CI, where nothing may be skipped: {reason}"


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Published models beside the checkout; tests that need them are skipped where they are absent."""
    if not OPTIONAL_DATA.is_dir():
        pytest.skip(f"{OPTIONAL_REASON}: ../shared/data is not there")
    return OPTIONAL_DATA
