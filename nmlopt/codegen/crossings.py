"""Point cells reset within a step: the crossing itself is put into their traces."""

from __future__ import annotations

import numpy as np

from nmlopt.backend import Floats, Trace


def with_crossings(times_ms: Floats, v_mV: Floats, spike_t: Floats, spike_v: Floats) -> Trace:
    """A voltage trace with the crossings among its samples.

    `spike_t` (s), `spike_v` (V), each (samples,), hold at every sample the last crossing before it.
    """
    hits = np.flatnonzero(np.diff(spike_t) != 0.0) + 1
    if not len(hits):
        return Trace(times_ms, v_mV)
    t = np.insert(times_ms, hits, 1000.0 * spike_t[hits])
    y = np.insert(v_mV, hits, 1000.0 * spike_v[hits])
    distinct = np.concatenate(([True], np.diff(t) > 0.0))
    return Trace(t[distinct], y[distinct])
