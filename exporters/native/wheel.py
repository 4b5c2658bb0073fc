"""Puts prebuilt kernels into a wheel, where that is asked for: NMLOPT_PREBUILT=FOLDER, as `prebuild` left it for one
platform. setuptools loads this file by itself (pyproject.toml) where nothing of nmlopt is installed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py

PREBUILT = "NMLOPT_PREBUILT"
"""Environment variable: the folder of a platform. Without it a wheel holds no kernel and is for any machine."""
_PLACE = Path("nmlopt", "exporters", "native", "prebuilt")


class BuildPy(build_py):
    """Copies the kernels beside the modules; what an earlier build left of others goes away."""

    def run(self) -> None:
        """Build as ever, then copy."""
        super().run()
        if self.editable_mode:
            return
        place = Path(self.build_lib) / _PLACE
        shutil.rmtree(place, ignore_errors=True)
        folder = _folder()
        if folder is not None:
            shutil.copytree(folder, place / folder.name, ignore=shutil.ignore_patterns("failed-*"))


class BdistWheel(bdist_wheel):
    """Tags a wheel with kernels for their platform, and for every Python 3."""

    def finalize_options(self) -> None:
        """Files for one platform go where such files belong: there setuptools asks for extension modules alone."""
        if _folder() is not None:
            self.distribution.has_ext_modules = lambda: True
        super().finalize_options()

    def get_tag(self) -> tuple[str, str, str]:
        """Interpreter, ABI and platform."""
        folder = _folder()
        if folder is None:
            tag: tuple[str, str, str] = super().get_tag()
            return tag
        return "py3", "none", (folder / "wheel.txt").read_text(encoding="utf-8").strip()


def _folder() -> Path | None:
    asked = os.environ.get(PREBUILT)
    if not asked:
        return None
    folder = Path(asked).resolve()
    if not (folder / "wheel.txt").is_file():
        message = f"{PREBUILT}: {folder} is no folder of prebuilt kernels (python -m nmlopt.exporters.native.prebuild)"
        raise SystemExit(message)
    return folder
