"""Backends by name."""

from __future__ import annotations

import pickle

import pytest

from nmlopt.errors import BackendError, UsageError
from nmlopt.exporters.registry import installed_version, load, names


def test_every_name_loads_and_can_be_pickled():
    for name in names():
        backend = load(name)
        assert backend.name == name
        assert pickle.loads(pickle.dumps(backend)).name == name


def test_unknown_name_suggests_a_near_one():
    with pytest.raises(UsageError) as caught:
        load("neurn")
    issue = caught.value.issues[0]
    assert (issue.code, "neuron" in issue.hint) == ("B000", True)


def test_missing_simulator_names_the_command():
    with pytest.raises(BackendError) as caught:
        installed_version("no-such-simulator", "pip install it")
    assert caught.value.issues[0].code == "B001"
    assert "pip install it" in caught.value.issues[0].hint
    assert caught.value.exit_code == 3
