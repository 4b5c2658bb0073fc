"""The skeleton that `nmlopt init` prints: readable by ourselves, for every kind of cell."""

from __future__ import annotations

import json

import pytest

from nmlopt.document.paths import listing
from nmlopt.document.read import read
from nmlopt.errors import Severity, TargetsError
from nmlopt.experiment.checks import check
from nmlopt.experiment.parameter_resolve import addresses
from nmlopt.experiment.skeleton import skeleton
from nmlopt.ir.lower import classify, lower
from nmlopt.spec.load import loads

FEATURES = frozenset({"Spikecount", "voltage_base", "maximum_voltage", "minimum_voltage"})


def made(document):
    found = listing(document)
    kinds = classify(document, found)
    data = skeleton(document, lower(document), [a for a in found if kinds[a.path] == "bindable"])
    return loads(json.dumps(data))


@pytest.mark.parametrize("name", ["ball.cell.nml", "fitzhugh_nagumo.nml"])
def test_skeleton_passes_its_own_checks(models, name):
    document = read(models / name)
    targets = made(document)
    issues = check(targets, document, folder=models, feature_units=dict.fromkeys(FEATURES, ""))
    assert not [issue for issue in issues if issue.severity is Severity.ERROR]
    assert not [issue for issue in issues if issue.code == "T047"]  # the present values lie inside


def test_every_density_is_offered(ball):
    targets = made(ball)
    paths = {address.path.split("/")[-2] for address in addresses(targets, ball) if address.attribute == "condDensity"}
    assert paths == {"channelDensity:leak", "channelDensity:na", "channelDensity:k"}
    assert {p.scale for p in targets.parameters if p.id.endswith("condDensity")} == {"log10"}


def test_voltages_move_up_and_down(ball):
    leak = next(p for p in made(ball).parameters if p.id == "leak_erev")
    assert (leak.lower, leak.upper) == ("-64.3 mV", "-44.3 mV")


def test_nothing_to_fit(ball):
    with pytest.raises(TargetsError, match="T037"):
        skeleton(ball, lower(ball), ())
