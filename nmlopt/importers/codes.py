"""The codes of the findings about LEMS simulations and what each is about."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

CODES: Final[Mapping[str, str]] = MappingProxyType(
    {
        # the simulation
        "S001": "The file holds no Simulation",
        "S002": "The file holds several Simulations and no Target chooses one",
        "S003": "The target of a Simulation is not a network or a cell",
        "S004": "Length or step of a Simulation is missing or makes no sense",
        "S005": "A number of the simulation or its network cannot be read",
        # the network
        "S010": "Cells are connected to each other",
        "S011": "An element of the network is not supported",
        "S012": "A reference names no population, instance or component",
        "S013": "An input cannot act on this cell",
        "S014": "A population has no size or no component",
        "S015": "No cell is left to simulate",
        # what is written
        "S020": "A quantity cannot be recorded",
        "S021": "A quantity of a display cannot be recorded (warning: the line is left out)",
        "S022": "The events of a selection cannot be recorded",
        "S023": "Two output files would be one",
        # what becomes of it as targets
        "S030": "The simulation holds several kinds of cells",
        "S031": "Something cannot be carried into targets.json (warning)",
        "S040": "Random times are seeded here, and other than in other simulators (information)",
        "S050": "A simulation did not run to its end",
    }
)
