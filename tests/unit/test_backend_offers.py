"""Settings against what backends offer: what is refused, by code; what is filled in; what enters a digest."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nmlopt.backend import Integrator, Numerics, Settings, refused_settings
from nmlopt.exporters.arbor.backend import ArborBackend
from nmlopt.exporters.neuron.backend import NeuronBackend
from nmlopt.exporters.registry import load, names

EVERYTHING = Settings(numerics=Numerics.JNEUROML, integrator=Integrator.CVODE, tables=True, gpu=True, threads=2)


@pytest.mark.parametrize("name", names())
def test_what_is_left_open_is_the_backends_first(name):
    backend = load(name)
    settings = Settings().on(backend.offer)
    assert (settings.numerics, settings.integrator) == (backend.offer.numerics[0], backend.offer.integrators[0])
    assert refused_settings(backend, settings) == refused_settings(backend, Settings()) == ()


@pytest.mark.parametrize("name", names())
def test_what_is_given_stays(name):
    settings = EVERYTHING.on(load(name).offer)
    assert settings == EVERYTHING


def test_refusals_name_setting_and_simulator():
    found = {i.code: i for i in refused_settings(NeuronBackend(), EVERYTHING)}
    assert list(found) == ["B100", "B101"]
    assert "NEURON" in found["B100"].message
    assert "--workers" in found["B101"].hint
    numerics = refused_settings(ArborBackend(), Settings(numerics=Numerics.JNEUROML))[0]
    assert (numerics.code, "cnexp" in numerics.hint, "Arbor" in numerics.message) == ("B040", True, True)


def test_gpu_and_threads_are_not_in_the_key_but_all_else_is():
    settings = Settings().on(NeuronBackend().offer)
    assert replace(settings, gpu=True, threads=8).key == settings.key
    others = {"dt_ms": 1.0, "numerics": Numerics.JNEUROML, "integrator": Integrator.CVODE, "tables": True, "atol": 1.0}
    assert len({settings.key, *(replace(settings, **{n: v}).key for n, v in others.items())}) == 6
