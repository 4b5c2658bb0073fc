"""What a wheel holds and how it is tagged, with and without kernels; which instructions kernels have."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile

import pytest

from nmlopt.exporters.native import prebuild
from nmlopt.exporters.native.platforms import PLATFORMS, this_platform

pytestmark = pytest.mark.slow
PARTS = ("nmlopt", "exporters", "schemas", "mods", "pyproject.toml", "README.md", "LICENSE", "MANIFEST.in")


@pytest.fixture(scope="module")
def checkout(root, tmp_path_factory):
    """The files of which wheels are made, apart, since a build leaves some beside them."""
    folder = tmp_path_factory.mktemp("checkout")
    for part in (root / name for name in PARTS):
        if part.is_dir():
            left_out = shutil.ignore_patterns("__pycache__", "prebuilt")
            shutil.copytree(part, folder / part.name, symlinks=True, ignore=left_out)
        else:
            shutil.copy(part, folder)
    return folder


def wheel(checkout, out, kernels=""):
    command = [sys.executable, "-m", "pip", "wheel", "-q", str(checkout), "--no-deps", "-w", str(out)]
    subprocess.run(command, env={**os.environ, "NMLOPT_PREBUILT": str(kernels)}, check=True)
    (found,) = out.glob("*.whl")
    return found


def test_kernels_go_into_a_wheel_for_their_platform_where_that_is_asked_for(checkout, tmp_path):
    level = next(iter(PLATFORMS[this_platform()].levels))
    kernels = prebuild.prebuild(tmp_path / "kernels", names=["point"], levels=[level])
    made = wheel(checkout, tmp_path / "with", kernels)
    tag = (kernels / prebuild.WHEEL).read_text()
    assert made.name.endswith(f"-py3-none-{tag}.whl")
    with zipfile.ZipFile(made) as archive:
        held = {name for name in archive.namelist() if "/prebuilt/" in name}
        (facts,) = (archive.read(name).decode() for name in archive.namelist() if name.endswith("dist-info/WHEEL"))
    place = f"nmlopt/exporters/native/prebuilt/{this_platform()}"
    files = {f"{place}/{level}/point/{name}" for name in ("kernel.so", "processor.txt", "made.json")}
    assert held == {*files, f"{place}/{prebuild.WHEEL}"}
    assert "Root-Is-Purelib: false" in facts
    plain = wheel(checkout, tmp_path / "without")  # nothing of the build before it gets in
    assert plain.name.endswith("-py3-none-any.whl")
    with zipfile.ZipFile(plain) as archive:
        assert not [name for name in archive.namelist() if "/prebuilt/" in name]
        assert "nmlopt/exporters/native/prebuilt.py" in archive.namelist()


def test_a_folder_without_kernels_is_refused(checkout, tmp_path):
    with pytest.raises(subprocess.CalledProcessError):
        wheel(checkout, tmp_path / "out", tmp_path)


@pytest.mark.parametrize(
    ("level", "has", "lacks"),
    [("x86-64-v2", "%xmm", "%ymm"), ("x86-64-v3", "%ymm", "%zmm"), ("x86-64-v4", "%zmm", "%tmm")],
)
def test_a_kernel_has_the_instructions_of_its_level_and_none_beyond(level, has, lacks, tmp_path):
    if this_platform() != "linux-x86_64":
        return
    made = prebuild.prebuild(tmp_path, names=["point"], levels=[level]) / level / "point" / "kernel.so"
    code = subprocess.run(["objdump", "-d", str(made)], capture_output=True, text=True, check=True).stdout
    assert has in code and lacks not in code
    assert "vfmadd" not in code  # none is written in this text, and the compiler makes none by itself
