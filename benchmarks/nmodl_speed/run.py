"""CPU time of generated NMODL against plain hand-written NMODL of the same channels, on the same cell.

    python benchmarks/nmodl_speed/run.py [MODEL.nml] [--mods FOLDER ...] [--rounds N] [--duration MS] ...

Without MODEL: the cable beside this file. The FOLDERs (default: the .mod files beside this file and mods/nmodl) hold
one `<channel id>.mod` for each channel of MODEL (SUFFIX as the file, RANGE gbar in S/cm2, `e` where no ion's reversal
potential is read) and one `<type>.mod` for each type of concentration model (RANGE parameters as the attributes); a
channel without gates is NEURON's `pas`. Each side runs in a process of its own that stays; a round runs every side
once, in turn, and measures the CPU time (process_time) of the run alone. Shown are medians and the best of the rounds,
and the ratio to the hand-written side as median of the rounds' ratios and as ratio of the best. Fixed steps; one core.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nmlopt.backend import Numerics, Settings
from nmlopt.document.model import Document
from nmlopt.document.read import read
from nmlopt.exporters.neuron.backend import NeuronBackend, program_plan
from nmlopt.exporters.neuron.bind import Number, Place
from nmlopt.exporters.neuron.build import build, library
from nmlopt.exporters.neuron.live import LiveCell
from nmlopt.exporters.neuron.mod import Plan
from nmlopt.ir.lower import lower
from nmlopt.ir.model import Cell, MechanismKind, Placement
from nmlopt.lems.evaluate import evaluate
from nmlopt.units import Quantity

HERE = Path(__file__).parent
SIDES = {
    "hand": None,
    "generated": Settings(),
    "tables": Settings(tables=True),
    "jneuroml": Settings(numerics=Numerics.JNEUROML),
}
_NMODL_UNITS = {"ms": "ms", "um": "um", "mM": "mM", "S/cm2": "S_per_cm2", "mV": "mV"}


def main() -> None:
    """Run all sides in turn and print the table; with --side, be one of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", type=Path, default=HERE / "cable.nml")
    parser.add_argument("--mods", type=Path, nargs="+", default=[HERE, HERE.parents[1] / "mods" / "nmodl"])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--duration", type=float, default=150.0, help="ms")
    parser.add_argument("--amplitude", type=float, default=0.5, help="nA into the first compartment from 5 ms on")
    parser.add_argument("--dt", type=float, default=0.025, help="ms")
    parser.add_argument("--sides", nargs="+", choices=SIDES, default=["hand", "generated", "tables"])
    parser.add_argument("--root", type=Path, help="folder below which includes are read")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.side:
        _serve(args)
        return
    workers = {side: _start(side) for side in args.sides}
    compartments = {side: _ask(worker) for side, worker in workers.items()}[args.sides[0]]["compartments"]
    rounds = [{side: _ask(worker, "run") for side, worker in workers.items()} for _ in range(args.rounds)]
    for worker in workers.values():
        worker.stdin.close()
        worker.wait()
    _print(rounds, compartments * args.duration / args.dt)


def _print(rounds: Sequence[dict[str, dict[str, Any]]], visits: float) -> None:
    print("| side | median s | best s | us/compartment/step | ratio, median | ratio of the best | spikes | last ms |")
    print("|---|---|---|---|---|---|---|---|")
    for side in rounds[0]:
        times = [r[side]["cpu_s"] for r in rounds]
        ratios = [r[side]["cpu_s"] / r["hand"]["cpu_s"] for r in rounds] if "hand" in rounds[0] else [float("nan")]
        best = min(times) / min(r["hand"]["cpu_s"] for r in rounds) if "hand" in rounds[0] else float("nan")
        last = rounds[-1][side]
        print(
            f"| {side} | {statistics.median(times):.3f} | {min(times):.3f} | {1e6 * min(times) / visits:.4f} "
            f"| {statistics.median(ratios):.3f} | {best:.3f} | {last['spikes']} | {last['last_ms']:.3f} |"
        )


def _start(side: str) -> subprocess.Popen[str]:
    command = [sys.executable, __file__, *sys.argv[1:], "--side", side]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _ask(worker: subprocess.Popen[str], request: str = "") -> dict[str, Any]:
    assert worker.stdin and worker.stdout
    if request:
        worker.stdin.write(request + "\n")
        worker.stdin.flush()
    for line in worker.stdout:
        if line.startswith("{"):
            return json.loads(line)
    raise SystemExit(f"a side ended with exit code {worker.wait()}")


# ---------------------------------------------------------------------------------------------- one side


