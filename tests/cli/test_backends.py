"""`nmlopt backends` and `--backend`: what is here, what each can do with a document, the same refusals everywhere."""

from __future__ import annotations

import pytest

from nmlopt.exporters import registry
from nmlopt.exporters.registry import names


@pytest.fixture
def pools(root, monkeypatch):
    """A document of four cells, and a backend that can have nothing of them but what is passive."""
    monkeypatch.setitem(registry._BACKENDS, "toy", "toy_backend.backend:ToyBackend")
    return root / "tests" / "data" / "elements" / "calcium.nml"


def _by_name(rows):
    return {(row["cell"], row["name"]): row for row in rows}


def test_backends_are_listed_with_what_they_offer(call):
    found = call("backends", "--json").json
    assert list(found) == ["backends"]
    rows = {row["name"]: row for row in found["backends"]}
    assert tuple(rows) == names()
    assert rows["neuron"]["numerics"] == ["cnexp", "jneuroml"]
    assert rows["neuron"]["tables"] and not rows["arbor"]["tables"]
    said = call("backends")
    assert said.code == 0 and all(name in said.out for name in names())


def test_a_missing_simulator_is_shown_with_its_command(call, monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    said = call("backends")
    assert said.code == 0
    assert "incomplete" in said.out and "cmake missing" in said.err
    assert call("backends", "--json").json["backends"][0]["programs"] == {"c++": None, "make": None}


def test_every_element_has_an_answer_of_every_backend(pools, call):
    rows = call("backends", pools, "--json").json["elements"]
    assert {row["cell"] for row in rows} == {"calcium", "shelled", "traubs", "populated"}
    assert all(set(row["backends"]) == set(names()) for row in rows)
    assert all(row["where"].startswith("calcium.nml:") for row in rows)
    found = _by_name(rows)
    refused = found["calcium", "ca2"]["backends"]["toy"]
    assert not refused["is_supported"]
    assert [(i["code"], i["where"]) for i in refused["issues"]] == [("B901", "calcium.nml:34")]
    assert found["calcium", "d_passive"]["backends"]["toy"]["is_supported"]
    assert all(row["backends"]["neuron"]["is_supported"] for row in rows)


def test_one_cell_can_be_asked_for(pools, call):
    rows = call("backends", pools, "--component", "shelled", "--json").json["elements"]
    assert {row["cell"] for row in rows} == {"shelled"}


def test_protocols_are_elements_too(root, call):
    example = root / "examples" / "izhikevich"
    said = call("backends", example / "model.nml", example / "targets.json")
    assert said.code == 0
    assert "$.protocols[0]" in said.out and "B043" in said.out and "Why not" in said.out


def test_check_reports_the_same_refusals(pools, root, call):
    listed = call("backends", pools, "--json").json["elements"]
    expected = {i["message"] for row in listed for i in row["backends"]["toy"]["issues"]}
    assert expected
    found = call("check", pools, "--backend", "toy", "--json")
    assert found.code == 2
    assert {i["message"] for i in found.json["issues"] if i["severity"] == "error"} == expected
    assert call("check", pools).code == 0

    example = root / "examples" / "izhikevich"
    files = (example / "model.nml", example / "targets.json")
    for more in ((), ("--no-run",)):
        said = call("check", *files, "--backend", "arbor", *more)
        assert said.code == 2 and "error B043" in said.err


def test_settings_that_a_backend_has_not_are_refused_before_anything_is_built(root, call, tmp_path):
    example = root / "examples" / "hh_soma"
    settings = ("--backend", "arbor", "--numerics", "jneuroml", "--tables")
    for arguments in (
        ("check", example / "model.nml", example / "targets.json", "--no-run"),
        ("check", example / "model.nml"),
        ("score", example / "model.nml", example / "targets.json"),
        ("export", example / "model.nml", tmp_path / "out"),
    ):
        said = call(*arguments, *settings)
        assert said.code == 2
        assert "error B040" in said.err and "error B042" in said.err, arguments
    assert not (tmp_path / "out").exists()


def test_a_document_without_a_cell_has_nothing_to_refuse(root, call):
    channel = root / "nmlopt" / "mods" / "channels" / "Ih.channel.nml"
    assert call("check", channel, "--backend", "arbor").code == call("check", channel).code
