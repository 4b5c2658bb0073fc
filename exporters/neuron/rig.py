"""Electrodes and recorders of a set of experiments on a live cell: made once, set anew for each run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

import numpy as np

from nmlopt.backend import Floats, Integrator, Settings, Trace
from nmlopt.codegen.crossings import with_crossings
from nmlopt.codegen.derived import Derived
from nmlopt.experiment.model import Experiment, Output
from nmlopt.experiment.voltage_clamps import Clamp, clamp_current, clamp_of, clamps
from nmlopt.exporters.neuron.attached import Attachments
from nmlopt.exporters.neuron.derived import derived
from nmlopt.exporters.neuron.live import LiveCell
from nmlopt.exporters.neuron.stimuli import Current, currents, drive_samples

_NEVER_MS = 1e9
_SAME_MS = 1e-9


@final
class Rig:
    """Stimuli and recordings for `experiments`; `select` sets one of them, `traces` reads it after its run."""

    def __init__(self, h: Any, live: LiveCell, experiments: Sequence[Experiment], settings: Settings) -> None:
        self.experiments = tuple(experiments)
        self._h = h
        self._live = live
        self.settings = settings
        self._driven = live.drive_pointer()
        variable = settings.integrator is Integrator.CVODE
        self._time = h.Vector().record(h._ref_t) if variable else None
        self._currents = [() if self._driven is not None else currents(e) for e in experiments]
        self._clamps = [clamps(e) for e in experiments]
        self._waves = [[self._wave(c) for c in group] for group in self._currents]
        self._drives = [self._drive(e) for e in experiments]
        self._levels = [[self._level(c) for c in group] for group in self._clamps]
        steady = [[c.compartment for c in group if not c.is_sine] for group in self._currents]
        waving = [[c.compartment for c in group if c.is_sine] for group in self._currents]
        self._iclamps = self._electrodes(h.IClamp, steady)
        self._sines = self._electrodes(getattr(h, live.plan.sine), waving) if any(waving) else {}
        self._seclamps = self._electrodes(h.SEClamp, [[c.compartment for c in group] for group in self._clamps])
        self.attached = Attachments(h, live, experiments, apart=variable)
        self._voltage = "vm" if live.holds_own_voltage else "v"
        self._derived = self._derive()
        self._recorders = self._record()
        self._playing: list[Any] = []

    def select(self, index: int) -> None:
        """Set the stimuli of one experiment; all others are silent."""
        for vector in self._playing:
            vector.play_remove()
        self._playing.clear()
        self._set_currents(index)
        self._set_clamps(index)
        self.attached.select(index)
        if self._driven is not None:
            values = self._drives[index]
            values.play(self._driven, self.settings.dt_ms)
            self._playing.append(values)

    def traces(self, index: int) -> dict[tuple[str, str], Trace]:
        """What was recorded in the run of an experiment, by (experiment id, output id)."""
        experiment = self.experiments[index]
        times = self._times(experiment)
        found = {}
        for output in experiment.outputs:
            if self.attached.owns(index, output.variable):
                values = self.attached.values(index, output.variable, experiment.temperature_K)
                found[experiment.id, output.id] = Trace(times, np.resize(values, len(times)))
            else:
                found[experiment.id, output.id] = self._trace(experiment, output, times)
        return self._distinct(found, times)

    def _times(self, experiment: Experiment) -> Floats:
        if self._time is not None:
            return self._read(self._time)
        count = int(next((v.size() for v in self._recorders.values()), 0))
        times: Floats = np.arange(count, dtype=np.float64) * self.settings.dt_ms
        return times

    def _distinct(self, traces: dict[tuple[str, str], Trace], times: Floats) -> dict[tuple[str, str], Trace]:
        """CVODE records twice where a stimulus jumps: keep the later sample."""
        if self._time is None:
            return traces
        keep = np.append(np.diff(times) > _SAME_MS, True)
        return {key: Trace(trace.t_ms[keep], trace.y[keep]) for key, trace in traces.items()}

    def _read(self, vector: Any) -> Floats:
        values: Floats = np.empty(int(vector.size()))
        vector.to_python(values)  # Vector.as_numpy leaks some bytes per call
        return values

    def _trace(self, experiment: Experiment, output: Output, times: Floats) -> Trace:
        site = output.site.compartment
        if output.variable == "i_clamp":
            clamp = clamp_of(experiment, output)
            v = self._read(self._recorders[clamp.compartment, "v"])
            return Trace(times, clamp_current(clamp, times, v))
        if output.variable != "v":
            quantity = self._derived[site, output.variable]
            recorded = {n: self._read(self._recorders[site, s.variable]) for n, s in quantity.sources.items()}
            values = quantity.compute(recorded, self._live.slots, experiment.temperature_K)
            return Trace(times, np.resize(values, len(times)))
        values = self._read(self._recorders[site, self._voltage])
        return self._with_spikes(times, 1000.0 * values) if self._live.holds_own_voltage else Trace(times, values)

    def _with_spikes(self, times: Floats, v_mV: Floats) -> Trace:
        """A point cell resets within a step."""
        return with_crossings(
            times, v_mV, self._read(self._recorders[0, "spike_t"]), self._read(self._recorders[0, "spike_v"])
        )

    # ------------------------------------------------------------------------------------------ electrodes

    def _electrodes(self, make: Any, groups: Sequence[Sequence[int]]) -> dict[int, list[Any]]:
        """As many electrodes per compartment as the most demanding experiment needs."""
        made: dict[int, list[Any]] = {}
        for group in groups:
            for site in dict.fromkeys(group):
                pool = made.setdefault(site, [])
                while len(pool) < list(group).count(site):
                    pool.append(make(self._live.segments[site]))
        return made

    def _set_currents(self, index: int) -> None:
        steady = {site: iter(pool) for site, pool in self._iclamps.items()}
        waving = {site: iter(pool) for site, pool in self._sines.items()}
        for current, wave in zip(self._currents[index], self._waves[index], strict=True):
            clamp = next((waving if current.is_sine else steady)[current.compartment])
            clamp.delay, clamp.dur, clamp.amp = current.delay_ms, current.duration_ms, current.amplitude
            if current.is_sine:
                clamp.period, clamp.phase = current.period_ms, current.phase_rad
            if wave is not None:
                values, times = wave
                values.play(clamp._ref_amp, times, True)
                self._playing.append(values)
        for idle in (*steady.values(), *waving.values()):
            for clamp in idle:
                clamp.delay, clamp.dur, clamp.amp = _NEVER_MS, 0.0, 0.0

    def _set_clamps(self, index: int) -> None:
        for pool in self._seclamps.values():
            for electrode in pool:
                electrode.dur1 = 0.0
        used: dict[int, int] = {}
        for clamp, (targets, times) in zip(self._clamps[index], self._levels[index], strict=True):
            position = used.get(clamp.compartment, 0)
            used[clamp.compartment] = position + 1
            electrode = self._seclamps[clamp.compartment][position]
            electrode.rs, electrode.dur1, electrode.amp1 = clamp.series_resistance_Mohm, clamp.end_ms, targets[0]
            if len(targets) > 1:
                targets.play(electrode._ref_amp1, times)
                self._playing.append(targets)

    def _wave(self, current: Current) -> tuple[Any, Any] | None:
        if current.times_ms is None or current.amplitudes is None:
            return None
        return self._h.Vector(current.amplitudes), self._h.Vector(current.times_ms)

    def _level(self, clamp: Clamp) -> tuple[Any, Any]:
        return self._h.Vector(clamp.targets_mV), self._h.Vector(clamp.times_ms)

    def _drive(self, experiment: Experiment) -> Any:
        if self._driven is None:
            return None
        samples = drive_samples(experiment.stimuli, experiment.duration_ms, self.settings.dt_ms)
        return self._h.Vector(np.append(samples * self._live.drive_scale, 0.0))

    # ------------------------------------------------------------------------------------------ recorders

    def _record(self) -> dict[tuple[int, str], Any]:
        wanted: dict[tuple[int, str], None] = {}
        for index, experiment in enumerate(self.experiments):
            for output in experiment.outputs:
                site = output.site.compartment
                if self.attached.owns(index, output.variable):
                    continue
                if output.variable == "v":
                    wanted[site, self._voltage] = None
                elif output.variable == "i_clamp":
                    wanted[clamp_of(experiment, output).compartment, "v"] = None
                else:
                    sources = self._derived[site, output.variable].sources.values()
                    wanted |= {(site, source.variable): None for source in sources}
        if self._live.holds_own_voltage:
            wanted |= {(0, "spike_t"): None, (0, "spike_v"): None}
        if not wanted and any(e.outputs for e in self.experiments):  # of inputs only: something must count the steps
            wanted = {(0, "v"): None}
        return {key: self._h.Vector().record(self._live.pointer(*key)) for key in wanted}

    def _derive(self) -> dict[tuple[int, str], Derived]:
        found = {
            (o.site.compartment, o.variable)
            for k, e in enumerate(self.experiments)
            for o in e.outputs
            if "/" in o.variable and not self.attached.owns(k, o.variable)
        }
        return {(site, name): derived(self._live.cell, self._live.plan, name, site) for site, name in found}
