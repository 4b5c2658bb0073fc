"""Spike sources interpreted from their equations, against what the core types say of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nmlopt.document.read import read
from nmlopt.errors import LemsError
from nmlopt.experiment.spike_sources import spike_times, step_times
from nmlopt.lems.resolve import Components, components

SOURCES = """
  <spikeGenerator id="regular" period="7.5 ms"/>
  <spikeArray id="array"><spike id="0" time="12.3 ms"/><spike id="1" time="2 ms"/><spike id="2" time="2.04 ms"/>
  </spikeArray>
  <spikeGeneratorRandom id="uniform" minISI="10 ms" maxISI="30 ms"/>
  <spikeGeneratorPoisson id="poisson" averageRate="100 Hz"/>
  <spikeGeneratorRefPoisson id="refractory" averageRate="50 Hz" minimumISI="5 ms"/>
  <expOneSynapse id="syn" gbase="1 nS" erev="0 mV" tauDecay="5 ms"/>
  <poissonFiringSynapse id="firing" averageRate="100 Hz" synapse="syn" spikeTarget="./syn"/>
  <transientPoissonFiringSynapse id="transient" averageRate="300 Hz" delay="50 ms" duration="100 ms" synapse="syn"
    spikeTarget="./syn"/>
  <timedSynapticInput id="timed" synapse="syn" spikeTarget="./syn"><spike id="0" time="3 ms"/></timedSynapticInput>
  <SpikeSourcePoisson id="pynn" start="50 ms" duration="400 ms" rate="100 Hz"/>
"""
USER = """
  <ComponentType name="ramp" extends="baseSpikeSource">
    <Parameter name="tau" dimension="time"/>
    <Dynamics>
      <StateVariable name="x" dimension="none"/><StateVariable name="tsince" dimension="time" exposure="tsince"/>
      <TimeDerivative variable="x" value="(2 - x) / tau"/>
      <OnCondition test="x .gt. 1"><StateAssignment variable="x" value="0"/><EventOut port="spike"/></OnCondition>
    </Dynamics>
  </ComponentType>
  <ramp id="own" tau="10 ms"/>
  <ComponentType name="divider" extends="baseSpikeSource">
    <Parameter name="period" dimension="time"/>
    <Dynamics>
      <StateVariable name="next" dimension="time"/><StateVariable name="count" dimension="none"/>
      <OnStart><StateAssignment variable="next" value="period"/></OnStart>
      <OnCondition test="t .geq. next">
        <StateAssignment variable="next" value="next + period"/><StateAssignment variable="count" value="count + 1"/>
      </OnCondition>
      <OnCondition test="count .eq. 3">
        <StateAssignment variable="count" value="0"/><EventOut port="spike"/>
      </OnCondition>
    </Dynamics>
  </ComponentType>
  <divider id="third" period="1 ms"/>
"""


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Components:
    path: Path = tmp_path_factory.mktemp("sources") / "model.nml"
    path.write_text(f'<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="n">{SOURCES}{USER}</neuroml>')
    return components(read(path))


@pytest.fixture
def fire(known: Components) -> Callable[..., np.ndarray]:
    return lambda name, duration=1000.0, dt=0.025, seed=0: np.array(spike_times(known, name, duration, dt, seed))


def test_a_generator_fires_every_period(fire) -> None:
    assert fire("regular", 40.0) == pytest.approx([7.5, 15.0, 22.5, 30.0, 37.5], abs=1e-9)


def test_an_array_fires_at_the_first_step_not_before_each_time(fire) -> None:
    found = fire("array", 20.0, 0.1)
    # two spikes within one step are two events at its end; the sum of steps is a little less or more than 2 ms
    assert found == pytest.approx([2.0, 2.1, 12.3], abs=0.1 + 1e-9)
    assert np.all(found >= np.array([2.0, 2.04, 12.3]) - 1e-9)
    assert len(fire("array", 20.0, 5.0)) == 3


def test_steps_are_added_up_as_a_simulator_does() -> None:
    t, wanted = 0.0, [0.0]
    for _ in range(1000):
        t += 0.5 * 0.01
        t += 0.5 * 0.01
        wanted.append(t)
    assert np.array_equal(step_times(10.0, 0.01), wanted)


def test_uniform_intervals(fire) -> None:
    gaps = np.diff(fire("uniform", 60_000.0))
    assert 10.0 - 0.03 <= gaps.min() < 10.5
    assert 29.5 < gaps.max() <= 30.0 + 0.03
    assert gaps.mean() == pytest.approx(20.0, abs=4 * 5.8 / np.sqrt(len(gaps)))


@pytest.mark.parametrize(("name", "mean_ms", "least_ms"), [("poisson", 10.0, 0.0), ("refractory", 20.0, 5.0)])
def test_poisson_intervals(fire, name: str, mean_ms: float, least_ms: float) -> None:
    gaps = np.diff(fire(name, 60_000.0, 0.02))
    scale = mean_ms - least_ms
    assert gaps.mean() == pytest.approx(mean_ms, abs=4 * scale / np.sqrt(len(gaps)))
    assert gaps.std() == pytest.approx(scale, rel=0.06)  # exponential: sd = mean of what exceeds the least
    assert gaps.min() >= least_ms - 0.041


def test_inputs_that_fire_themselves(fire) -> None:
    assert len(fire("firing", 20_000.0)) == pytest.approx(2000, abs=4 * np.sqrt(2000))
    transient = np.concatenate([fire("transient", 400.0, seed=k) for k in range(40)])
    assert transient.min() >= 50.0
    assert transient.max() <= 150.0 + 0.03
    assert len(transient) == pytest.approx(1200, abs=4 * np.sqrt(1200) + 40)
    assert fire("timed", 20.0, 0.7).tolist() == [3.0]  # at the moment itself, whatever the step
    pynn = fire("pynn", 1000.0)
    assert pynn.min() >= 50.0 and pynn.max() <= 450.1


def test_a_seed_gives_one_train(fire) -> None:
    assert np.array_equal(fire("poisson", seed=3), fire("poisson", seed=3))
    assert not np.array_equal(fire("poisson", seed=3), fire("poisson", seed=4))


def test_sources_of_the_users_own(fire) -> None:
    # x = 2 (1 - exp(-t/tau)) reaches 1 after tau ln 2, then starts anew
    assert fire("own", 30.0, 0.001) == pytest.approx(10.0 * np.log(2.0) * np.arange(1, 5), abs=0.01)
    assert fire("third", 10.0, 0.1) == pytest.approx([3.0, 6.0, 9.0], abs=0.1 + 1e-9)


def test_what_makes_no_spikes_is_named(known: Components) -> None:
    for name, text in (("syn", "makes no spikes by itself"), ("gone", "no components are called 'gone'")):
        with pytest.raises(LemsError, match="I072") as caught:
            spike_times(known, name, 10.0, 0.1)
        assert text in str(caught.value)
