"""The command line of nmlopt: verbs, options, their help and examples."""

from __future__ import annotations

import argparse
import re
from difflib import get_close_matches
from pathlib import Path
from typing import NoReturn

from nmlopt.api.problem import FIT_BACKEND
from nmlopt.backend import DEFAULT_DT_MS
from nmlopt.cli.arguments import (
    RAW,
    add_budget,
    add_json,
    add_machine,
    add_model,
    add_rescore,
    add_simulation,
    add_targets,
    add_verb,
    no_file,
)
from nmlopt.errors import Issue, UsageError


class _Parser(argparse.ArgumentParser):
    """Reports mistakes as findings, like everything else, instead of printing and leaving."""

    def error(self, message: str) -> NoReturn:
        """Raise UsageError C000."""
        hint = f"see {self.prog} --help"
        wrong = _CHOICE.search(message)
        if wrong is not None:
            near = get_close_matches(wrong["given"], re.findall(r"[\w-]+", wrong["known"]), n=1)
            hint = f"did you mean '{near[0]}'? {hint}" if near else hint
        raise UsageError(Issue("C000", message, self.prog, hint))


SOLUTIONS = "solutions to write ({}), and whatever is best in an objective"
_CHOICE = re.compile(r"invalid choice: '(?P<given>[^']*)' \(choose from (?P<known>.*)\)")


def build_parser(version: str) -> argparse.ArgumentParser:
    """The parser of all verbs; `args.verb` names the one that was given."""
    parser: argparse.ArgumentParser = _Parser(
        prog="nmlopt",
        formatter_class=RAW,
        description="Fit neuron models held as NeuroML documents; every fitted cell is a NeuroML document again.",
        epilog="exit codes:\n"
        "  0  done\n"
        "  1  finished, but nothing acceptable: no candidate ran to its end, every objective of all is at the cap,\n"
        "     or none reached --target-score\n"
        "  2  bad input\n"
        "  3  simulator or compiler missing\n"
        "  4  interrupted; nmlopt resume goes on\n\n"
        "first steps:\n"
        "  nmlopt doctor                          is everything installed?\n"
        "  nmlopt init cell.nml > targets.json    a skeleton of what to fit, for this cell\n"
        "  nmlopt check cell.nml targets.json     all faults of both files, then what will be done\n"
        "  nmlopt fit cell.nml targets.json --out runs/a\n",
    )
    parser.add_argument("--version", action="version", version=f"nmlopt {version}")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    running = (_simulate, _targets_from, _score, _export, _backends, _verify)
    for add in (_fit, _resume, _status, _report, _check, _paths, _init, _import_morphology, *running, _schema, _doctor):
        add(verbs)
    return parser


