"""Our NEURON backend against jNeuroML on published cells, as tables.

python benchmarks/osb_equivalence.py DATA [CASE ...]

DATA is the folder that holds osb/ (the published repositories). Needs NEURON and Java; minutes per case.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "tools"))

from export_repairs import Repair, in_turn, nernst_of_the_types, plain_literals, rates_in_order
from osb_cells import BY_NAME, Case
from osb_comparison import convergence, differences

ALL_REPAIRS = in_turn(plain_literals, rates_in_order, nernst_of_the_types)


def main(arguments: list[str]) -> None:
    """Print both tables."""
    data = Path(arguments[0])
    cases = [BY_NAME[name] for name in arguments[1:] or BY_NAME]
    print("numerics jneuroml against jNeuroML's NEURON export at dt")
    print("| cell/recording | dt ms | spikes | theirs | steps apart | largest mV or rel. | repaired: steps | largest |")
    print("|---|---|---|---|---|---|---|---|")
    for case in cases:
        _export_rows(case, data)
    print("\nnumerics cnexp against jneuroml: largest distance of spikes (ms)")
    print("| cell | spikes | dt ms | at dt | dt/2 | dt/4 | extrapolated | last spike cnexp | jneuroml |")
    print("|---|---|---|---|---|---|---|---|---|")
    for case in cases:
        found = convergence(case, data)
        distances = " | ".join(f"{d:.4f}" for d in found.distances_ms)
        apart = f"{found.extrapolated_ms:.5f}"
        last = " | ".join(f"{t:.4f}" for t in found.limits)
        print(f"| {case.name} | {found.spikes} | {case.coarse_ms:g} | {distances} | {apart} | {last} |")
        sys.stdout.flush()


def _export_rows(case: Case, data: Path) -> None:
    plain, repaired = (_differences(case, data, repair) for repair in (None, ALL_REPAIRS))
    for row, better in zip(plain, repaired, strict=True):
        print(
            f"| {case.name}/{row.recording} | {case.dt_ms:g} | {row.spikes} | {row.peer_spikes} | {_most(row.shifts)} "
            f"| {row.largest:.2g} | {_most(better.shifts)} | {better.largest:.2g} |"
        )
    sys.stdout.flush()


def _differences(case: Case, data: Path, repair: Repair | None) -> tuple:
    with tempfile.TemporaryDirectory() as folder:
        return differences(case, data, Path(folder), repair)


def _most(shifts: tuple[int, ...]) -> int:
    return max(map(abs, shifts), default=0)


if __name__ == "__main__":
    main(sys.argv[1:])
