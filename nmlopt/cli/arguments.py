"""Arguments that several verbs share."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from nmlopt.api.problem import DEFAULT_BACKEND
from nmlopt.backend import DEFAULT_DT_MS, Accuracy, Integrator, Numerics, Settings

RAW = argparse.RawDescriptionHelpFormatter


def add_verb(
    verbs: argparse._SubParsersAction[argparse.ArgumentParser], name: str, summary: str, examples: str
) -> argparse.ArgumentParser:
    """A verb with its help; `examples` are lines of the epilog."""
    return verbs.add_parser(
        name, help=summary, description=summary, epilog=f"examples:\n{examples}", formatter_class=RAW
    )


def add_model(parser: argparse.ArgumentParser, optional: bool = False) -> None:
    """MODEL, and where its includes are looked for."""
    parser.add_argument(
        "model",
        type=Path,
        metavar="MODEL",
        nargs="?" if optional else None,
        help="NeuroML or LEMS file (.nml, .cell.nml, .xml)",
    )
    files = parser.add_argument_group("files")
    files.add_argument("--root", type=Path, help="folder that no <include> may leave (default: the repository's)")
    files.add_argument(
        "--search-path", type=Path, action="append", default=[], metavar="DIR", help="where to look for includes, too"
    )


def add_targets(parser: argparse.ArgumentParser, optional: bool = False) -> None:
    """TARGETS."""
    parser.add_argument(
        "targets", type=Path, metavar="TARGETS", nargs="?" if optional else None, help="targets.json: what to fit"
    )


def add_json(parser: argparse.ArgumentParser) -> None:
    """--json."""
    parser.add_argument("--json", action="store_true", help="print one JSON document and nothing else")


def add_rescore(parser: argparse._ActionsContainer, default: str) -> None:
    """--rescore and --no-rescore; `default` says what holds without."""
    parser.add_argument(
        "--rescore",
        action=argparse.BooleanOptionalAction,
        help=f"before they are published score the best candidates again, tighter and on NEURON ({default})",
    )


def add_simulation(parser: argparse.ArgumentParser, *other_names: str, usual_backend: str = DEFAULT_BACKEND) -> None:
    """The backend (also by `other_names`; `usual_backend` where none is named) and its settings."""
    parser.set_defaults(usual_backend=usual_backend)
    group = parser.add_argument_group("simulation")
    group.add_argument(
        *other_names,
        "--backend",
        dest="backend",
        metavar="NAME",
        help=f"simulator (default: {usual_backend}; nmlopt backends lists them)",
    )
    group.add_argument(
        "--dt",
        type=float,
        default=DEFAULT_DT_MS,
        metavar="MS",
        help=f"time step (default: {DEFAULT_DT_MS}; simulate LEMS_x.xml: that of the file)",
    )
    group.add_argument(
        "--numerics",
        type=one_of(Numerics),
        metavar="{cnexp,jneuroml}",
        help="cnexp, or as jNeuroML's own NEURON export does it (default: the backend's first, see nmlopt backends)",
    )
    group.add_argument(
        "--integrator",
        type=one_of(Integrator),
        metavar="{fixed,cvode,adaptive}",
        help="fixed step or variable steps (default: the backend's first)",
    )
    group.add_argument(
        "--accuracy",
        type=one_of(Accuracy),
        metavar="{fast,default,tight}",
        help="how close the native kernel's steps stay to the converged solution; without --backend: native",
    )
    group.add_argument("--atol", type=float, help=f"absolute tolerance of cvode (default: {Settings().atol:g})")
    group.add_argument("--tables", action="store_true", help="tabulate rates: faster, with a small error")
    group.add_argument("--gpu", action="store_true", help="compute on a GPU, where the backend can")
    group.add_argument("--threads", type=int, default=1, metavar="N", help="threads per process (default: %(default)s)")


def no_file(text: str) -> str:
    """A converter for argparse that refuses what looks like a file: an option without a value took it for its own."""
    if "." in text or "/" in text:
        raise argparse.ArgumentTypeError(f"'{text}' is no list of backends; put MODEL and TARGETS before the option")
    return text


def one_of(kind: type[StrEnum]) -> Callable[[str], StrEnum]:
    """A converter for argparse that names the choices where a word is none of them."""

    def convert(text: str) -> StrEnum:
        try:
            return kind(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"invalid choice: '{text}' (choose from {', '.join(kind)})") from None

    return convert


def add_machine(parser: argparse.ArgumentParser) -> None:
    """Workers and their limits."""
    group = parser.add_argument_group("machine")
    group.add_argument("--workers", type=int, metavar="N", help="worker processes (default: one per core)")
    group.add_argument(
        "--timeout", type=float, metavar="SECONDS", help="CPU seconds one candidate may use (default: 60)"
    )


def add_budget(parser: argparse.ArgumentParser, default: str) -> None:
    """The limits of a search; `default` says what holds without --generations."""
    group = parser.add_argument_group("when to stop (whichever comes first)")
    group.add_argument(
        "--generations", type=int, metavar="N", help=f"generations in all, earlier ones included ({default})"
    )
    group.add_argument("--max-evaluations", type=int, metavar="N", help="evaluations per seed")
    group.add_argument("--max-seconds", type=float, metavar="S", help="wall-clock seconds per seed")
    group.add_argument(
        "--target-score",
        type=float,
        metavar="SD",
        help="every objective at or below this, in sd; exit code 1 if no candidate gets there",
    )
    group.add_argument("--stagnation", type=int, metavar="N", help="generations without a better sum")
