"""Options that several verbs share, from parsed arguments to the api's values."""

from __future__ import annotations

import argparse
import math

from nmlopt.api.problem import DEFAULT_BACKEND, FIT_BACKEND, Options
from nmlopt.backend import Integrator, Settings
from nmlopt.errors import Issue, UsageError


def options(args: argparse.Namespace) -> Options:
    """The shared options of a verb; what it does not have keeps its default. Raises UsageError C012."""
    default = Settings()
    settings = Settings(
        dt_ms=default.dt_ms if (dt_ms := getattr(args, "dt", None)) is None else dt_ms,
        numerics=getattr(args, "numerics", default.numerics),
        integrator=getattr(args, "integrator", default.integrator),
        tables=getattr(args, "tables", default.tables),
        atol=default.atol if (atol := getattr(args, "atol", None)) is None else atol,
        gpu=getattr(args, "gpu", default.gpu),
        threads=getattr(args, "threads", default.threads),
        accuracy=getattr(args, "accuracy", default.accuracy),
    )
    for name, value in (("--dt", settings.dt_ms), ("--atol", settings.atol)):
        if not (value > 0 and math.isfinite(value)):
            raise UsageError(Issue("C012", f"{name} {value} is not a positive number", hint=f"such as {name} 0.01"))
    if atol is not None and settings.integrator is not Integrator.CVODE:
        hint = "add --integrator cvode (backend neuron), or leave --atol out"
        raise UsageError(Issue("C014", f"--atol {atol:g} is the tolerance of cvode, which is not asked for", hint=hint))
    if settings.threads < 1:
        message = f"--threads {settings.threads} is not a positive number"
        raise UsageError(Issue("C012", message, hint="such as --threads 2"))
    return Options(_backend(args, settings), settings, args.root, tuple(args.search_path))


def _backend(args: argparse.Namespace, settings: Settings) -> str:
    """The backend that was named; else the verb's own, or the one to whose steps an accuracy belongs."""
    named: str | None = getattr(args, "backend", None)
    usual: str = getattr(args, "usual_backend", DEFAULT_BACKEND)
    return named or (usual if settings.accuracy is None else FIT_BACKEND)
