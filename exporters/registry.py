"""Names of backends and where they live; a simulator is imported only when its backend is asked for."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

from nmlopt.backend import Backend
from nmlopt.errors import BackendError, Issue, UsageError

_BACKENDS = {
    "neuron": "nmlopt.exporters.neuron.backend:NeuronBackend",
    "arbor": "nmlopt.exporters.arbor.backend:ArborBackend",
    "native": "nmlopt.exporters.native.backend:NativeBackend",
    "lems": "nmlopt.exporters.lems.backend:LemsBackend",
}
_ASIDE = {"pylems": "nmlopt.exporters.lems.pylems:PyLemsBackend"}
"""Loaded by name, and not listed: other interpreters for what a listed backend writes."""


def names() -> tuple[str, ...]:
    """The backends that exist, installed or not."""
    return tuple(_BACKENDS)


def load(name: str) -> Backend:
    """The backend of that name. Raises UsageError B000 for an unknown name."""
    found = {**_BACKENDS, **_ASIDE}
    if name not in found:
        near = get_close_matches(name, _BACKENDS, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"there are: {', '.join(_BACKENDS)}"
        raise UsageError(Issue("B000", f"there is no backend '{name}'", hint=hint))
    module, _, attribute = found[name].partition(":")
    backend: Backend = getattr(import_module(module), attribute)()
    return backend


def installed_version(package: str, command: str) -> str:
    """The version of a simulator's package, without importing it. Raises BackendError B001 with the command."""
    try:
        return version(package)
    except PackageNotFoundError:
        issue = Issue("B001", f"the simulator '{package}' is not installed", hint=f"install it: {command}")
        raise BackendError(issue) from None
