"""Gates of ion channels: generated NMODL in NEURON against the IR in numpy and against jLEMS, by machine.

python -m tests.conformance.dynamics [FOLDER ...] [--tables] [--numerics cnexp|jneuroml] [--no-jlems] [--all]

For every ion channel in the documents below the FOLDERs (default: mods/channels, and ../shared/data where it is) the
steady state and time constant of each gate over -120..60 mV, off singular points, at 32 degC and 5e-4 mM calcium: from
single steps that NEURON takes with the generated code, from the derivative in the IR, and from jLEMS's exposures. Of
kinetic schemes an implicit step is compared, and of every channel its current at rest. Prints the largest relative
difference of each channel, or of those that miss the limits, and the worst. Exit code 0: all within 1e-6 (with
--tables there is no limit; the error is what it is).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "tools"))

from channel_probes import channels  # noqa: E402 - the tools lie in a folder that tests add to the path
from channel_verdicts import LIMIT, Verdict, judged  # noqa: E402

from nmlopt.backend import Numerics, Settings  # noqa: E402


def main(arguments: list[str] | None = None) -> int:
    """Judge and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="*", type=Path)
    parser.add_argument("--tables", action="store_true")
    parser.add_argument("--numerics", choices=[n.value for n in Numerics], default="cnexp")
    parser.add_argument("--no-jlems", action="store_true")
    parser.add_argument("--all", action="store_true", help="a line for every channel")
    args = parser.parse_args(arguments)
    data = ROOT.parent / "shared" / "data"
    folders = args.folder or [ROOT / "mods" / "channels", *([data] if data.is_dir() else [])]
    problems: list[str] = []
    found = [channel for folder in folders for channel in channels(folder.resolve(), problems)]
    settings = Settings(numerics=Numerics(args.numerics), tables=args.tables)
    verdicts = judged(found, settings, problems, jlems=not args.no_jlems)
    bad = [v for v in verdicts if not v.is_fine(tables=args.tables)]
    print("| channel | gates | inf | tau | jLEMS (values) | scheme | current | worst | file |")
    print("|---|---|---|---|---|---|---|---|---|")
    for v in verdicts if args.all else bad:
        print(f"| {v.channel.id} | {v.gates} {_numbers(v)} | {v.where} | {v.channel.file} |")
    for problem in problems:
        print(f"not compared: {problem}")
    print(f"{len(verdicts)} channels, {sum(v.gates for v in verdicts)} gates, {len(bad)} beyond {LIMIT:g}; worst:")
    for name in ("nmodl_inf", "nmodl_tau", "jlems", "scheme", "current"):
        rated = [(getattr(v, name), v) for v in verdicts if np.isfinite(getattr(v, name))]
        if rated:
            value, verdict = max(rated, key=lambda pair: pair[0])
            print(f"  {name}: {value:.2g} ({verdict.channel.id}, {len(rated)} channels)")
    return 1 if bad else 0


def _numbers(v: Verdict) -> str:
    return f"| {v.nmodl_inf:.2g} | {v.nmodl_tau:.2g} | {v.jlems:.2g} ({v.compared}) | {v.scheme:.2g} | {v.current:.2g}"


if __name__ == "__main__":
    sys.exit(main())
