"""Reading: the tree, the set of files, the digest, and what is refused."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from nmlopt.document import read as read_module
from nmlopt.document.parse import parse_element
from nmlopt.document.read import read
from nmlopt.errors import DocumentError


def codes(error: pytest.ExceptionInfo[DocumentError]) -> list[str]:
    return [issue.code for issue in error.value.issues]


def nml(*includes: str) -> str:
    body = "".join(f'<include href="{i}"/>\n' for i in includes)
    return f'<neuroml xmlns="http://www.neuroml.org/schema/neuroml2">\n{body}</neuroml>'


def test_tree_holds_local_names_lines_and_parents(document):
    cell = next(e for e in document.components() if e.tag == "cell")
    assert cell.attributes == {"id": "hh"}
    assert (cell.file, cell.line, cell.where) == ("model.nml", 6, "model.nml:6")
    assert [e.tag for e in cell.children] == ["notes", "annotation", "morphology", "biophysicalProperties"]
    assert cell.children[0].text == "3 mV"
    assert all(child.parent is cell for child in cell.children)
    top = document.files[0].root
    assert (top.tag, top.parent) == ("neuroml", None)
    assert top.attributes["schemaLocation"].endswith("NeuroML_v2.3.xsd")
    assert "xsi" not in top.attributes


def test_files_are_main_first_with_relative_paths(document, folder):
    assert [f.path for f in document.files] == ["model.nml", "channels/na.channel.nml"]
    assert (document.root, document.main) == (folder, "model.nml")
    assert [e.tag for e in document.components()] == ["cell", "ionChannel", "ComponentType"]
    assert document.file("channels/na.channel.nml").data == (folder / "channels/na.channel.nml").read_bytes()


def test_unprefixed_attribute_wins_over_prefixed():
    element = parse_element(b'<a xmlns:q="u" q:x="1" x="2" q:y="3"/>', "f.xml")
    assert element.attributes == {"x": "2", "y": "3"}


def test_root_is_the_lowest_folder_that_holds_all_files(tmp_path):
    (tmp_path / "cells" / "a").mkdir(parents=True)
    (tmp_path / "channels").mkdir()
    (tmp_path / "cells" / "a" / "c.nml").write_text(nml("../../channels/k.nml"))
    (tmp_path / "channels" / "k.nml").write_text(nml())
    document = read(tmp_path / "cells" / "a" / "c.nml", root=tmp_path)
    assert document.root == tmp_path
    assert [f.path for f in document.files] == ["cells/a/c.nml", "channels/k.nml"]
    assert {e.file for f in document.files for e in f.root.walk()} == {"cells/a/c.nml", "channels/k.nml"}


def test_cycles_and_repeated_includes_are_read_once(tmp_path):
    (tmp_path / "a.nml").write_text(nml("b.nml", "c.nml", "b.nml"))
    (tmp_path / "b.nml").write_text(nml("c.nml", "a.nml", "b.nml"))
    (tmp_path / "c.nml").write_text(nml("./a.nml"))
    assert [f.path for f in read(tmp_path / "a.nml").files] == ["a.nml", "b.nml", "c.nml"]


def test_search_paths_come_after_the_own_folder(tmp_path):
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "k.nml").write_text(nml())
    (tmp_path / "lib" / "b.nml").write_text(nml())
    (tmp_path / "b.nml").write_text(nml())
    (tmp_path / "a.nml").write_text(nml("k.nml", "b.nml"))
    document = read(tmp_path / "a.nml", root=tmp_path, search_paths=[tmp_path / "lib"])
    assert [f.path for f in document.files] == ["a.nml", "lib/k.nml", "b.nml"]


def test_core_files_that_are_absent_mean_the_installed_ones(tmp_path):
    (tmp_path / "a.xml").write_text(
        '<Lems><Include file="Cells.xml"/><Include file="NeuroML2CoreTypes/PyNN.xml"/></Lems>'
    )
    assert [f.path for f in read(tmp_path / "a.xml").files] == ["a.xml"]
    (tmp_path / "Cells.xml").write_text("<Lems/>")
    assert [f.path for f in read(tmp_path / "a.xml").files] == ["a.xml", "Cells.xml"]


def test_include_of_segment_group_is_no_file(tmp_path):
    (tmp_path / "a.nml").write_text('<neuroml><cell id="c"><include segmentGroup="x"/></cell></neuroml>')
    assert len(read(tmp_path / "a.nml").files) == 1


def test_digest_depends_on_bytes_and_paths_only(folder, document):
    assert read(folder / "model.nml").digest == document.digest
    again = folder / "copy"
    for source in document.files:
        (again / source.path).parent.mkdir(parents=True, exist_ok=True)
        (again / source.path).write_bytes(source.data)
    assert read(again / "model.nml").digest == document.digest
    (again / "model.nml").write_bytes(document.files[0].data + b"\n")
    assert read(again / "model.nml").digest != document.digest


def test_document_survives_pickling(document):
    copy = pickle.loads(pickle.dumps(document))
    assert copy.digest == document.digest
    assert [e.attributes for f in copy.files for e in f.root.walk()] == [
        e.attributes for f in document.files for e in f.root.walk()
    ]


def test_missing_file_names_its_neighbours(folder):
    with pytest.raises(DocumentError, match=r"D001.*modle\.nml.*does not exist.*model\.nml"):
        read(folder / "modle.nml")
    with pytest.raises(DocumentError, match="there is no folder"):
        read(folder / "nowhere" / "model.nml")
    with pytest.raises(DocumentError, match="is not a file"):
        read(folder)


def test_unreadable_file(folder, monkeypatch):
    def deny(_path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", deny)
    with pytest.raises(DocumentError, match=r"D001.*Permission denied"):
        read(folder / "model.nml")


def test_name_that_the_system_does_not_take(folder):
    with pytest.raises(DocumentError, match="D001"):
        read(folder / ("x" * 5000))


def test_too_large_and_too_many(folder, monkeypatch):
    monkeypatch.setattr(read_module, "MAX_FILES", 1)
    with pytest.raises(DocumentError, match=r"D005.*more than 1 files"):
        read(folder / "model.nml")
    monkeypatch.setattr(read_module, "MAX_BYTES", 10)
    with pytest.raises(DocumentError, match="D005"):
        read(folder / "model.nml")


def test_all_faults_of_all_files_are_reported(tmp_path):
    (tmp_path / "a.nml").write_text(nml("b.nml", "missing.nml", "/etc/passwd", "bad.nml"))
    (tmp_path / "b.nml").write_text(nml("bat.nml"))
    (tmp_path / "bad.nml").write_text("<neuroml>\n <cell>")
    with pytest.raises(DocumentError) as error:
        read(tmp_path / "a.nml")
    assert sorted(codes(error)) == ["D002", "D007", "D009", "D009"]
    assert {i.where for i in error.value.issues} == {"a.nml:3", "a.nml:4", "b.nml:2", "bad.nml:2:8"}
    hint = next(i.hint for i in error.value.issues if "bat.nml" in i.message)
    assert "did you mean" in hint
    assert "'bad.nml'" in hint or "'b.nml'" in hint


def test_encoding_that_nobody_knows(tmp_path):
    (tmp_path / "a.nml").write_text('<?xml version="1.0" encoding="klingon"?>\n<neuroml/>')
    with pytest.raises(DocumentError, match=r"D002.*encoding"):
        read(tmp_path / "a.nml")


@pytest.mark.parametrize("data", [b"", b"\0\0\0", b"not xml", b"\xff\xfe<\0", bytes(range(256))])
def test_what_is_no_xml_is_refused(tmp_path, data):
    (tmp_path / "a.nml").write_bytes(data)
    with pytest.raises(DocumentError, match="D002"):
        read(tmp_path / "a.nml")


def test_relative_and_home_paths_are_taken(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert read(Path("model.nml")).root == folder
    assert read("./channels/../model.nml").main == "model.nml"
