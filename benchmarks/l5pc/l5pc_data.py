"""The published files of the cell, from a folder of them or from examples/l5pc of a BluePyOpt checkout."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MORPHOLOGY = "C060114A7.asc"


@dataclass(frozen=True)
class Data:
    """Parsed files; `values` are the published values of the free parameters by name and section list (`gX.apical`)."""

    morphology: Path
    mechanisms: Mapping[str, list[str]]
    parameters: list[dict[str, Any]]
    protocols: Mapping[str, Any]
    features: Mapping[str, Any]
    values: Mapping[str, float]


def load(folder: Path) -> Data:
    """Everything the model and its targets are made of. Exits with a message if a file is missing."""
    return Data(
        morphology=find(folder, MORPHOLOGY),
        mechanisms=_json(folder, "mechanisms.json"),
        parameters=_json(folder, "parameters.json"),
        protocols=_json(folder, "protocols.json"),
        features=_json(folder, "features.json"),
        values=_published(folder),
    )


def find(folder: Path, name: str) -> Path:
    """The file of that name in the folder, its `config` or its `morphology`."""
    for place in (folder, folder / "config", folder / "morphology", folder / "examples" / "l5pc"):
        for path in (place / name, place / "config" / name, place / "morphology" / name):
            if path.is_file():
                return path
    raise SystemExit(f"{folder} holds no {name}: give the folder of the published files, or examples/l5pc of BluePyOpt")


def expected(folder: Path) -> dict[str, Any]:
    """BluePyOpt's own feature values and scores at the published parameters."""
    found: dict[str, Any] = _json(folder, "expected_bluepyopt.json")
    return found


def _published(folder: Path) -> Mapping[str, float]:
    """From expected_bluepyopt.json, else from a dictionary in a script of BluePyOpt's example that names them all."""
    try:
        found: Mapping[str, float] = expected(folder)["parameters"]
        return found
    except SystemExit:
        pass
    wanted = {f"{e['param_name']}.{e['sectionlist']}" for e in _json(folder, "parameters.json") if "bounds" in e}
    for script in sorted({*folder.glob("*.py"), *folder.glob("examples/l5pc/*.py")}):
        for node in ast.walk(ast.parse(script.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Dict) and wanted <= {k.value for k in node.keys if isinstance(k, ast.Constant)}:
                values = ast.literal_eval(node)  # literals only: nothing of the script is run
                return {name: float(values[name]) for name in sorted(wanted)}
    raise SystemExit(f"{folder} holds neither expected_bluepyopt.json nor a script with the published parameters")


def _json(folder: Path, name: str) -> Any:
    return json.loads(find(folder, name).read_text(encoding="utf-8"))