def _fit(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = add_verb(
        verbs,
        "fit",
        "Search the free parameters and write the best cells as NeuroML.",
        "  nmlopt fit model.nml targets.json --out runs/a\n"
        "  nmlopt fit model.nml targets.json --out runs/b --algorithm nsga2 --offspring 64 --generations 50\n"
        "  nmlopt fit model.nml targets.json --out runs/c --seeds 1,2,3 --target-score 1\n",
    )
    add_model(parser)
    add_targets(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="run folder; must be new or empty")
    search = parser.add_argument_group("search")
    search.add_argument("--algorithm", default="ibea", help="ibea or nsga2 (default: %(default)s)")
    search.add_argument("--offspring", type=int, default=32, metavar="N", help="population (default: %(default)s)")
    seeds = search.add_mutually_exclusive_group()
    seeds.add_argument("--seed", type=int, metavar="N", help="random seed (default: 1)")
    seeds.add_argument("--seeds", metavar="N,N,...", help="several searches in one run, shown side by side")
    search.add_argument("--sampling", choices=["lhs", "sobol"], default="lhs", help="start population (%(default)s)")
    search.add_argument(
        "--verify",
        nargs="?",
        const="",
        type=no_file,
        metavar="NAME,NAME,...",
        help="at the end run each solution on these simulators, too (default: all), and say whether they agree",
    )
    add_rescore(search, "default: yes")
    search.add_argument("--without-present", action="store_true", help="do not start from the document's own values")
    search.add_argument("--solutions", type=int, default=10, metavar="N", help=SOLUTIONS.format("10"))
    add_budget(parser, "default: 100")
    add_machine(parser)
    add_simulation(parser, usual_backend=FIT_BACKEND)
    add_json(parser)


def _resume(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = add_verb(
        verbs,
        "resume",
        "Go on with a run: after an interruption, with a larger budget, or with other weights or bounds.",
        "  nmlopt resume runs/a\n"
        "  nmlopt resume runs/a --generations 200\n"
        "  nmlopt resume runs/a --targets new-weights.json\n",
    )
    parser.add_argument("run", type=Path, metavar="DIR", help="run folder of an earlier fit")
    parser.add_argument("--targets", type=Path, help="other weights, means, sd, groups or bounds; same parameters")
    add_rescore(parser, "as before")
    parser.add_argument("--solutions", type=int, metavar="N", help=SOLUTIONS.format("as before"))
    add_budget(parser, "each limit: as it was, unless given")
    add_machine(parser)
    add_json(parser)


def _status(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = add_verb(
        verbs, "status", "How far a run is, and its best cells; also while it runs.", "  nmlopt status runs/a --json\n"
    )
    parser.add_argument("run", type=Path, metavar="DIR", help="run folder")
    add_json(parser)


def _report(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = add_verb(
        verbs,
        "report",
        "Make report.html and the solutions of a run anew.",
        "  nmlopt report runs/a\n  nmlopt report runs/a --solutions 3\n  nmlopt report runs/a --csv evaluations.csv\n",
    )
    parser.add_argument("run", type=Path, metavar="DIR", help="run folder")
    parser.add_argument("--solutions", type=int, metavar="N", help=SOLUTIONS.format("as before"))
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write every evaluation as a table, too; a new file")


def _check(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = add_verb(
        verbs,
        "check",
        "All faults of a document and its targets at once, then what a fit would do.\n"
        "Exit code 0: no errors (there may be warnings); 2: errors.",
        "  nmlopt check model.nml\n"
        "  nmlopt check LEMS_simulation.xml --strict\n"
        "  nmlopt check model.nml --backend arbor  also what this simulator cannot do\n"
        "  nmlopt check model.nml targets.json\n"
        "  nmlopt check model.nml --github        in a GitHub workflow: findings at their lines\n"
        "  nmlopt check --explain D034            what a code means, and what to do\n",
    )
    add_model(parser, optional=True)
    add_targets(parser, optional=True)
    parser.add_argument("--no-run", action="store_true", help="do not compile and time one evaluation")
    parser.add_argument("--strict", action="store_true", help="count warnings as errors")
    parser.add_argument("--explain", metavar="CODE", help="say what the code of a finding means, and what to do")
    forms = parser.add_argument_group("form of the findings")
    forms.add_argument("--github", action="store_true", help="as workflow commands: annotations in a pull request")
    add_simulation(parser, usual_backend=FIT_BACKEND)
    add_json(parser)


def _paths(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = add_verb(
        verbs,
        "paths",
        "Every number of a document: path, value, unit, and whether it can be fitted.",
        "  nmlopt paths model.nml\n  nmlopt paths model.nml 'na*condDensity'\n",
    )
    add_model(parser)
    parser.add_argument("pattern", nargs="?", help="part of a path; * in it stands for any text")
    parser.add_argument("--component", metavar="ID", help="the cell, where the document holds several")
    add_json(parser)


def _init(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = add_verb(
        verbs, "init", "Print a commented targets.json for a document.", "  nmlopt init model.nml > targets.json\n"
    )
    add_model(parser)
    parser.add_argument("--component", metavar="ID", help="the cell, where the document holds several")


def _import_morphology(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = add_verb(
        verbs,
        "import-morphology",
        "Make a NeuroML cell without biophysics of a morphology file, with the areas that NEURON would give it.",
        "  nmlopt import-morphology cell.swc -o cell.nml\n"
        "  nmlopt import-morphology cell.asc -o cell.nml --replace-axon --max-length '20 um'\n",
    )
    parser.add_argument("morphology", type=Path, metavar="FILE", help="morphology: .swc, or .asc (Neurolucida text)")
    parser.add_argument(
        "-o", "--out", type=Path, required=True, metavar="FILE", help="file to write; it must not exist yet"
    )
    parser.add_argument("--id", metavar="ID", help="id of the cell (default: the name of the file)")
    parser.add_argument(
        "--max-length",
        default="40 um",
        metavar="LENGTH",
        help="a section of length L gets 1 + 2 int(L / LENGTH) compartments (default: %(default)s)",
    )
    parser.add_argument(
        "--replace-axon",
        action="store_true",
        help="put two cylinders of 30 um each in place of the axon, as wide as it was, as BluePyOpt does",
    )
    add_json(parser)


def _simulate(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = add_verb(
        verbs,
        "simulate",
        "Run the protocols of a targets file with the document's own values (traces to CSV and PNG), "
        "or a LEMS file with a <Simulation> (the files that jNeuroML writes, and a picture per display).",
        "  nmlopt simulate model.nml targets.json --out traces\n"
        "  nmlopt simulate model.nml targets.json --out t --accuracy fast   and how much each accuracy changes\n"
        "  nmlopt simulate LEMS_model.xml --out results\n"
        "  nmlopt simulate LEMS_model.xml --numerics jneuroml\n",
    )
    add_model(parser)
    add_targets(parser, optional=True)
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="folder for the files; new or empty (default for a LEMS file: its name and _results)",
    )
    add_simulation(parser)
    parser.set_defaults(dt=None)
    add_json(parser)


def _targets_from(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = add_verb(
        verbs,
        "targets-from",
        "Make a first targets.json from a LEMS simulation: its protocols, stimuli and recordings.",
        "  nmlopt targets-from LEMS_model.xml > targets.json\n"
        "  nmlopt targets-from LEMS_model.xml --component pyramidal -o targets.json\n",
    )
    add_model(parser)
    parser.add_argument("-o", "--out", type=Path, metavar="FILE", help="file to write; it must not exist yet")
    parser.add_argument("--component", metavar="ID", help="the cell, where the simulation holds several kinds")


def _score(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = add_verb(
        verbs,
        "score",
        "Score a document against targets, with its own values.",
        "  nmlopt score runs/a/solutions/01/model.nml targets.json\n",
    )
    add_model(parser)
    add_targets(parser)
    add_simulation(parser)
    add_json(parser)


def _export(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = add_verb(
        verbs,
        "export",
        "Write a folder that runs with nothing but the simulator.",
        "  nmlopt export model.nml --to neuron out\n  nmlopt export model.nml --to neuron out --targets targets.json\n",
    )
    add_model(parser)
    parser.add_argument("folder", type=Path, metavar="DIR", help="folder to write; new or empty")
    parser.add_argument("--targets", type=Path, help="protocols to put in (default: one second without a stimulus)")
    parser.add_argument("--component", metavar="ID", help="the cell, where the document holds several")
    add_simulation(parser, "--to")


def _backends(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = add_verb(
        verbs,
        "backends",
        "The simulators: which are here, what they offer, and what each can do with every element of a document.",
        "  nmlopt backends\n"
        "  nmlopt backends model.nml                  every cell and input of the document\n"
        "  nmlopt backends model.nml targets.json     the cell and the protocols of a fit\n",
    )
    add_model(parser, optional=True)
    add_targets(parser, optional=True)
    parser.add_argument("--component", metavar="ID", help="this cell only, where the document holds several")
    add_json(parser)


def _verify(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = add_verb(
        verbs,
        "verify",
        "Run the protocols on several simulators, each at three steps, and say whether the answer is the same.\n"
        "Exit code 0: all the same within numerical error; 1: something differs or cannot be told; "
        "2: bad input; 3: a simulator is missing.",
        "  nmlopt verify model.nml targets.json\n"
        "  nmlopt verify model.nml targets.json --backends neuron,arbor --html same.html\n"
        "  nmlopt verify runs/a/solutions/01/model.nml targets.json --dt 0.0125 --out verified\n",
    )
    add_model(parser)
    add_targets(parser)
    parser.add_argument("--backends", metavar="NAME,NAME,...", help="simulators to compare (default: all)")
    steps = f"largest step; halved twice, and further where that does not decide (default: {DEFAULT_DT_MS})"
    parser.add_argument("--dt", type=float, metavar="MS", help=steps)
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page with traces; must not exist yet")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder for page and JSON; new or empty")
    add_json(parser)


def _schema(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    add_verb(
        verbs, "schema", "Print the JSON Schema of targets.json.", "  nmlopt schema > nmlopt-targets-1.schema.json\n"
    )


def _doctor(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = add_verb(
        verbs, "doctor", "What is installed, what is missing, and the command that brings it.", "  nmlopt doctor\n"
    )
    add_json(parser)
