"""The Hodgkin-Huxley rate forms of the core types (Channels.xml), in SI."""

from __future__ import annotations

import math


def exponential(v: float, rate: float, midpoint_mV: float, scale_mV: float) -> float:
    """HHExpRate, HHExpVariable."""
    return rate * math.exp((v - 1e-3 * midpoint_mV) / (1e-3 * scale_mV))


def sigmoid(v: float, rate: float, midpoint_mV: float, scale_mV: float) -> float:
    """HHSigmoidRate, HHSigmoidVariable."""
    return rate / (1 + math.exp(-(v - 1e-3 * midpoint_mV) / (1e-3 * scale_mV)))


def linoid(v: float, rate: float, midpoint_mV: float, scale_mV: float) -> float:
    """HHExpLinearRate, and HHExpLinearVariable with its limit at the midpoint."""
    x = (v - 1e-3 * midpoint_mV) / (1e-3 * scale_mV)
    return rate * (x / -math.expm1(-x) if x else 1.0)
