"""The kernel's structures in ctypes, and the library that holds it."""

from __future__ import annotations

import ctypes
import weakref
from ctypes import POINTER, c_double, c_int32, c_int64, c_uint8, c_void_p
from functools import lru_cache
from pathlib import Path
from typing import Any, final

import numpy as np
import numpy.typing as npt

from nmlopt.errors import BackendError, Issue
from nmlopt.exporters.native.build import LIBRARY, runs_here

Doubles = POINTER(c_double)
Int32s = POINTER(c_int32)
Int64s = POINTER(c_int64)
Bytes = POINTER(c_uint8)


class ShapeC(ctypes.Structure):
    """`Shape` of the kernel."""

    _fields_ = (
        ("nodes", c_int32), ("parent", Int32s), ("count", Int32s), ("first", Int32s), ("node", Int32s),
        ("offset", Int64s), ("sends", c_int32), ("unused", c_int32), ("live", Bytes), ("carried", Bytes),
        ("source", Int32s), ("target", Int32s), ("first_send", Int32s),
        ("pushed_from", Int32s), ("pushed_to", Int32s), ("first_push", Int32s),
        ("model", c_void_p),
    )  # fmt: skip


class CurrentC(ctypes.Structure):
    """`Current` of the kernel: ms and nA."""

    _fields_ = (
        ("node", c_int32), ("kind", c_int32), ("samples", c_int32), ("unused", c_int32),
        ("delay", c_double), ("duration", c_double), ("amplitude", c_double), ("period", c_double),
        ("phase", c_double), ("times", Doubles), ("values", Doubles),
    )  # fmt: skip


class ClampC(ctypes.Structure):
    """`Clamp` of the kernel: ms, mV and Mohm."""

    _fields_ = (
        ("node", c_int32), ("levels", c_int32), ("resistance", c_double), ("end", c_double), ("times", Doubles),
        ("targets", Doubles),
    )  # fmt: skip


class OutputC(ctypes.Structure):
    """`Output` of the kernel."""

    _fields_ = (("kind", c_int32), ("mechanism", c_int32), ("index", c_int32), ("which", c_int32))


class ExperimentC(ctypes.Structure):
    """`Experiment` of the kernel."""

    _fields_ = (
        ("currents", c_int32), ("clamps", c_int32), ("inputs", c_int32), ("events", c_int32), ("outputs", c_int32),
        ("stride", c_int32),
        ("duration", c_double), ("dt", c_double), ("temperature", c_double), ("v_init", c_double),
        ("tolerance", c_double), ("swing", c_double), ("shortest", c_double), ("h_max", c_double),
        ("spacing", c_double),
        ("current", POINTER(CurrentC)), ("clamp", POINTER(ClampC)),
        ("input_mechanism", Int32s), ("input_node", Int32s), ("input_weight", Doubles),
        ("input_live", Bytes), ("event_time", Doubles),
        ("event_mechanism", Int32s), ("event_index", Int32s), ("output", POINTER(OutputC)),
    )  # fmt: skip


@lru_cache(maxsize=4)
def job_type(lanes: int) -> type[ctypes.Structure]:
    """`Job` of a kernel with that many lanes; addresses are plain numbers, since there are many jobs."""

    class JobC(ctypes.Structure):
        _fields_ = (
            ("shape", c_void_p), ("experiment", c_void_p), ("numbers", c_void_p), ("amplitudes", c_void_p),
            ("tables", c_void_p), ("times", c_void_p), ("values", c_void_p),
            ("capacity", c_int64), ("samples", c_int64), ("used", c_int64), ("room", c_int64),
            ("crossed", c_int64 * lanes), ("length", c_int64 * lanes), ("reached", c_double * lanes),
            ("followers", c_void_p), ("sibling", c_void_p), ("branch", c_double),
        )  # fmt: skip

    return JobC


@final
class TablesC:
    """Tables of rates that the kernel in `folder` made from a job, until nothing holds them any more.

    `own`, by mechanism: none is made of those whose rates differ between jobs.
    """

    def __init__(self, folder: Path, job: ctypes.Structure, own: npt.NDArray[np.uint8]) -> None:
        library = _library(folder)
        library.make_tables.restype = c_void_p
        library.drop_made_tables.argtypes = (c_void_p,)
        self.address = library.make_tables(ctypes.byref(job), own.ctypes.data_as(Bytes))
        if self.address is None:
            raise BackendError(Issue("B110", "the native kernel ran out of memory", hint="use a coarser accuracy"))
        weakref.finalize(self, library.drop_made_tables, self.address)


def pointer_to(array: npt.NDArray[Any], kind: type[Any]) -> Any:
    """A pointer to a contiguous array, which must outlive it."""
    assert array.flags.c_contiguous
    return array.ctypes.data_as(kind)


def address_of(array: npt.NDArray[Any]) -> int:
    """The address of a contiguous array, which must outlive its use."""
    assert array.flags.c_contiguous
    address: int = array.__array_interface__["data"][0]
    return address


def doubles(values: Any) -> npt.NDArray[np.float64]:
    """A contiguous array of doubles."""
    return np.ascontiguousarray(values, dtype=np.float64)


def lane_bits(live: Any) -> npt.NDArray[np.uint8]:
    """A byte for each row of eight truths, the first in its lowest bit."""
    return np.ascontiguousarray(np.packbits(np.asarray(live, dtype=bool).reshape(-1, 8), axis=1, bitorder="little"))


def int32s(values: Any) -> npt.NDArray[np.int32]:
    """A contiguous array of 32-bit integers."""
    return np.ascontiguousarray(values, dtype=np.int32)


@lru_cache(maxsize=16)
def kernel_library(folder: Path) -> Any:
    """The kernel's `run_jobs(jobs, count, threads)`.

    Raises BackendError: B005 it is gone, B130 it was compiled for a processor that has more than this one.
    """
    run = _library(folder).run_jobs
    run.argtypes = (ctypes.c_void_p, c_int64, c_int32)
    run.restype = c_int32
    return run


@lru_cache(maxsize=16)
def _library(folder: Path) -> Any:
    path = folder / LIBRARY
    if path.is_file() and not runs_here(folder):
        hint = "compile on this machine; one cache for several kinds of machines is fine"
        raise BackendError(Issue("B130", "the kernel was compiled for another processor", str(folder), hint))
    try:
        return ctypes.CDLL(str(path))
    except OSError:
        issue = Issue("B005", "the compiled kernel is gone", str(folder), "compile again: the cache was emptied")
        raise BackendError(issue) from None
