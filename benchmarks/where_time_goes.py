"""Where the CPU time of one evaluation goes, in per cent: binding, simulator, copying, features, scores, store, ...

    python benchmarks/where_time_goes.py [FOLDER ...] [--backend NAME] [--candidates N] [--efel] [--features]

FOLDER holds model.nml and targets.json (default: the simple cell here and three examples; `l5pc/build.py` makes the one
of the L5PC). The candidates are the published values and values drawn around them, the same in every run. Times are
CPU times of this process, own time only: what is inside another line is not counted twice. On the native kernel the
simulator is split into its phases, which are measured with a kernel that looks at the clock (`kernel_phases.py`).
`--efel` forces eFEL for all features. `--features` compares it with the fast extraction instead, per trace and per
feature, on the same traces.
"""

from __future__ import annotations

import argparse
import pickle  # as answers go from worker to parent: our own objects, in memory only, nothing from a file
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from kernel_phases import phases

from nmlopt.api.problem import Options, load
from nmlopt.backend import Trace
from nmlopt.evaluate import evaluate
from nmlopt.evaluate.model import Evaluation, Problem
from nmlopt.experiment.parameters import Parameters
from nmlopt.features.extract import feature_values
from nmlopt.features.plan import EfelGroup, Key
from nmlopt.results.model import Context, ParameterInfo, RunInfo
from nmlopt.results.store import RunStore

ROOT = Path(__file__).parent.parent
DEFAULT = (
    ROOT / "benchmarks" / "simplecell",
    *(ROOT / "examples" / name for name in ("hh_soma", "izhikevich", "ball_and_stick")),
)
SPREAD = 0.05
"""How far candidates lie from the published values, as a share of the unit interval: most of them still spike."""


SIMULATOR = "backend: simulator"
KERNEL = "kernel: "


class Stopwatch:
    """Own CPU seconds by name: of nested calls only the innermost one counts."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self._inside: list[float] = []

    def wrap(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """`function`, its own time added to `name`."""

        def timed(*args: Any, **kwargs: Any) -> Any:
            self._inside.append(0.0)
            start = time.process_time()
            try:
                return function(*args, **kwargs)
            finally:
                spent = time.process_time() - start
                self.seconds[name] += spent - self._inside.pop()
                if self._inside:
                    self._inside[-1] += spent

        return timed


@contextmanager
def watched(problem: Problem, watch: Stopwatch) -> Iterator[None]:
    """The parts of an evaluation report to `watch` inside."""
    parts: list[tuple[Any, str, str]] = [
        (Parameters, "values", "parameters: candidate to slot values"),
        (type(problem.backend), "simulate", "backend: the rest (stimuli, initial values)"),
        (evaluate, "_checked", "check that traces are finite"),
        (evaluate, "extract", "features"),
        (evaluate, "_scored", "scores and objectives"),
    ]
    if problem.backend.name == "neuron":
        from nmlopt.exporters.neuron import simulate
        from nmlopt.exporters.neuron.live import LiveCell
        from nmlopt.exporters.neuron.rig import Rig

        parts += [
            (simulate, "_run", SIMULATOR),
            (LiveCell, "bind", "backend: bind"),
            (Rig, "traces", "backend: copy the traces"),
            (simulate, "divergence", "backend: check for divergence"),
        ]
    if problem.backend.name == "native":
        from nmlopt.exporters.native import simulate
        from nmlopt.exporters.native.bind import Binding

        parts += [
            (simulate, "_call_kernel", SIMULATOR),
            (Binding, "bind", "backend: bind"),
            (simulate, "_job", "backend: memory for samples"),
            (simulate, "divergence", "backend: check for divergence"),
        ]
    with ExitStack() as stack:
        for place, name, title in parts:
            stack.enter_context(mock.patch.object(place, name, watch.wrap(title, getattr(place, name))))
        yield


def candidates(problem: Problem, count: int) -> np.ndarray:
    """The published values (n_free,) and `count` - 1 rows around them."""
    parameters = problem.parameters
    present = np.array([[p.present for p in parameters.free]])
    u = parameters.to_unit_interval(present)
    rows = np.clip(u + SPREAD * np.random.default_rng(1).standard_normal((count - 1, u.shape[1])), 0.0, 1.0)
    return np.vstack([present, parameters.from_unit_interval(rows)]) if count > 1 else present


def profile(problem: Problem, x: np.ndarray, rounds: int) -> dict[str, float]:
    """CPU milliseconds per evaluation by part; of `rounds` the one with the least in all."""
    evaluate.evaluate_batch(problem, x[:1])
    best: dict[str, float] = {}
    for _ in range(rounds):
        watch = Stopwatch()
        with watched(problem, watch):
            found = watch.wrap("evaluation: the rest", evaluate.evaluate_batch)(problem, x)
        answers = watch.wrap("send to the parent (pickle)", sent)(found)
        with tempfile.TemporaryDirectory() as folder, RunStore.create(Path(folder) / "run", info(problem)) as store:
            watch.wrap("store (a transaction for all)", store.commit_generation)(1, 0, answers, {}, 0.0)
        here = {name: 1e3 * seconds / len(x) for name, seconds in watch.seconds.items()}
        best = here if not best or sum(here.values()) < sum(best.values()) else best
    return in_phases(problem, x, rounds, best) if problem.backend.name == "native" else best


def in_phases(problem: Problem, x: np.ndarray, rounds: int, parts: dict[str, float]) -> dict[str, float]:
    """The parts with that of the kernel split into its phases; what is left of it is calling it."""
    found = phases(problem, x, 3 * rounds)
    whole = parts.pop(SIMULATOR)
    share = min(1.0, whole / sum(found.values()))
    split = {KERNEL + name: share * spent for name, spent in found.items()}
    return {**parts, **split, "backend: calling the kernel": whole - sum(split.values())}


def sent(found: Sequence[Evaluation]) -> list[Evaluation]:
    """What a worker's pipe does with them."""
    return [pickle.loads(pickle.dumps(evaluation, pickle.HIGHEST_PROTOCOL)) for evaluation in found]


