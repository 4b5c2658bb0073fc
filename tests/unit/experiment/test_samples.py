"""CSV files of two columns: what is read, what is refused."""

from __future__ import annotations

import pytest

from nmlopt.errors import TargetsError
from nmlopt.experiment.samples import read_samples


@pytest.mark.parametrize(
    "text",
    [
        "0,1\n1,2\n",
        "time,current\n0,1\n1,2\n",
        "# a comment\n\n0\t1\n1\t2",
        "0 ; 1\r\n1 ; 2\r\n",
        "\ufefft v\n0.0 1e0\n1. 2\n",
    ],
)
def test_spellings(tmp_path, text):
    (tmp_path / "data.csv").write_text(text, encoding="utf-8")
    assert read_samples(tmp_path, "data.csv") == ((0.0, 1.0), (1.0, 2.0))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "0 samples"),
        ("0,1\n", "1 samples"),
        ("0,1\n0,2\n", "do not ascend at line 2"),
        ("0,1\n1,nan\n2,3\n", "line 2"),
        ("0,1\n1,inf\n", "line 2"),
        ("0,1\n1\n", "line 2"),
        ("a,b\nc,d\n0,1\n1,2\n", "line 2"),
        ("0,1,2\n1,2,3\n", "line 2"),
    ],
)
def test_refused_contents(tmp_path, text, message):
    (tmp_path / "data.csv").write_text(text)
    with pytest.raises(TargetsError, match=message) as caught:
        read_samples(tmp_path, "data.csv", "$.here")
    assert [(i.code, i.where) for i in caught.value.issues] == [("T055", "$.here")]


@pytest.mark.parametrize("name", ["../data.csv", "/etc/hostname", "sub/../../data.csv", "missing.csv", ".", "link.csv"])
def test_refused_places(tmp_path, name):
    folder = tmp_path / "targets"
    folder.mkdir()
    (tmp_path / "data.csv").write_text("0,1\n1,2\n")
    (folder / "link.csv").symlink_to(tmp_path / "data.csv")
    with pytest.raises(TargetsError, match="T055"):
        read_samples(folder, name)


def test_binary_is_refused(tmp_path):
    (tmp_path / "data.csv").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(TargetsError, match="not text"):
        read_samples(tmp_path, "data.csv")
