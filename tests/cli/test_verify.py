"""The verb verify: exit codes, JSON that fits its schema, a page that stands alone, and mistakes."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import pytest
from pydantic import ValidationError
from stepped_backend import SteppedBackend, entrants, stepped_subject

from nmlopt.backend import RunStatus
from nmlopt.cli import verifying
from nmlopt.errors import Issue
from nmlopt.exporters import registry
from nmlopt.results.verification import VerificationDocument, document, schema
from nmlopt.results.verification_files import render
from nmlopt.verify.run import compare_backends


@pytest.fixture
def stepped(monkeypatch: pytest.MonkeyPatch):
    """Backends of ours under the names of the registry: what each is, by name."""

    def use(**backends: SteppedBackend) -> None:
        monkeypatch.setattr(registry, "names", lambda: tuple(backends))
        monkeypatch.setattr(registry, "load", lambda name: backends[name])
        monkeypatch.setattr("nmlopt.api.verifying.subject_of", lambda files: stepped_subject())

    return use


ONE, TWO = SteppedBackend("one"), SteppedBackend("two", lag=-3.0)
REFUSING = SteppedBackend("three", issues=(Issue("B043", "it is a point cell", hint="use another"),))


def _files(folder: Path) -> tuple[Path, Path]:
    return folder / "model.nml", folder / "targets.json"


def test_the_same_is_0(call, stepped, simplecell):
    stepped(one=ONE, two=TWO)
    found = call("verify", *_files(simplecell))
    assert found.code == 0, found.err
    assert "same within numerical error" in found.out
    assert "one and two: same within numerical error; 2 of 2 targets the same" in found.err
    assert "4/6 two, dt 0.025 ms" in found.err


def test_a_difference_is_1(call, stepped, simplecell):
    stepped(one=ONE, two=SteppedBackend("two", height_mV=90.0))
    found = call("verify", *_files(simplecell))
    assert found.code == 1
    assert "peak, spike differ" in found.err


def test_what_cannot_be_told_is_1(call, stepped, simplecell):
    stepped(one=ONE, two=SteppedBackend("two", flickers=True))
    found = call("verify", *_files(simplecell))
    assert found.code == 1
    assert "undecided" in found.out


def test_a_failed_run_is_1(call, stepped, simplecell):
    stepped(one=ONE, two=SteppedBackend("two", status=RunStatus.DIVERGED))
    found = call("verify", *_files(simplecell))
    assert found.code == 1
    assert "two failed" in found.err


def test_a_refusal_is_told_and_the_others_are_compared(call, stepped, simplecell):
    stepped(one=ONE, two=TWO, three=REFUSING)
    found = call("verify", *_files(simplecell))
    assert found.code == 0
    assert "B043: it is a point cell" in found.out


def test_one_backend_alone_is_2(call, stepped, simplecell):
    stepped(one=ONE, three=REFUSING)
    found = call("verify", *_files(simplecell))
    assert found.code == 2
    assert "nothing was compared" in found.err


def test_a_missing_simulator_is_3_where_it_was_asked_for(call, stepped, simplecell):
    stepped(one=ONE, two=TWO, four=SteppedBackend("four", is_missing=True))
    assert call("verify", *_files(simplecell)).code == 0
    found = call("verify", *_files(simplecell), "--backends", "one,two,four")
    assert found.code == 3
    assert "not installed" in found.out


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--backends", "neuron"), "V001", "two backends"),
        (("--backends", "neuron,neurn"), "B000", "neurn"),
        (("--dt", "0"), "C012", "--dt"),
        (("--html", "model.nml"), "R001", "exists"),
        (("--out", "."), "R001", "not empty"),
    ],
    ids=["one backend", "unknown backend", "no step", "page exists", "folder in use"],
)
def test_mistakes_are_2(call, simplecell, arguments, code, words, tmp_path, monkeypatch):
    (tmp_path / "model.nml").write_text("x")
    monkeypatch.chdir(tmp_path)
    found = call("verify", *_files(simplecell), *arguments)
    assert found.code == 2
    assert code in found.err
    assert words in found.err


def test_json_fits_the_shipped_schema(call, stepped, simplecell):
    stepped(one=ONE, two=TWO, three=REFUSING)
    printed = call("verify", *_files(simplecell), "--json").json
    shipped = json.loads(resources.files("nmlopt.schemas").joinpath("v1/verification.schema.json").read_text())
    assert shipped == schema()
    assert set(shipped["required"]) == set(shipped["properties"]) == set(printed)
    assert (printed["format"], printed["format_version"]) == ("nmlopt-verification", "1.0")
    assert [b["status"] for b in printed["backends"]] == ["ok", "ok", "refused"]
    assert printed["spikes"][0]["counts"] == {"one": [3, 3, 3], "two": [3, 3, 3]}
    VerificationDocument.model_validate(printed)
    with pytest.raises(ValidationError):
        VerificationDocument.model_validate({**printed, "surprise": 1})


def test_page_and_document_are_written(call, stepped, simplecell, tmp_path):
    stepped(one=ONE, two=TWO)
    found = call("verify", *_files(simplecell), "--out", tmp_path / "out", "--html", tmp_path / "same.html")
    assert found.code == 0
    files = sorted(p.name for p in (tmp_path / "out").iterdir())
    assert files == ["verification.html", "verification.json"]
    page = (tmp_path / "same.html").read_text()
    assert page == (tmp_path / "out" / "verification.html").read_text()
    assert "data:image/svg+xml" in page
    assert "http" not in page.replace("http-equiv", "")


def test_the_page_escapes_what_backends_say():
    odd = SteppedBackend("three", issues=(Issue("B043", "a < b & <script>"),))
    found = compare_backends(stepped_subject(), entrants(ONE, TWO, odd))
    page = render(found, document(found, "a<b>.nml"))
    assert "<script>" not in page
    assert "a &lt; b &amp; &lt;script&gt;" in page


def test_names_of_backends_are_split():
    assert verifying.backend_names(" neuron, arbor,") == ("neuron", "arbor")
    assert verifying.backend_names(None) == ()