def info(problem: Problem) -> RunInfo:
    """A header that a store accepts."""
    return RunInfo(
        parameters=tuple(ParameterInfo.of(p) for p in problem.parameters.free),
        targets=tuple(target.id for target in problem.targets.targets),
        objectives=problem.objective_ids,
        seeds=(1,),
        context=Context(problem.backend.name, {}, {}, ""),
    )


def show(title: str, parts: dict[str, float]) -> None:
    """Print the table, the largest first."""
    whole = sum(parts.values())
    print(f"\n{title}: {whole:.3f} ms CPU per evaluation")
    for name, spent in sorted(parts.items(), key=lambda item: -item[1]):
        print(f"  {spent:10.4f} ms {100 * spent / whole:6.2f} %  {name}")
    simulated = sum(spent for name, spent in parts.items() if name == SIMULATOR or name.startswith(KERNEL))
    features = parts.get("features", 0.0)
    shares = [100 * spent / whole for spent in (simulated, features, whole - simulated - features)]
    print("  in short: simulator {:.1f} %, features {:.1f} %, all else in Python {:.1f} %".format(*shares))


def compare_features(problem: Problem, x: np.ndarray, rounds: int) -> None:
    """Microseconds per trace: eFEL, the fast extraction, and each feature alone in both."""
    recordings = problem.backend.simulate(problem.program, problem.experiments, problem.parameters.values(x[:1]))[0]
    print(f"  {'eFEL us':>9} {'fast us':>9} {'ratio':>6}  recording: features")
    whole = [0.0, 0.0]
    for group in problem.plan.groups:
        for wanted in group.traces:
            title = ".".join(wanted.key)
            alone = [(f"{title}:   {name}", (name,)) for name in wanted.features] if len(wanted.features) > 1 else []
            for name, features in [(f"{title}: {', '.join(wanted.features)}", wanted.features), *alone]:
                part = replace(wanted, features=features, wanted=tuple((f, f) for f in features))
                spent = [
                    timed(rounds, EfelGroup(group.settings, (part,)), recordings.traces, fast) for fast in (False, True)
                ]
                print(f"  {spent[0]:9.1f} {spent[1]:9.1f} {spent[0] / spent[1]:6.1f}  {name}")
                if features is wanted.features:
                    whole = [whole[0] + spent[0], whole[1] + spent[1]]
    print(f"  {whole[0]:9.1f} {whole[1]:9.1f} {whole[0] / whole[1]:6.1f}  all")


def timed(rounds: int, group: EfelGroup, traces: Mapping[Key, Trace], fast: bool) -> float:
    """Least CPU microseconds of an extraction."""
    return 1e6 * best_of(rounds, lambda: feature_values((group,), traces, fast))


def best_of(rounds: int, call: Callable[[], object]) -> float:
    """The least CPU seconds of a call."""
    spent = []
    for _ in range(rounds):
        start = time.process_time()
        call()
        spent.append(time.process_time() - start)
    return min(spent)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="*", default=DEFAULT, metavar="FOLDER")
    parser.add_argument("--backend", default="neuron")
    parser.add_argument("--candidates", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3, help="the best of these counts")
    parser.add_argument("--efel", action="store_true", help="all features by eFEL")
    parser.add_argument("--features", action="store_true", help="compare eFEL with the fast extraction")
    given = parser.parse_args()
    print(f"Python {sys.version.split()[0]}, numpy {np.__version__}, best of {given.rounds}")
    for folder in given.folders:
        problem = load(folder / "model.nml", folder / "targets.json", Options(backend=given.backend)).problem
        x = candidates(problem, given.candidates)
        if given.features:
            print(f"\n{folder.name}")
            compare_features(problem, x, 20 * given.rounds)
            continue
        if given.efel:
            object.__setattr__(problem, "plan", replace(problem.plan, fast=False))
        how = ", features by eFEL" if given.efel else ""
        show(f"{folder.name}, backend {given.backend}{how}", profile(problem, x, given.rounds))


if __name__ == "__main__":
    main()
