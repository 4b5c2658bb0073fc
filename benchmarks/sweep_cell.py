"""One cell of benchmarks/sweep.py: every verb that a user would try first, then runs, then jNeuroML's export.

python benchmarks/sweep_cell.py FILE CELL FOLDER [--dt MS] [--temperature T] [--peer]

Writes FOLDER/record.json after each stage, so that a process that dies shows how far it came.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "tools"))

import numpy as np
from export_repairs import Repair, in_turn, nernst_of_the_types, plain_literals, rates_in_order
from jneuroml_runner import Pulse, Run, exported
from spikes import step_indices

from nmlopt import cli
from nmlopt.api.inspecting import init, paths, present_recordings
from nmlopt.api.problem import Loaded, Options, load, read_model
from nmlopt.backend import Integrator, Numerics, RunStatus, Settings, Trace
from nmlopt.errors import NmloptError, Severity

DELAY_MS, DURATION_MS, END_MS = 100.0, 300.0, 500.0
FACTORS = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
"""Of the amplitude that `nmlopt init` proposes, 10 µA per cm² of membrane."""
MIN_SPIKES = 3
SHORTER = 10.0
REPAIRS: dict[str, Repair | None] = {
    "as exported": None,
    "repaired": in_turn(plain_literals, rates_in_order, nernst_of_the_types),
}


class Record(dict):
    """What is known so far, kept on disk."""

    def __init__(self, folder: Path) -> None:
        super().__init__(codes=[])
        self.file = folder / "record.json"

    def at(self, stage: str, **more: object) -> None:
        """Note a stage that is reached, and what was found."""
        self.update(stage=stage, **more)
        self.file.write_text(json.dumps(self))


def main() -> None:
    """Run one cell."""
    parser = argparse.ArgumentParser()
    parser.add_argument("file", type=Path)
    parser.add_argument("cell")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--dt", type=float, default=0.025)
    parser.add_argument("--temperature", default="")
    parser.add_argument("--peer", action="store_true")
    args = parser.parse_args()
    record = Record(args.folder)
    try:
        _sweep(args, record)
    except NmloptError as error:
        issues = [i for i in error.issues if i.severity is Severity.ERROR] or list(error.issues)
        record.at(record["stage"], verdict="refused", codes=[i.code for i in issues], message=str(issues[0])[:300])


def _sweep(args: argparse.Namespace, record: Record) -> None:
    options = Options()
    record.at("check")
    _, said = _command("check", str(args.file), "--json")
    record.at("init", findings=sorted({i["code"] for i in json.loads(said)["issues"]}))
    targets = json.loads(init(args.file, options, args.cell))
    record.at("paths")
    rows = paths(args.file, options, None, args.cell)
    record.at("targets", numbers=len(rows), bindable=sum(r.kind == "bindable" for r in rows))
    protocol = targets["protocols"][0]
    protocol["duration"] = f"{END_MS} ms"
    for stimulus in protocol.get("stimuli", ()):
        stimulus |= {"delay": f"{DELAY_MS} ms", "duration": f"{DURATION_MS} ms"}
    if args.temperature:
        targets["temperature"] = args.temperature
    for target in targets["targets"]:
        target["window"] = {"start": f"{DELAY_MS} ms", "end": f"{DELAY_MS + DURATION_MS} ms"}
    file = args.folder / "targets.json"
    file.write_text(json.dumps(targets))
    _as_a_user(args, file, record)
    loaded, trace = _firing(args, file, targets, record)
    if trace is None:
        return
    record.at("jneuroml")
    euler = _trace(_loaded(args, file, Numerics.JNEUROML), record)
    if euler is None:  # forward Euler needs a step shorter than every time constant
        args.dt /= SHORTER
        euler = _trace(_loaded(args, file, Numerics.JNEUROML), record)
        record.at("jneuroml", euler_dt_ms=args.dt)
    if euler is None:
        return
    record.pop("message", None)
    record.at("peer", verdict="" if args.peer else "ok", euler_spikes=_count(euler))
    if args.peer:
        verdict, said = _compare(args, loaded, targets, euler)
        record.at("done", verdict=verdict, peer=said)


def _as_a_user(args: argparse.Namespace, targets: Path, record: Record) -> None:
    record.at("simulate")
    out = str(args.folder / "traces")
    code, said = _command("simulate", str(args.file), str(targets), "--out", out, "--dt", str(args.dt))
    record.at("simulate", code=code)
    if code not in (0, 2):
        raise RuntimeError(said)


def _command(*arguments: str) -> tuple[int, str]:
    """Exit code and standard output of the command; a traceback goes its way."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        return cli.main(arguments), said.getvalue()


def _loaded(args: argparse.Namespace, targets: Path, numerics: Numerics) -> Loaded:
    settings = Settings(dt_ms=args.dt, numerics=numerics, integrator=Integrator.FIXED)
    return load(args.file, targets, replace(Options(), settings=settings))


