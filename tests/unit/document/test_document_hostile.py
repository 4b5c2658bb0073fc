"""Hostile input: nothing is expanded, fetched, or read from outside the root; every refusal is one of our errors."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nmlopt.document.includes import FOLDERS_UP
from nmlopt.document.read import read
from nmlopt.errors import DocumentError

BOMB = """<?xml version="1.0"?>
<!DOCTYPE lolz [
 <!ENTITY a "ha"> <!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
 <!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"> <!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;">
 <!ENTITY e "&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;"> <!ENTITY f "&e;&e;&e;&e;&e;&e;&e;&e;&e;&e;">
]>
<neuroml><notes>&f;</notes></neuroml>"""
EXTERNAL = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>\n<neuroml><notes>&e;</notes></neuroml>'
PARAMETER = '<!DOCTYPE x [<!ENTITY % e SYSTEM "http://localhost:1/x.dtd"> %e;]>\n<neuroml/>'
PUBLIC = '<!DOCTYPE neuroml PUBLIC "-//x" "http://localhost:1/x.dtd">\n<neuroml/>'


def refused(path: Path, code: str, root: Path | None = None) -> str:
    with pytest.raises(DocumentError) as error:
        read(path, root=root)
    assert {i.code for i in error.value.issues} == {code}
    return str(error.value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("text", [BOMB, EXTERNAL, PARAMETER, PUBLIC], ids=["bomb", "external", "parameter", "public"])
def test_document_types_are_refused(tmp_path, text, encoding):
    (tmp_path / "a.nml").write_bytes(text.encode(encoding))
    assert "DOCTYPE" in refused(tmp_path / "a.nml", "D003")


def test_undeclared_entity_is_refused(tmp_path):
    (tmp_path / "a.nml").write_text("<neuroml><notes>&e;</notes></neuroml>")
    refused(tmp_path / "a.nml", "D002")


def test_gigantic_depth_is_refused_at_once(tmp_path):
    (tmp_path / "a.nml").write_text("<neuroml>" + "<a>" * 1_000_000)
    refused(tmp_path / "a.nml", "D004")


@pytest.mark.parametrize(
    "href",
    [
        "http://localhost:1/x.nml",
        "HTTPS://localhost:1/x.nml",
        "ftp://x/y",
        "file:///etc/passwd",
        "file:secret.nml",
        "/etc/passwd",
        "//host/share/x.nml",
        "C:\\model.nml",
        "\\\\host\\x.nml",
    ],
)
def test_absolute_and_network_includes_are_refused(tmp_path, href):
    (tmp_path / "secret.nml").write_text("<neuroml/>")
    (tmp_path / "a.nml").write_text(f'<neuroml><include href="{href}"/></neuroml>')
    refused(tmp_path / "a.nml", "D007")


@pytest.mark.parametrize("href", ["../" * 30 + "etc/passwd", "x/../../secret.nml", "./../secret.nml"])
def test_paths_out_of_the_root_are_refused(tmp_path, href):
    (tmp_path / "secret.nml").write_text("<neuroml/>")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.nml").write_text(f'<neuroml><include href="{href}"/></neuroml>')
    message = refused(tmp_path / "in" / "a.nml", "D008", root=tmp_path / "in")
    assert "--root" in message


def test_symbolic_links_out_of_the_root_are_refused(tmp_path):
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "x.nml").write_text("<neuroml/>")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link.nml").symlink_to(tmp_path / "secret" / "x.nml")
    (tmp_path / "in" / "folder").symlink_to(tmp_path / "secret")
    for href in ("link.nml", "folder/x.nml"):
        (tmp_path / "in" / "a.nml").write_text(f'<neuroml><include href="{href}"/></neuroml>')
        refused(tmp_path / "in" / "a.nml", "D008", root=tmp_path / "in")


def test_the_model_and_search_paths_must_lie_in_the_root(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "a" / "m.nml").write_text("<neuroml/>")
    refused(tmp_path / "a" / "m.nml", "D008", root=tmp_path / "b")
    with pytest.raises(DocumentError, match=r"D008.*search path"):
        read(tmp_path / "a" / "m.nml", root=tmp_path / "a", search_paths=[tmp_path / "b"])
    with pytest.raises(DocumentError, match=r"D001.*not a folder"):
        read(tmp_path / "a" / "m.nml", root=tmp_path, search_paths=[tmp_path / "c"])


def test_links_inside_the_root_are_read_but_not_under_two_names(tmp_path):
    (tmp_path / "x.nml").write_text("<neuroml/>")
    (tmp_path / "link.nml").symlink_to("x.nml")
    (tmp_path / "a.nml").write_text('<neuroml><include href="link.nml"/></neuroml>')
    assert [f.path for f in read(tmp_path / "a.nml").files] == ["a.nml", "link.nml"]
    (tmp_path / "a.nml").write_text('<neuroml><include href="link.nml"/><include href="x.nml"/></neuroml>')
    refused(tmp_path / "a.nml", "D011")


def test_link_that_leads_to_itself_and_pipes_are_missing_files(tmp_path):
    (tmp_path / "loop.nml").symlink_to("loop.nml")
    os.mkfifo(tmp_path / "pipe.nml")
    long = "x" * 5000
    for name in ("loop.nml", "pipe.nml", long, f"{long}/y.nml"):
        (tmp_path / "a.nml").write_text(f'<neuroml><include href="{name}"/></neuroml>')
        with pytest.raises(DocumentError, match=r"D00[89]"):
            read(tmp_path / "a.nml", root=tmp_path)


def test_without_root_three_folders_up_are_the_limit(tmp_path):
    assert FOLDERS_UP == 3
    deep = tmp_path / "1" / "2" / "3" / "4"
    deep.mkdir(parents=True)
    for folder in (tmp_path, tmp_path / "1"):
        (folder / "x.nml").write_text("<neuroml/>")
    (deep / "a.nml").write_text('<neuroml><include href="../../../x.nml"/></neuroml>')
    assert read(deep / "a.nml").root == tmp_path / "1"
    (deep / "a.nml").write_text('<neuroml><include href="../../../../x.nml"/></neuroml>')
    refused(deep / "a.nml", "D008")


def test_version_control_root_is_the_limit(tmp_path):
    deep = tmp_path / "1" / "2" / "3" / "4"
    deep.mkdir(parents=True)
    (tmp_path / ".git").write_text("gitdir: elsewhere")
    (tmp_path / "x.nml").write_text("<neuroml/>")
    (deep / "a.nml").write_text('<neuroml><include href="../../../../x.nml"/></neuroml>')
    assert [f.path for f in read(deep / "a.nml").files] == ["1/2/3/4/a.nml", "x.nml"]
    (tmp_path / "1" / "2" / ".git").mkdir()
    refused(deep / "a.nml", "D008")


def test_home_is_never_left_without_being_asked(tmp_path, monkeypatch):
    home = tmp_path / "home"
    (home / "a").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    (tmp_path / "x.nml").write_text("<neuroml/>")
    (home / "a" / "m.nml").write_text('<neuroml><include href="../../x.nml"/></neuroml>')
    refused(home / "a" / "m.nml", "D008")


def test_messages_do_not_show_what_a_foreign_file_holds(tmp_path):
    (tmp_path / "private.txt").write_text("password=hunter2\n")
    (tmp_path / "a.nml").write_text('<neuroml><include href="private.txt"/></neuroml>')
    assert "hunter2" not in refused(tmp_path / "a.nml", "D002")
