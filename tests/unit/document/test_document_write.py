"""Writing: the same bytes in the same places, nothing overwritten."""

from __future__ import annotations

import pytest

from nmlopt.document.read import read
from nmlopt.document.write import write
from nmlopt.errors import DocumentError


def test_files_are_written_with_their_relative_paths(document, folder):
    written = write(document, folder / "out" / "deep")
    assert written == (folder / "out/deep/model.nml", folder / "out/deep/channels/na.channel.nml")
    assert [p.read_bytes() for p in written] == [f.data for f in document.files]
    assert read(written[0]).digest == document.digest


def test_nothing_is_overwritten_and_nothing_written_then(document, folder):
    out = folder / "out"
    (out / "channels").mkdir(parents=True)
    (out / "channels" / "na.channel.nml").write_text("mine")
    with pytest.raises(DocumentError, match=r"D012.*na\.channel\.nml.*exists already"):
        write(document, out)
    assert not (out / "model.nml").exists()
    with pytest.raises(DocumentError, match="D012"):
        write(document, folder)


def test_a_link_that_leads_nowhere_is_not_written_through(document, folder):
    (folder / "out").mkdir()
    (folder / "out" / "model.nml").symlink_to(folder / "elsewhere.nml")
    with pytest.raises(DocumentError, match="D012"):
        write(document, folder / "out")
    assert not (folder / "elsewhere.nml").exists()


def test_a_folder_that_cannot_be_made(document, folder):
    (folder / "file").write_text("")
    with pytest.raises(DocumentError, match=r"D012.*cannot be written"):
        write(document, folder / "file")
