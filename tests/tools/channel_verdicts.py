"""Verdicts on channels: how far generated NMODL, the IR and jLEMS are from each other."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from channel_dynamics import Curves, Placed, Probe, by_ir, by_jlems, current_of, edges_by_ir, run_probe
from channel_probes import Channel, groups, write_cell

from nmlopt.backend import Settings
from nmlopt.document.paths import resolve
from nmlopt.document.read import read
from nmlopt.errors import NmloptError
from nmlopt.ir.lower import lower
from nmlopt.lems.resolve import components

LIMIT = 1e-6
SMALLEST = 1e-30
"""jLEMS writes single precision: what is smaller has lost its digits."""


@dataclass(frozen=True)
class Verdict:
    """Largest relative differences of one channel: NMODL from IR, IR from jLEMS; nan: nothing to see."""

    channel: Channel
    gates: int
    nmodl_inf: float
    nmodl_tau: float
    jlems: float
    compared: int
    scheme: float
    current: float
    where: str

    def is_fine(self, *, tables: bool) -> bool:
        """Whether all are within the limit; tables have none for the gates."""
        found = [self.jlems, self.scheme, self.current, *(() if tables else (self.nmodl_inf, self.nmodl_tau))]
        return all(not x > LIMIT for x in found)


def judged(found: Sequence[Channel], settings: Settings, problems: list[str], *, jlems: bool = True) -> list[Verdict]:
    """The verdicts on these channels; what cannot be compiled goes into `problems`."""
    able = [channel for channel in found if _lowers(channel, problems)]
    return [verdict for members in groups(able) for verdict in _of_group(members, settings, jlems=jlems)]


def _lowers(channel: Channel, problems: list[str]) -> bool:
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "probe.nml"
            write_cell([channel], path)
            lower(read(path, root=Path("/")), component="channel_probe")
    except NmloptError as error:
        problems.append(f"{channel.file}: {channel.id}: {str(error).splitlines()[0]}")
        return False
    return True


def _of_group(members: Sequence[Channel], settings: Settings, *, jlems: bool) -> list[Verdict]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "probe.nml"
        write_cell(members, path)
        document = read(path, root=Path("/"))
        names = [f"//channelDensity:d{k}/condDensity" for k, _ in enumerate(members)]
        free = [resolve(document, _path(members[k], name))[0] for k, name in enumerate(names)]
        cell = lower(document, free, component="channel_probe")
        probe = run_probe(cell, settings)
        slots = [0.0] * len(members)
        ours, wanted = probe.curves(), by_ir(probe.channels, slots)
        wanted |= edges_by_ir(components(document), members, probe.channels)
        reference = by_jlems(document, members, probe.channels, Path(folder)) if jlems else {}
        schemes = {channel.k: worst for channel, worst in probe.schemes()}
        return [_verdict(members[c.k], c, probe, (ours, wanted, reference), schemes) for c in probe.channels]


def _path(channel: Channel, name: str) -> str:
    tag = "channelDensityVShift" if channel.is_shifted else "channelDensity"
    return name.replace("//channelDensity", f"cell:channel_probe/{tag}")


def _verdict(
    channel: Channel, placed: Placed, probe: Probe, curves: tuple[Curves, Curves, Curves], schemes: dict[int, float]
) -> Verdict:
    ours, wanted, reference = curves
    worst: dict[str, tuple[float, str]] = {}
    compared = 0
    for state in [name for k, name in wanted if k == placed.k]:
        for which, name in enumerate(("inf", "tau")):
            good = wanted[placed.k, state][which]
            if state in placed.gates:
                _note(worst, name, ours[placed.k, state][which], good, f"{state} {name}")
            if (placed.k, state) in reference:
                peer = reference[placed.k, state][which]
                compared += int(np.isfinite(peer).any())
                _note(worst, "jlems", good, peer, f"{state} {name} (jLEMS)")
    nothing = (float("nan"), "")
    largest = max(worst.values(), default=nothing)
    return Verdict(
        channel=channel,
        gates=len(placed.gates),
        nmodl_inf=worst.get("inf", nothing)[0],
        nmodl_tau=worst.get("tau", nothing)[0],
        jlems=worst.get("jlems", nothing)[0],
        compared=compared,
        scheme=schemes.get(placed.k, float("nan")),
        current=_current(placed, probe),
        where=largest[1],
    )


def _note(worst: dict[str, tuple[float, str]], key: str, found: np.ndarray, wanted: np.ndarray, what: str) -> None:
    seen = np.isfinite(wanted) & (np.abs(wanted) > SMALLEST)
    if not seen.any():
        return
    apart = np.abs(found[seen] / wanted[seen] - 1.0)
    difference = float(np.where(np.isfinite(apart), apart, np.inf).max())
    worst[key] = max(worst.get(key, (-1.0, "")), (difference, what))


def _current(placed: Placed, probe: Probe) -> float:
    """Relative difference of the current right after initialisation, where this channel alone conducts."""
    slots = [float(k == placed.k) for k, _ in enumerate(probe.channels)]
    probe.bind(slots)
    found = probe.read(f"i_{placed.part.suffix}")
    wanted = current_of(placed, slots)
    if probe.lag:
        return float("nan")  # currents of gates are zero at the start
    return float(np.abs(found - wanted).max() / (np.abs(wanted).max() or 1.0))
