"""The verb import-morphology: what it writes and says, and the messages of common mistakes."""

from __future__ import annotations

import pytest

SWC = "# soma, dendrite, axon\n1 1 0 0 0 5 -1\n2 3 5 0 0 1 1\n3 3 95 0 0 1 2\n4 2 0 -5 0 1 1\n5 2 0 -90 0 1 4\n"


@pytest.fixture
def swc(tmp_path):
    """A small cell."""
    path = tmp_path / "small.swc"
    path.write_text(SWC)
    return path


def test_a_cell_is_written_and_shown(call, swc, tmp_path):
    said = call("import-morphology", swc, "-o", tmp_path / "small.cell.nml")
    assert said.code == 0
    assert "soma_group" in said.out
    assert "biophysicalProperties" in said.err
    assert '<cell id="small">' in (tmp_path / "small.cell.nml").read_text()


def test_json_gives_the_regions(call, swc, tmp_path):
    options = ("--replace-axon", "--max-length", "0.002 cm", "--id", "mine", "--json")
    said = call("import-morphology", swc, "-o", tmp_path / "out" / "a.nml", *options).json
    regions = {region["id"]: region for region in said["regions"]}
    assert said["cell"] == "mine"
    assert regions["axon_group"]["length_um"] == 60
    assert regions["basal_group"]["compartments"] == 9  # 1 + 2 int(90 / 20)
    assert regions["soma_group"]["area_um2"] == pytest.approx(314.159265)


def test_what_it_writes_lacks_biophysics_only(call, swc, tmp_path):
    out = tmp_path / "a.nml"
    call("import-morphology", swc, "-o", out)
    errors = [i for i in call("check", out, "--no-run", "--json").json["issues"] if i["severity"] == "error"]
    assert {i["code"] for i in errors} == {"I005"}


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("absent.swc", "-o", "b.nml"), "M001", "absent.swc"),
        (("small.swc", "-o", "small.swc"), "M022", "exists already"),
        (("small.swc", "-o", "b.nml", "--max-length", "5 ms"), "U003", "time"),
        (("small.swc", "-o", "b.nml", "--max-length", "-5 um"), "M021", "40 um"),
        (("small.swc", "-o", "b.nml", "--id", "2nd"), "M021", "letter"),
        (("small.swc",), "C000", "-o"),
    ],
)
def test_mistakes_are_said(call, swc, monkeypatch, arguments, code, words):
    monkeypatch.chdir(swc.parent)
    said = call("import-morphology", *arguments)
    assert said.code == 2
    assert code in said.err
    assert words in said.err
    assert not (swc.parent / "b.nml").exists()