def _firing(args: argparse.Namespace, file: Path, targets: dict, record: Record) -> tuple[Loaded, Trace | None]:
    """The least of some amplitudes at which the cell fires thrice; if it never does, the largest that it stands."""
    stimuli = targets["protocols"][0].get("stimuli", ())
    amplitudes = [s["amplitude"].partition(" ") for s in stimuli]
    best: tuple[Loaded, Trace] | None = None
    for factor in FACTORS if stimuli else (1.0,):
        earlier = file.read_text()
        for stimulus, (number, _, unit) in zip(stimuli, amplitudes, strict=True):
            stimulus["amplitude"] = f"{float(number) * factor:g} {unit}".strip()
        file.write_text(json.dumps(targets))
        record.at("run", amplitude=stimuli[0]["amplitude"] if stimuli else "none")
        loaded = _loaded(args, file, Numerics.CNEXP)
        trace = _trace(loaded, record)
        if trace is None and best is not None:
            file.write_text(earlier)
            targets |= json.loads(earlier)
            record.pop("verdict")
            record.at("run", amplitude=targets["protocols"][0]["stimuli"][0]["amplitude"], beyond=record.pop("message"))
            break
        if trace is None:
            return loaded, None
        best = loaded, trace
        record.at("run", spikes=_count(trace), rest=float(trace.y[0]), end=float(trace.y[-1]))
        if _count(trace) >= MIN_SPIKES:
            break
    assert best is not None
    return best


def _trace(loaded: Loaded, record: Record) -> Trace | None:
    recordings = present_recordings(loaded)
    if recordings.status is not RunStatus.OK:
        record.at(record["stage"], verdict="failed", message=f"{recordings.status}: {recordings.detail}")
        return None
    (trace,) = recordings.traces.values()
    if not np.isfinite(trace.y).all():
        record.at(record["stage"], verdict="failed", message="the trace is not finite")
        return None
    return trace


def _level(trace: Trace) -> float:
    """What a spike crosses: the middle of the trace's range, if that is wide; cells of any kind and unit share it."""
    low, high = float(trace.y.min()), float(trace.y.max())
    return (low + high) / 2.0


def _count(trace: Trace) -> int:
    """Upward crossings of the middle; none if the range is below 20 (mV), or below 1 where nothing has a unit."""
    wide = 20.0 if abs(trace.y[0]) > 10.0 else 1.0
    return len(step_indices(trace, _level(trace))) if np.ptp(trace.y) > wide else 0


def _compare(args: argparse.Namespace, loaded: Loaded, targets: dict, mine: Trace) -> tuple[str, str]:
    """Against jNeuroML's export, first as it is, then with its known defects undone."""
    said = []
    for name, repair in REPAIRS.items():
        folder = args.folder / name.replace(" ", "_")
        run = _copied(args, loaded, targets, folder)
        if run.is_dimensionless:
            return "ok", "not compared: jNeuroML's export leaves out what is injected into dimensionless cells"
        try:
            t, v = exported(run, repair)
        except AssertionError as error:
            reason = [line for line in str(error).splitlines() if line.strip()][-1:]
            return "ok", f"jNeuroML does not run it: {reason}"
        count = min(len(v), len(mine.y))
        same = abs(len(v) - len(mine.y)) <= 1
        peer = Trace(t[:count], v[:count])
        here, there = (step_indices(x, _level(mine)) for x in (Trace(mine.t_ms[:count], mine.y[:count]), peer))
        largest = float(np.abs(peer.y - mine.y[:count]).max())
        shift = int(np.abs(here - there).max(initial=0)) if len(here) == len(there) else None
        said.append(f"{name}: {len(there)} crossings, steps apart {shift}, largest {largest:.3g}")
        if same and shift == 0 and (len(here) or largest < 1e-3 * max(1.0, float(np.ptp(mine.y)))):
            return "ok", "; ".join(said)
    return "differs", "; ".join(said)


def _copied(args: argparse.Namespace, loaded: Loaded, targets: dict, folder: Path) -> Run:
    document = read_model(args.file, Options())
    for source in document.files:
        target = folder / source.path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(document.root / source.path, target)
    stimuli = targets["protocols"][0].get("stimuli", ())
    pulses = [Pulse(DELAY_MS, DURATION_MS, s["amplitude"].replace(" ", "")) for s in stimuli]
    cell = loaded.cell
    is_dimensionless = bool(pulses) and not pulses[0].amplitude.endswith("A")
    (output,) = loaded.problem.experiments[0].outputs
    return Run(
        folder / document.main,
        cell.id,
        END_MS,
        args.dt,
        pulses,
        targets.get("temperature", "").replace(" ", ""),
        None if cell.geometry is None else cell.geometry.sections[0].segments[0],
        is_dimensionless,
        "" if cell.geometry is not None or output.variable == "v" else f"pop[0]/{output.variable.split('/')[-1]}",
    )


if __name__ == "__main__":
    main()
