"""A model that is reached through links of the user's own is read where it really is."""

from __future__ import annotations

import pytest

from nmlopt.document.read import read
from nmlopt.errors import DocumentError

MODEL = '<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="d"><include href="channels/a.nml"/></neuroml>'
CHANNEL = '<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="c"/>'


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "models" / "cell"
    (folder / "channels").mkdir(parents=True)
    (folder / "channels" / "a.nml").write_text(CHANNEL)
    (folder / "cell.nml").write_text(MODEL)
    return folder / "cell.nml"


@pytest.mark.parametrize("is_folder", [True, False], ids=["linked folder", "linked file"])
def test_a_model_behind_a_link_is_read(model, tmp_path, is_folder):
    far = tmp_path / "a" / "b" / "c" / "d" / "e"
    far.mkdir(parents=True)
    link = far / "link"
    link.symlink_to(model.parent if is_folder else model)
    found = read(link / "cell.nml" if is_folder else link)
    assert [source.path for source in found.files] == ["cell.nml", "channels/a.nml"]


def test_an_include_behind_a_link_out_of_the_root_is_refused(model, tmp_path):
    secret = tmp_path / "elsewhere.nml"
    secret.write_text(CHANNEL)
    (model.parent / "channels" / "a.nml").unlink()
    (model.parent / "channels" / "a.nml").symlink_to(secret)
    with pytest.raises(DocumentError) as caught:
        read(model, root=model.parent)
    assert caught.value.issues[0].code in ("D008", "D009")
