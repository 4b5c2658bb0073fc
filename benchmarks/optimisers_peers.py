"""Hypervolumes that other people's optimisers reach on ZDT1-3 and DTLZ2, for `optimisers_vs_peers.py` and the tests.

Runs in an environment of its own, with nothing of this project:

    python -m venv /tmp/peers && /tmp/peers/bin/pip install pymoo==0.6.2 jmetalpy==1.6.0 moocore==0.3.2
    /tmp/peers/bin/python benchmarks/optimisers_peers.py > benchmarks/optimisers_peers.json

It takes a quarter of an hour. NSGA-II is pymoo's; IBEA is jMetalPy's, which has no adaptive scaling (its version 1.9.0
fails in its epsilon indicator). Operators and rates are those of nmlopt's defaults: SBX with probability 0.9 and index
10, polynomial mutation with probability 1 / variables and index 10. The problems are each library's own. The
hypervolume is that of the last population, by moocore, exact.
"""

import contextlib
import json
import logging
import random
import sys
from collections.abc import Callable
from importlib.metadata import version

import moocore
import numpy as np
from jmetal.algorithm.multiobjective.ibea import IBEA
from jmetal.operator.crossover import SBXCrossover
from jmetal.operator.mutation import PolynomialMutation
from jmetal.problem import DTLZ2, ZDT1, ZDT2, ZDT3
from jmetal.util.termination_criterion import StoppingByEvaluations
from pymoo.algorithms.moo.nsga2 import NSGA2
from pymoo.operators.crossover.sbx import SBX
from pymoo.operators.mutation.pm import PM
from pymoo.optimize import minimize
from pymoo.problems import get_problem

SEEDS = range(1, 11)
ETA = 10
BUDGETS = {"100x200": (100, 200), "40x100": (40, 100)}
REFERENCE = 1.1  # in each objective
JMETAL = {"zdt1": ZDT1, "zdt2": ZDT2, "zdt3": ZDT3, "dtlz2": lambda: DTLZ2(12, 3)}
PYMOO = {"zdt1": {}, "zdt2": {}, "zdt3": {}, "dtlz2": {"n_var": 12, "n_obj": 3}}


def _pymoo_nsga2(problem: str, size: int, generations: int, seed: int) -> np.ndarray:
    algorithm = NSGA2(pop_size=size, crossover=SBX(prob=0.9, eta=ETA), mutation=PM(eta=ETA))
    found = minimize(get_problem(problem, **PYMOO[problem]), algorithm, ("n_gen", generations), seed=seed)
    return found.pop.get("F")


def _jmetal_ibea(problem: str, size: int, generations: int, seed: int) -> np.ndarray:
    random.seed(seed)
    np.random.seed(seed)
    instance = JMETAL[problem]()
    algorithm = IBEA(
        problem=instance,
        kappa=0.05,
        population_size=size,
        offspring_population_size=size,
        mutation=PolynomialMutation(1.0 / instance.number_of_variables(), ETA),
        crossover=SBXCrossover(0.9, ETA),
        termination_criterion=StoppingByEvaluations(size * generations),
    )
    algorithm.run()
    return np.array([solution.objectives for solution in algorithm.get_result()])


def _hypervolumes(run: Callable[[str, int, int, int], np.ndarray], problem: str, budget: str) -> list[float]:
    fronts = [run(problem, *BUDGETS[budget], seed) for seed in SEEDS]
    return [float(moocore.hypervolume(front, ref=[REFERENCE] * front.shape[1])) for front in fronts]


def main() -> None:
    """Print the figures as JSON."""
    logging.disable(logging.INFO)
    figures: dict[str, dict[str, list[float]]] = {}
    for name, run in (("nsga2", _pymoo_nsga2), ("ibea", _jmetal_ibea)):
        for budget in BUDGETS:
            for problem in PYMOO:
                with contextlib.redirect_stdout(sys.stderr):
                    figures.setdefault(f"{name} {budget}", {})[problem] = _hypervolumes(run, problem, budget)
    used = {package: version(package) for package in ("pymoo", "jmetalpy", "moocore")}
    print(json.dumps({"versions": used, "reference": REFERENCE, "hypervolumes": figures}, indent=1))


if __name__ == "__main__":
    main()
