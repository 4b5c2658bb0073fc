"""The main job in one call, for scripts and notebooks."""

from __future__ import annotations

from pathlib import Path

from nmlopt.api.fitting import DEFAULT_RULE, DEFAULT_SOLUTIONS, FitResult, Plan, fit_files
from nmlopt.api.problem import FIT_BACKEND, Options
from nmlopt.api.searching import Machine, OnProgress, Search
from nmlopt.backend import Settings
from nmlopt.optimise.model import AlgorithmSettings
from nmlopt.optimise.stopping import StopRule


def fit(
    model: Path | str,
    targets: Path | str,
    *,
    out: Path | str,
    algorithm: str = "ibea",
    offspring: int = 32,
    seed: int = 1,
    stop: StopRule = DEFAULT_RULE,
    workers: int | None = None,
    backend: str = FIT_BACKEND,
    settings: Settings | None = None,
    solutions: int = DEFAULT_SOLUTIONS,
    rescore: bool = True,
    on_progress: OnProgress | None = None,
) -> FitResult:
    """Fit the cell in `model` to `targets` and leave a run folder at `out`, as `nmlopt fit` does.

    `workers` None: one process per core; 0: this process, without limits. `rescore`: score the best candidates again,
    at a tighter setting and on NEURON (docs/accuracy.md). Scripts need `if __name__ == "__main__":`, as workers import
    the main module.
    Raises NmloptError with all faults of both files; an existing folder `out` is never overwritten.
    """
    plan = Plan(
        search=Search(AlgorithmSettings(name=algorithm, offspring=offspring), (seed,)),
        rule=stop,
        machine=Machine(workers),
        solutions=solutions,
        rescore=rescore,
    )
    options = Options(backend, settings or Settings())
    return fit_files(
        Path(model), Path(targets), Path(out), plan=plan, options=options, on_progress=on_progress or (lambda _: None)
    )
