"""Recovery of known parameters: targets made by simulating a published cell, then a fit that does not know its values.

Pure code for the tests in tests/recovery and for benchmarks/recovery.py; the cells are in `recovery_cases`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nmlopt.api.fitting import Plan, fit_files
from nmlopt.api.problem import Options, evaluate_present, load
from nmlopt.api.searching import Machine, Search
from nmlopt.optimise.model import AlgorithmSettings
from nmlopt.optimise.stopping import StopRule
from nmlopt.results.store import RunStore

FRACTION = 0.05
FLOORS = {"mV": 0.5, "ms": 0.1, "Hz": 0.5, "": 0.05}
"""sd = 5 % of the mean, but not less than these: about what a feature loses to the time step and eFEL's sampling."""
GOOD_ENOUGH_SD = 1.0
OWN_SCORE_SD = 0.1
"""A feature of several values (one per spike) scores above 0 where they scatter; the published cell at most this."""


@dataclass(frozen=True)
class Free:
    """A free parameter of a case, as targets.json has it."""

    id: str
    path: str
    lower: str
    upper: str
    scale: str = "linear"


@dataclass(frozen=True)
class Step:
    """A protocol: one current pulse into the soma, and the sites that are recorded, (segment, fraction) by id."""

    id: str
    amplitude: str
    delay_ms: float
    duration_ms: float
    end_ms: float
    sites: tuple[tuple[str, int, float], ...] = (("soma", 0, 0.5),)


@dataclass(frozen=True)
class Feature:
    """An eFEL feature that becomes a target: `floor` replaces the least sd of its unit."""

    protocol: str
    feature: str
    unit: str
    recording: str = "soma"
    floor: float | None = None

    @property
    def id(self) -> str:
        """Its target's name."""
        place = "" if self.recording == "soma" else f"{self.recording}_"
        return f"{self.protocol}_{place}{self.feature}"


@dataclass(frozen=True)
class Case:
    """A published cell, what of it is free, and what is wanted of it. `model` is relative to ../shared/data."""

    name: str
    model: str
    free: tuple[Free, ...]
    protocols: tuple[Step, ...]
    features: tuple[Feature, ...]
    temperature: str | None = None
    component: str | None = None


@dataclass(frozen=True)
class Recovery:
    """How a search ended: evaluations until it stopped, and the candidate whose worst objective is least.

    `worst`: that objective in sd; `total`: the sum of the objectives; `values`, `truth`: by parameter id, in the
    document's units; `distance`: between the two, as a share of the width of the bounds. `cpu_s`: CPU seconds of all
    evaluations. `failures`: candidates that gave no result.
    """

    case: str
    algorithm: str
    seed: int
    evaluations: int
    generations: int
    worst: float
    total: float
    values: Mapping[str, float]
    truth: Mapping[str, float]
    cpu_s: float
    failures: int
    distance: Mapping[str, float]


def write_targets(case: Case, model: Path, path: Path) -> dict[str, tuple[float, float]]:
    """Simulate the published values of `model` and write targets.json to `path`; (mean, sd) by target id.

    Raises ValueError where a feature is missing at the published values, or scatters so that these would score badly.
    """
    draft = {f.id: (0.0, 1.0) for f in case.features}
    _write(case, draft, path)
    loaded = load(model, path, Options())
    truth = evaluate_present(loaded)
    missing = [f.id for f in case.features if not truth.features.get(f.id)]
    if missing:
        raise ValueError(f"{case.name}: the published cell has no {', '.join(missing)} ({truth.status} {truth.detail})")
    wanted = {f.id: _target(f, truth.features[f.id]) for f in case.features}
    _write(case, wanted, path)
    return wanted


