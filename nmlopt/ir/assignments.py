"""Properties of the membrane and the cytoplasm: which of several statements holds where."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nmlopt.ir.model import Assignment


def in_effect(assignments: Sequence[Assignment]) -> Iterator[Assignment]:
    """The assignments, each on the compartments where no later one overrides it; those without any are left out."""
    owner: dict[int, int] = {}
    for position, assignment in enumerate(assignments):
        owner.update(dict.fromkeys(assignment.compartments, position))
    for position, assignment in enumerate(assignments):
        mine = tuple(index for index in assignment.compartments if owner[index] == position)
        if mine:
            yield Assignment(assignment.value, mine)
