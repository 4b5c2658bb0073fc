"""The live line of a long fit: generation, best, evaluations per second, failures, time left."""

from __future__ import annotations

import sys
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.text import Text

from nmlopt.api.searching import Progress
from nmlopt.results.error_estimate import ErrorEstimate
from nmlopt.verify.run import Step


class ProgressLine:
    """Redraws one line on a terminal; prints a plain line per generation elsewhere. Use as a context manager."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._live = Live(Text(""), console=self._console, refresh_per_second=4) if sys.stderr.isatty() else None
        self._last = (-1, -1)

    def __enter__(self) -> ProgressLine:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def __call__(self, progress: Progress) -> None:
        """Show where the fit is."""
        if self._live is not None:
            self._live.update(Text(line(progress), no_wrap=True, overflow="ellipsis"))
        elif progress.generation_is_done and (progress.seed, progress.generation) != self._last:
            self._last = (progress.seed, progress.generation)
            self._console.print(line(progress), markup=False)

    def step(self, step: Step) -> None:
        """Show what is being done after the search."""
        text = f"{step.text} ({step.done + 1}/{step.asked})"
        if self._live is not None:
            self._live.update(Text(text, no_wrap=True, overflow="ellipsis"))
        else:
            self._console.print(text, markup=False)

    def estimate(self, found: ErrorEstimate) -> None:
        """Show how far the scores of the search are from those at a tighter setting."""
        text = f"generation {found.generation}: {found.text}"
        self._console.print(f"{text}; the search is noisy, --accuracy tight would help" if found.is_alarming else text)


def line(progress: Progress) -> str:
    """One line of text, what matters most first: a narrow terminal shows its beginning."""
    parts = [f"gen {progress.generation}" + (f"/{progress.generations}" if progress.generations else "")]
    if not progress.generation_is_done:
        parts.append(f"{progress.done}/{progress.asked}")
    if progress.best_sum is not None:
        parts.append(f"best sum {progress.best_sum:.4g} sd (worst {progress.best_worst:.3g})")
    parts += [f"{progress.rate:.1f}/s", f"{progress.failures} failed"]
    if progress.seconds_left is not None:
        parts.append(f"{duration(progress.seconds_left)} left")
    parts += [f"seed {progress.seed}", f"{progress.evaluations} evaluations"]
    return " · ".join(parts)


def duration(seconds: float) -> str:
    """Seconds as people say them: 45 s, 3 min 20 s, 2 h 5 min."""
    if 0 < seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
