"""Morphology files written at random: every form of soma, awkward trees; the same for the same seed."""

from __future__ import annotations

import math
import random

SOMAS = ("single", "sphere of three", "three points", "line", "branched", "none")


def swc(form: str, seed: int) -> str:
    """An SWC file with a soma of that form (one of SOMAS)."""
    return _Swc(random.Random(f"{form}{seed}"), form).text()


def asc(seed: int) -> str:
    """A Neurolucida file: an outline that may be tilted and uneven, trees inside and outside of it."""
    return _Asc(random.Random(f"asc{seed}")).text()


class _Swc:
    def __init__(self, rng: random.Random, form: str) -> None:
        self._rng = rng
        self._form = form
        self._rows: list[list[float]] = []

    def text(self) -> str:
        somas = self._soma()
        for _ in range(self._rng.randint(1, 5)):
            self._tree(self._rng.choice(somas), self._rng.choice([2, 3, 3, 4]), self._rng.randint(0, 3))
        if self._rng.random() < 0.4:  # a branch that is not listed beside its parent
            self._tree(self._rng.randint(1, len(self._rows)), 3, 1)
        rows = (" ".join(f"{value:g}" for value in row) for row in self._rows)
        return "# written for a test\n" + "\n".join(rows) + "\n"

    def _add(self, kind: int, place: list[float], radius: float, parent: int) -> int:
        self._rows.append([len(self._rows) + 1, kind, *place, radius, parent])
        return len(self._rows)

    def _soma(self) -> list[int]:
        if self._form == "none":
            return [self._add(3, [0, 0, 0], 1, -1)]
        root = self._add(1, [0, 0, 0], 5, -1)
        if self._form == "sphere of three":
            self._add(1, [0, -5, 0], 5, root)
            self._add(1, [0, 5, 0], 5, root)
        elif self._form == "three points":
            return [root, self._add(1, [0, -8, 0], 4, root), self._add(1, [0, 7, 0], 3, root)]
        elif self._form == "line":
            found = [root]
            for k in range(1, self._rng.randint(2, 6)):
                found.append(self._add(1, [0, 5 * k, 0], round(self._rng.uniform(2, 6), 2), found[-1]))
            return found
        elif self._form == "branched":
            on = self._add(1, [0, 5, 0], 4, root)
            fork = [self._add(1, place, 3, on) for place in ([0, 10, 0], [5, 8, 0])]
            return [root, on, *fork, self._add(1, [9, 9, 0], 2.5, fork[1])]
        return [root]

    def _tree(self, start: int, kind: int, depth: int) -> None:
        place, last = self._rows[start - 1][2:5], start
        step = [self._rng.gauss(0, 12) for _ in range(3)]
        for _ in range(self._rng.randint(1, 4)):
            place = [round(a + b + self._rng.gauss(0, 2), 3) for a, b in zip(place, step, strict=True)]
            last = self._add(kind, place, round(self._rng.uniform(0.2, 2), 3), last)
        if depth and self._rng.random() < 0.7:
            for _ in range(self._rng.randint(1, 3)):
                other = kind if self._rng.random() < 0.9 else self._rng.choice([3, 4, 5])
                self._tree(last, other, depth - 1)


class _Asc:
    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._lines: list[str] = []

    def text(self) -> str:
        self._outline()
        for _ in range(self._rng.randint(1, 4)):
            self._lines += ["( (Color Yellow)", f"  ({self._rng.choice(['Axon', 'Dendrite', 'Apical'])})"]
            self._branch([self._rng.gauss(0, 10) for _ in range(3)], 1, self._rng.randint(0, 3))
            self._lines.append(")")
        return "\n".join(self._lines) + "\n"

    def _outline(self) -> None:
        wide, high, turn = (self._rng.uniform(3, 12) for _ in range(3))
        tilt, noise = self._rng.choice([0, 0.3]), self._rng.choice([0, 0, 0.5, 2])
        self._lines += ['("CellBody"', "  (Color Red)", "  (CellBody)"]
        n = self._rng.randint(4, 30)
        for k in range(n):
            x = (wide + self._rng.gauss(0, noise)) * math.cos(2 * math.pi * k / n)
            y = (high + self._rng.gauss(0, noise)) * math.sin(2 * math.pi * k / n)
            x, y = x * math.cos(turn) - y * math.sin(turn), x * math.sin(turn) + y * math.cos(turn)
            self._point([x, y, tilt * x], 0.46, 1)
        self._lines.append(")")

    def _branch(self, place: list[float], indent: int, depth: int) -> None:
        if indent > 1 and self._rng.random() < 0.3:  # the first point repeats the last of the parent
            self._point(place, self._rng.uniform(0.3, 2), indent)
        step = [self._rng.gauss(0, 8) for _ in range(3)]
        for _ in range(self._rng.randint(1, 4)):
            if self._rng.random() < 0.1:  # a jump in diameter, or the same point twice
                self._point(place, self._rng.uniform(0.3, 2), indent)
            place = [round(a + b + self._rng.gauss(0, 2), 2) for a, b in zip(place, step, strict=True)]
            self._point(place, self._rng.uniform(0.3, 2), indent)
        if depth and self._rng.random() < 0.7:
            self._lines.append("  " * indent + "(")
            for k in range(self._rng.randint(2, 3)):
                self._lines += ["  " * indent + "|"] if k else []
                self._branch(place, indent + 1, depth - 1)
            self._lines.append("  " * indent + ")")
        else:
            self._lines.append("  " * indent + "Normal")

    def _point(self, place: list[float], diameter: float, indent: int) -> None:
        x, y, z = place
        self._lines.append("  " * indent + f"({x:.2f} {y:.2f} {z:.2f} {diameter:.2f})")
