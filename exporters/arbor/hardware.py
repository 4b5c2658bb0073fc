"""Where a batch is computed: threads, a GPU, and how many cells go together in Arbor's loops."""

from __future__ import annotations

import math
from typing import Any

import arbor

from nmlopt.backend import Settings
from nmlopt.errors import Issue


def gpu_kind() -> str:
    """What the installed Arbor was built for ('cuda', 'hip'); '' if for no GPU."""
    return str(arbor.config()["gpu"] or "")


def missing(settings: Settings) -> tuple[Issue, ...]:
    """B083 where a GPU is asked for and the installed Arbor has no support for any."""
    if not settings.gpu or gpu_kind():
        return ()
    hint = "leave --gpu out, or build Arbor with -DARB_GPU=cuda: the published wheels have no support"
    return (Issue("B083", "the installed Arbor cannot use a GPU", hint=hint),)


def simulation(recipe: Any, settings: Settings) -> Any:
    """A simulation of the recipe on the threads, or the GPU, of the settings.

    All cells of a thread are one group, so that mechanisms fill Arbor's vectors: a quarter less time than a group for
    each, which is Arbor's own choice (measured on `examples/ball_and_stick`, 8 candidates).
    """
    context = arbor.context(threads=settings.threads, gpu_id=0 if settings.gpu else None)
    together = math.ceil(recipe.num_cells() / settings.threads)
    hint = arbor.partition_hint(cpu_group_size=together, gpu_group_size=recipe.num_cells(), prefer_gpu=settings.gpu)
    domains = arbor.partition_load_balance(recipe, context, {arbor.cell_kind.cable: hint})
    return arbor.simulation(recipe, context, domains)
