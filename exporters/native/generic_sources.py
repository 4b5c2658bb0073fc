"""The texts of the generic kernel, which holds no mechanism: one for each layout, compiled ahead for any document."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from nmlopt.exporters.native.bytecode import OPERATIONS
from nmlopt.exporters.native.source import NODE_NUMBERS, TITLE, Layout, templates

SOURCES: Mapping[str, Layout] = MappingProxyType(
    {"chains": Layout(8, chained=True), "nodes": Layout(1), "lanes": Layout(8), "point": Layout(32)}
)
"""The layout of each text by its name: chains of compartments, node by node, small cells at fixed steps, points."""
ROOM: Mapping[str, int] = MappingProxyType(
    {"mechanisms": 256, "numbers": 4096, "states": 1024, "bundles": 64, "parts": 8}
)
"""For how much of a cell with compartments there is room in the generic kernel."""
POINT_ROOM: Mapping[str, int] = MappingProxyType({"mechanisms": 256, "numbers": 1024, "states": 512, "held": 256})
"""The same for a point cell."""
MOST_REGISTERS = 8192
"""Of a loop body, each 256 bytes on the stack: two bodies at most are at work, in threads with 8 MB."""


def name_of(layout: Layout) -> str:
    """The name of the text for a layout."""
    return next(name for name, other in SOURCES.items() if other == layout)


def source_text(name: str) -> str:
    """The C text of a generic kernel, to be compiled with W defined as its layout's width."""
    template = templates().get_template("point.c.j2" if name == "point" else "cable.c.j2")
    return template.render(
        generic=True,
        generated=TITLE,
        chained=SOURCES[name].chained,
        mechanisms=(),
        bundles=(),
        most_gates=8,
        room=POINT_ROOM if name == "point" else ROOM,
        node_numbers=NODE_NUMBERS,
        operations=OPERATIONS,
    )
