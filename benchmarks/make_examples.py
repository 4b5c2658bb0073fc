"""Makes the targets of the examples: simulates the true parameters of `expected.json`, writes means and sds.

python benchmarks/make_examples.py           write targets.json and expected.json anew
python benchmarks/make_examples.py --check   compare with what they hold; exit code 1 if a score is above 0.01
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np

from nmlopt.api.problem import Loaded, Options, load
from nmlopt.evaluate.evaluate import evaluate_batch
from nmlopt.evaluate.model import Evaluation
from nmlopt.units import Quantity

EXAMPLES = Path(__file__).parents[1] / "examples"
CASES = ("hh_soma", "ball_and_stick", "izhikevich")
FRACTION = 0.05
FLOORS = {"mV": 0.5, "ms": 0.1, "Hz": 0.5}
"""sd = 5 % of the mean, but not less than these: about what a feature loses to the time step and eFEL's sampling."""
TOLERANCE_SD = 0.01


def main() -> int:
    """Write or check every example."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing, compare")
    arguments = parser.parse_args()
    if not arguments.check:
        for case in CASES:
            write(EXAMPLES / case)
    return max(check(EXAMPLES / case) for case in CASES)


def write(folder: Path) -> None:
    """Means and sds of one example from its true parameters."""
    features = true_features(folder)
    targets = read_json(folder / "targets.json")
    for target in targets["targets"]:
        mean = features[target["id"]]
        floor = FLOORS[target["unit"]]
        target["mean"], target["sd"] = mean, rounded(max(floor, FRACTION * abs(mean)))
    write_json(folder / "targets.json", targets)
    write_json(folder / "expected.json", {**read_json(folder / "expected.json"), "features": features})


def check(folder: Path) -> int:
    """Compare an example with a fresh simulation of its true parameters; 0 if they agree."""
    fresh, stored = true_features(folder), read_json(folder / "expected.json")["features"]
    rows = {t["id"]: t for t in read_json(folder / "targets.json")["targets"]}
    worst = max(max(abs(fresh[k] - stored[k]), abs(fresh[k] - rows[k]["mean"])) / rows[k]["sd"] for k in rows)
    print(f"{folder.name}: {len(rows)} targets, largest difference {worst:.2g} sd")
    return int(worst > TOLERANCE_SD or set(fresh) != set(stored))


def true_features(folder: Path) -> dict[str, float]:
    """The mean of every feature at the true parameters, by target id."""
    loaded = load(folder / "model.nml", folder / "targets.json", Options())
    truth = evaluate_truth(loaded, read_json(folder / "expected.json")["parameters"])
    missing = [t.id for t in loaded.files.targets.targets if not truth.features.get(t.id)]
    if missing:
        sys.exit(f"{folder.name}: the true cell has no {', '.join(missing)} ({truth.status}: {truth.detail})")
    return {t.id: rounded(math.fsum(v) / len(v)) for t in loaded.files.targets.targets if (v := truth.features[t.id])}


def evaluate_truth(loaded: Loaded, values: dict[str, str]) -> Evaluation:
    """One evaluation of the true parameters."""
    x = [Quantity.parse(values[p.id]).to(p.unit.symbol).value for p in loaded.problem.parameters.free]
    return evaluate_batch(loaded.problem, np.array([x]))[0]


def rounded(value: float) -> float:
    """Six significant digits: enough for a target, short enough to read."""
    return float(f"{value:.6g}")


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file."""
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def write_json(path: Path, content: dict[str, Any]) -> None:
    """An object as JSON, two blanks for a level."""
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