def _serve(args: argparse.Namespace) -> None:
    os.environ.setdefault("NEURON_MODULE_OPTIONS", "-nogui -nobanner")
    from neuron import h

    document = read(args.model, root=args.root)
    cell = lower(document)
    settings = SIDES[args.side]
    live = _by_hand(h, document, cell, args.mods) if settings is None else _generated(h, cell, settings)
    values = [slot.unit.to_si(slot.default) for slot in cell.slots]
    live.bind(values, cell.temperature_K or 279.45)
    clamp = h.IClamp(live.segments[0])
    clamp.delay, clamp.dur, clamp.amp = 5.0, 1e9, args.amplitude
    voltage = h.Vector().record(live.segments[0]._ref_v)
    h.celsius = (cell.temperature_K or 279.45) - 273.15
    h.dt = args.dt
    context = h.ParallelContext()
    context.set_maxstep(1e9)
    print(json.dumps({"compartments": len(live.segments)}), flush=True)
    for _ in sys.stdin:
        live.set_voltage(None, values)
        h.finitialize()
        start = time.process_time()
        context.psolve(args.duration)
        spent = time.process_time() - start
        v = np.array(voltage)
        hits = np.flatnonzero((v[1:] > 0.0) & (v[:-1] <= 0.0)) + 1
        last = float(hits[-1] * args.dt) if len(hits) else float("nan")
        print(json.dumps({"cpu_s": spent, "spikes": len(hits), "last_ms": last}), flush=True)


def _generated(h: Any, cell: Cell, settings: Settings) -> LiveCell:
    program = NeuronBackend().compile(cell, settings)
    h.nrn_load_dll(str(library(program.folder)))
    return LiveCell(h, cell, program_plan(program))


def _by_hand(h: Any, document: Document, cell: Cell, mods: Sequence[Path]) -> LiveCell:
    """The same sections with hand-written mechanisms."""
    texts = {path.stem: path.read_text() for folder in mods for path in sorted(folder.glob("*.mod"))}
    h.nrn_load_dll(str(library(build({f"{k}.mod": t for k, t in texts.items()}, f"hand-{_digest(texts)}"))))
    live = LiveCell(h, cell, Plan((), "", {}))
    for placement in cell.placements:
        if cell.mechanism(placement.mechanism).kind is MechanismKind.POOL:
            _insert_pool(h, document, live, placement, texts)
        else:
            _insert_density(live, placement, texts)
    return live


def _digest(texts: dict[str, str]) -> str:
    import hashlib

    return hashlib.sha256(repr(sorted(texts.items())).encode()).hexdigest()


def _insert_density(live: LiveCell, placement: Placement, texts: dict[str, str]) -> None:
    mechanism = live.cell.mechanism(placement.mechanism)
    channel = re.sub(r"_\d+$", "", mechanism.name) if mechanism.name not in texts else mechanism.name
    suffix, conductance = (channel, "gbar") if channel in texts else ("pas", "g")
    assert suffix != "pas" or not mechanism.dynamics.states, f"no {channel}.mod"
    text = texts.get(suffix, "RANGE g, e")
    values = _values(live.cell, placement)
    numbers = {f"{conductance}_{suffix}": 1e-4 * values["condDensity"]}
    ion = re.search(r"USEION (\w+) READ e\1\b", text)
    if "erev" in values:
        numbers[f"e{ion.group(1)}" if ion else f"e_{suffix}"] = 1e3 * values["erev"]
    _set(live, placement, suffix, numbers)


def _insert_pool(h: Any, document: Document, live: LiveCell, placement: Placement, texts: dict[str, str]) -> None:
    elements = [e for top in document.components() for e in top.walk()]
    species = next(e for e in elements if e.tag == "species" and e.attributes["id"] == placement.id)
    pool = next(e for e in elements if e.attributes.get("id") == species.attributes["concentrationModel"])
    suffix = pool.attributes.get("type", pool.tag)
    numbers = {}
    for name, unit in re.findall(r"^\s*(\w+) = \S+(?: \(([\w/]+)\))?\s*$", texts[suffix], re.MULTILINE):
        if name in pool.attributes:
            numbers[f"{name}_{suffix}"] = np.float64(_number(pool.attributes[name], unit))
    ion = species.attributes["ion"]
    setattr(h, f"{ion}i0_{ion}_ion", _number(species.attributes["initialConcentration"], "mM"))
    setattr(h, f"{ion}o0_{ion}_ion", _number(species.attributes["initialExtConcentration"], "mM"))
    _set(live, placement, suffix, numbers)


def _number(text: str, unit: str) -> float:
    return Quantity.parse(text).to(_NMODL_UNITS[unit] if unit else "").value


def _values(cell: Cell, placement: Placement) -> dict[str, Any]:
    arrays = {name: np.asarray(values) for name, values in placement.locals}
    return {name: np.asarray(evaluate(expr, arrays)) for name, expr in placement.values}


def _set(live: LiveCell, placement: Placement, suffix: str, numbers: dict[str, Any]) -> None:
    assert live.cell.geometry is not None
    for index in dict.fromkeys(live.cell.geometry.compartments[k].section for k in placement.compartments):
        live.sections[index].insert(suffix)
    for name, value in numbers.items():
        number = Number(Place(name, placement.compartments), *_constant(value))
        live._writer(number).write({}, ())


def _constant(value: Any) -> tuple[Any, dict[str, Any]]:
    from nmlopt.lems.expression import Sym

    return Sym("x"), {"x": np.asarray(value)}


if __name__ == "__main__":
    main()