def recover(
    case: Case,
    model: Path,
    folder: Path,
    *,
    seed: int,
    generations: int,
    algorithm: AlgorithmSettings | None = None,
    workers: int = 2,
) -> Recovery:
    """Make the targets in `folder`, and fit without the published values until a candidate has no objective > 1 sd."""
    folder.mkdir(parents=True, exist_ok=True)
    targets = folder / "targets.json"
    write_targets(case, model, targets)
    settings = algorithm or AlgorithmSettings()
    plan = Plan(
        search=Search(settings, (seed,), starts_from_present=False),
        rule=StopRule(generations=generations, target_worst=GOOD_ENOUGH_SD),
        machine=Machine(workers),
        solutions=1,
        rescore=False,
    )
    out = folder / f"run_{settings.name}_{seed}"
    result = fit_files(model, targets, out, plan=plan, options=Options(), on_progress=lambda _: None)
    return outcome(case.name, settings.name, seed, result.folder)


def outcome(name: str, algorithm: str, seed: int, run: Path) -> Recovery:
    """What the store of a finished run says."""
    with RunStore.open(run) as store:
        table, info, progress = store.table(), store.info, store.progress()
        failures = sum(store.failures().values())
    best = int(np.argmin(table.objectives.max(axis=1)))
    mine = next(p for p in progress if p.seed == seed)
    return Recovery(
        case=name,
        algorithm=algorithm,
        seed=seed,
        evaluations=mine.evaluations,
        generations=mine.generations,
        worst=float(table.objectives[best].max()),
        total=float(table.objectives[best].sum()),
        values={p.id: float(v) for p, v in zip(info.parameters, table.x[best], strict=True)},
        truth={p.id: p.present for p in info.parameters},
        cpu_s=mine.cpu_s,
        failures=failures,
        distance={
            p.id: abs(float(v) - p.present) / (p.upper - p.lower)
            for p, v in zip(info.parameters, table.x[best], strict=True)
        },
    )


def _target(feature: Feature, values: tuple[float, ...]) -> tuple[float, float]:
    mean = math.fsum(values) / len(values)
    floor = FLOORS[feature.unit] if feature.floor is None else feature.floor
    sd = max(floor, FRACTION * abs(mean))
    own_score = math.fsum(abs(v - mean) for v in values) / len(values) / sd
    if own_score > OWN_SCORE_SD:
        raise ValueError(f"{feature.id}: the published cell itself would score {own_score:g}")
    return mean, sd


def _write(case: Case, wanted: Mapping[str, tuple[float, float]], path: Path) -> None:
    content = {
        "format": "nmlopt-targets",
        "format_version": "1.0",
        "id": case.name,
        **({"temperature": case.temperature} if case.temperature else {}),
        **({"component": case.component} if case.component else {}),
        "parameters": [_parameter(p) for p in case.free],
        "protocols": [_protocol(p) for p in case.protocols],
        "targets": [_feature(f, *wanted[f.id]) for f in case.features],
    }
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _parameter(free: Free) -> dict[str, Any]:
    content = asdict(free)
    path = content.pop("path")
    return {**content, "paths": [path]}


def _protocol(step: Step) -> dict[str, Any]:
    pulse = {
        "type": "pulse",
        "delay": f"{step.delay_ms} ms",
        "duration": f"{step.duration_ms} ms",
        "amplitude": step.amplitude,
        "at": {"segment": 0, "fraction_along": 0.5},
    }
    recordings = [
        {"id": name, "at": {"segment": segment, "fraction_along": fraction}} for name, segment, fraction in step.sites
    ]
    return {"id": step.id, "duration": f"{step.end_ms} ms", "stimuli": [pulse], "recordings": recordings}


def _feature(feature: Feature, mean: float, sd: float) -> dict[str, Any]:
    return {
        "type": "feature",
        "id": feature.id,
        "protocol": feature.protocol,
        "recording": feature.recording,
        "feature": feature.feature,
        "mean": mean,
        "sd": sd,
        "unit": feature.unit,
        "efel_settings": {"interp_step": 0.025},  # the default, 0.1 ms, is as coarse as the sd of a spike's width
    }
