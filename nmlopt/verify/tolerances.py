"""The smallest differences that count, each with its reason.

A difference counts when it exceeds the numerical error of both sides, known from halving the step, and a floor. The
floor stands for what does not vanish with the step and is nobody's mistake: digits of physical constants, sums in
another order, compartments whose areas and resistances are integrated in another way.
"""

from __future__ import annotations

from typing import Final

SCORE_FLOOR_SD: Final = 0.01
"""A hundredth of a target's sd: no judgement of a model hangs on that."""

SPIKE_FLOOR_MS: Final = 0.005
"""A fifth of the default step; spike times are published to 0.01 ms at best."""

TRACE_FLOOR_MV: Final = 0.02
"""Voltages are measured to 0.1 mV at best."""

TRACE_FLOOR_RELATIVE: Final = 1e-3
"""Of the range of a trace that is no voltage: such numbers are shown with three digits."""

RESOLVED_SD: Final = 0.5
"""A numerical error beyond half an sd hides differences that would matter: no verdict then."""

RESOLVED_MS: Final = 0.5
"""A spike whose time is not known to half a millisecond may be another spike: no verdict then."""

OBSERVED_RATIOS: Final = (1.5, 6.0)
"""Between these, successive changes of a number shrink as those of a method of order 0.6 to 2.6 do."""
