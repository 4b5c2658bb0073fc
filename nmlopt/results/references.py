"""What to cite beside the model's own papers."""

from __future__ import annotations

_ALWAYS = (
    "NeuroML 2 and LEMS: Cannon RC et al. (2014) LEMS: a language for expressing complex biological models in concise "
    "and hierarchical form and its use in underpinning NeuroML 2. Frontiers in Neuroinformatics 8:79.",
)
_ALGORITHMS = {
    "ibea": "IBEA: Zitzler E, Künzli S (2004) Indicator-based selection in multiobjective search. PPSN VIII, LNCS "
    "3242:832–842.",
    "nsga2": "NSGA-II: Deb K, Pratap A, Agarwal S, Meyarivan T (2002) A fast and elitist multiobjective genetic "
    "algorithm: NSGA-II. IEEE Transactions on Evolutionary Computation 6:182–197.",
}
_TOOLS = (
    "DEAP: Fortin FA et al. (2012) DEAP: evolutionary algorithms made easy. Journal of Machine Learning Research "
    "13:2171–2175.",
    "eFEL: the Electrophys Feature Extraction Library, with the version stated here.",
)


def references(simulator: str, algorithm: str) -> tuple[str, ...]:
    """References for a run: `simulator` is the reference of the backend's, or ''."""
    chosen = (simulator, _ALGORITHMS.get(algorithm, ""))
    return (*_ALWAYS, *(text for text in chosen if text), *_TOOLS)
