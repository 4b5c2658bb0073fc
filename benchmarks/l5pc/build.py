"""Make the layer 5 pyramidal cell of BluePyOpt's second use case a NeuroML document with targets.

    python benchmarks/l5pc/build.py DATA OUT [--interp-step 0.01]

DATA: folder of its published files (C060114A7.asc, parameters.json, protocols.json, features.json, mechanisms.json,
expected_bluepyopt.json), or examples/l5pc of a BluePyOpt checkout. Writes OUT/model.nml, OUT/channels/ and
OUT/targets.json. The published files are under CC-BY-NC-SA 4.0, and so is what is made of them: nothing of it is here.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path

from l5pc_data import Data, load
from l5pc_model import copy_channels, model_text, sections
from l5pc_targets import targets

from nmlopt.resources import channels_folder


def build(data: Data, out: Path, efel_settings: Mapping[str, float]) -> None:
    """Write the three parts; `out` must not hold a model yet."""
    if (out / "model.nml").exists():
        raise SystemExit(f"{out} holds a model already: give a new folder")
    parts = sections(data)
    copy_channels(data, channels_folder(), out / "channels")
    (out / "model.nml").write_text(model_text(data, parts), encoding="utf-8")
    text = json.dumps(targets(data, parts, efel_settings), indent=2)
    (out / "targets.json").write_text(text + "\n", encoding="utf-8")


def main() -> None:
    """Parse the command line and build."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA")
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument(
        "--interp-step", type=float, help="grid (ms) of eFEL's interpolation (default: eFEL's own, 0.1)"
    )
    given = parser.parse_args()
    settings = {} if given.interp_step is None else {"interp_step": given.interp_step}
    build(load(given.data), given.out, settings)
    print(f"{given.out / 'model.nml'}\n{given.out / 'targets.json'}")


if __name__ == "__main__":
    main()
