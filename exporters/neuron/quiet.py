"""Silences what NEURON and its libraries print from C: it would mix with our own output on the same streams."""

from __future__ import annotations

import ctypes
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress

_STREAMS = (1, 2)


@contextmanager
def quiet() -> Iterator[None]:
    """Send file descriptors 1 and 2 of this process, and Python's streams, to nowhere for a while."""
    with suppress(OSError, ValueError, AttributeError):
        sys.stdout.flush()
        sys.stderr.flush()
    with redirect_stdout(_Nowhere()), redirect_stderr(_Nowhere()), _descriptors():
        yield


class _Nowhere(io.TextIOBase):
    """NEURON hands some of its messages to Python's streams."""

    def write(self, text: str) -> int:
        return len(text)


@contextmanager
def _descriptors() -> Iterator[None]:
    try:
        kept = [os.dup(stream) for stream in _STREAMS]
        nowhere = os.open(os.devnull, os.O_WRONLY)
    except OSError:  # no such descriptors, so nothing can be printed either
        yield
        return
    try:
        for stream in _STREAMS:
            os.dup2(nowhere, stream)
        yield
    finally:
        ctypes.CDLL(None).fflush(None)
        for stream, copy in zip(_STREAMS, kept, strict=True):
            os.dup2(copy, stream)
            os.close(copy)
        os.close(nowhere)
