"""nmlopt: fit neuron models that are held as NeuroML documents, and get NeuroML documents back.

import nmlopt
result = nmlopt.fit("model.nml", "targets.json", out="runs/a")
print(result.best.file, result.best.scores)
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

__version__ = version("nmlopt")
__all__ = ["__version__", "fit"]


def __getattr__(name: str) -> Any:
    """Public functions are imported when they are first used: `nmlopt --help` must not load simulators."""
    if name == "fit":
        from nmlopt.api.simple import fit

        return fit
    message = f"module 'nmlopt' has no attribute '{name}'"
    raise AttributeError(message)
