"""What NEURON's Import3d makes of morphology files: run as a script, prints JSON.

python import3d_reference.py LONGEST_UM FILE...: for every file its sections with name, length, area, nseg, path length
from the middle of the root to both ends, and the width (`diam`) in the middle.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any


def reference(files: list[Path], longest_um: float = 40.0) -> dict[str, list[dict[str, Any]]]:
    """The sections of each file by its name, from a process of its own."""
    command = [sys.executable, __file__, str(longest_um), *map(str, files)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, list[dict[str, Any]]] = json.loads(run.stdout)
    return found


def _sections(path: str, longest_um: float) -> list[dict[str, Any]]:
    from neuron import h

    reader = h.Import3d_Neurolucida3() if path.endswith(".asc") else h.Import3d_SWC_read()
    reader.quiet = 1
    reader.input(path)
    h.Import3d_GUI(reader, 0).instantiate(None)
    found = list(h.allsec())
    for section in found:
        section.nseg = 1 + 2 * int(section.L / longest_um)
    h.distance(0, 0.5, sec=next(s for s in found if s.parentseg() is None))
    rows = [
        {
            "name": section.name(),
            "length_um": section.L,
            "area_um2": sum(segment.area() for segment in section),
            "nseg": section.nseg,
            "from_um": h.distance(1, 0.0, sec=section),
            "to_um": h.distance(1, 1.0, sec=section),
            "middle_um": section.diam,
        }
        for section in found
    ]
    for section in found:
        h.delete_section(sec=section)
    return rows


def _main() -> None:
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answer:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # Import3d prints, some of it when the process ends
        from neuron import h

        h.load_file("import3d.hoc")
        json.dump({Path(path).name: _sections(path, float(sys.argv[1])) for path in sys.argv[2:]}, answer)


if __name__ == "__main__":
    _main()
