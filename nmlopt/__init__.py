"""nmlopt: fit neuron models that are held as NeuroML documents, and get NeuroML documents back."""

from __future__ import annotations

from importlib.metadata import version

__version__ = version("nmlopt")
