"""How numbers lie in the store: vectors as float64 little-endian bytes, mappings as strict JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence

import numpy as np

from nmlopt.results.model import Floats


def to_blob(values: Sequence[float] | Floats) -> bytes:
    """The doubles as bytes, whatever the byte order of this machine."""
    return np.asarray(values, dtype="<f8").tobytes()


def from_blob(blob: bytes) -> tuple[float, ...]:
    """The inverse of `to_blob`."""
    return tuple(np.frombuffer(blob, dtype="<f8").tolist())


def matrix(blobs: Sequence[bytes], columns: int) -> Floats:
    """Blobs of `columns` doubles each as one array (len(blobs), columns)."""
    flat = np.frombuffer(b"".join(blobs), dtype="<f8")
    return flat.reshape(len(blobs), columns).astype(np.float64, copy=False)


def scores_to_json(scores: Mapping[str, float]) -> str:
    """One number per id."""
    return json.dumps({key: _plain(value) for key, value in scores.items()}, allow_nan=False)


def scores_from_json(text: str) -> dict[str, float]:
    """The inverse of `scores_to_json`, bit for bit."""
    return {key: float(value) for key, value in json.loads(text).items()}


def features_to_json(features: Mapping[str, Sequence[float]]) -> str:
    """The numbers per id."""
    return json.dumps({key: [_plain(v) for v in values] for key, values in features.items()}, allow_nan=False)


def features_from_json(text: str) -> dict[str, tuple[float, ...]]:
    """The inverse of `features_to_json`, bit for bit."""
    return {key: tuple(float(v) for v in values) for key, values in json.loads(text).items()}


def _plain(value: float) -> float | str:
    """JSON has no word for non-finite numbers; as text, `float` reads them back."""
    number = float(value)
    return number if math.isfinite(number) else str(number)
