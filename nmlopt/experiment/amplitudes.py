"""Amplitudes of which each candidate has its own: slots of experiments, for rheobase and current-voltage curves.

An experiment says with `free_amplitudes` which of its stimuli take their amplitude from `values` in a call of
`simulate`: columns after those of the program's slots, in the order of `amplitude_slots`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nmlopt.experiment.model import Experiment, Pulse, Sine


def amplitude_slots(experiments: Sequence[Experiment]) -> tuple[tuple[int, int], ...]:
    """(index of the experiment, index of the stimulus in it) of each amplitude that is a slot, in their order."""
    return tuple((k, i) for k, experiment in enumerate(experiments) for i in experiment.free_amplitudes)


def with_amplitudes(experiments: Sequence[Experiment], amplitudes: Sequence[float]) -> tuple[Experiment, ...]:
    """The experiments with these numbers (in the order of `amplitude_slots`) in place of their slots."""
    slots = amplitude_slots(experiments)
    stimuli = [list(experiment.stimuli) for experiment in experiments]
    for (k, i), amplitude in zip(slots, amplitudes, strict=True):
        stimulus = stimuli[k][i]
        assert isinstance(stimulus, Pulse | Sine), stimulus
        stimuli[k][i] = replace(stimulus, amplitude=float(amplitude))
    return tuple(
        replace(experiment, stimuli=tuple(own), free_amplitudes=())
        for experiment, own in zip(experiments, stimuli, strict=True)
    )


def at_amplitudes(experiment: Experiment, stimulus: int, count: int) -> tuple[Experiment, ...]:
    """The experiment `count` times, each with an amplitude slot for one of its stimuli; ids end with '/0', '/1', ..."""
    free = (*experiment.free_amplitudes, stimulus)
    return tuple(replace(experiment, id=f"{experiment.id}/{k}", free_amplitudes=free) for k in range(count))
