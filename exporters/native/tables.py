"""Tables of rates that all candidates of a program share: of mechanisms with no slot in their rates."""

from __future__ import annotations

import ctypes
from functools import lru_cache

import numpy as np

from nmlopt.backend import Program
from nmlopt.exporters.native.accuracy import Steps
from nmlopt.exporters.native.bind import Binding
from nmlopt.exporters.native.generic import model_of
from nmlopt.exporters.native.interface import ExperimentC, TablesC, address_of, job_type
from nmlopt.exporters.native.shapes import shape_structure
from nmlopt.exporters.native.source import Kernel, Part
from nmlopt.lems.expression import SlotRef
from nmlopt.lems.trees import leaves


def shared_tables(
    program: Program, kernel: Kernel, binding: Binding, steps: Steps, temperature_K: float
) -> TablesC | None:
    """The tables at a temperature, which say what each candidate has of its own; None where none are looked up."""
    if steps.spacing_mV == 0.0 or not any(part.tabled for part in kernel.parts):
        return None
    return _made(program, kernel, binding, steps, temperature_K)


def has_slots_in_rates(part: Part) -> bool:
    """Whether a number that the rates of a mechanism may rest on is a slot."""
    return part.tabled is not None and any(
        isinstance(leaf, SlotRef)
        for parameter in part.mechanism.parameters
        if parameter.value is not None
        for leaf in leaves(parameter.value)
    )


@lru_cache(maxsize=2)
def _made(program: Program, kernel: Kernel, binding: Binding, steps: Steps, temperature_K: float) -> TablesC:
    found = binding.bind([slot.unit.to_si(slot.default) for slot in program.slots], temperature_K)
    numbers = binding.shape.chains.numbers(found) if binding.shape.chains else found
    experiment = ExperimentC(
        dt=steps.dt_ms, tolerance=steps.tolerance_mV, h_max=steps.longest_ms, spacing=steps.spacing_mV,
        temperature=temperature_K,
    )  # fmt: skip
    shape = shape_structure(binding.shape, model_of(program, kernel))
    job = job_type(kernel.layout.candidates)(
        shape=ctypes.addressof(shape.structure), experiment=ctypes.addressof(experiment), numbers=address_of(numbers)
    )
    own = np.array([has_slots_in_rates(part) for part in kernel.parts], dtype=np.uint8)
    return TablesC(program.folder, job, own)
