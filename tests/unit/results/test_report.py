from __future__ import annotations

import base64
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from lxml import etree

from nmlopt.backend import Recordings, RunStatus, Trace
from nmlopt.evaluate.model import Evaluation
from nmlopt.experiment.currents import current
from nmlopt.experiment.model import Experiment, Output, Played, Pulse, Ramp, Sine, VoltageClamp
from nmlopt.experiment.parameters import FreeParameter, Parameters
from nmlopt.ir.model import Site
from nmlopt.results import plots
from nmlopt.results.model import Context, ParameterInfo, RunInfo
from nmlopt.results.report import render, write_report
from nmlopt.results.report_input import ReportInput, gather
from nmlopt.results.report_view import bar
from nmlopt.results.run_toml import Record
from nmlopt.results.store import RunStore
from nmlopt.results.wording import duration, number
from nmlopt.results.writeback import Solution, Written
from nmlopt.spec.models import Targets
from nmlopt.units import core_units

SITE = Site(0, 0.5, 0)
PARAMETERS = (
    ("gna", "mS_per_cm2", 10.0, 300.0, "log10", 120.0, "cell:hh/channelDensity:na/condDensity"),
    ("gk", "mS_per_cm2", 1.0, 100.0, "log10", 36.0, "cell:hh/channelDensity:k/condDensity"),
    ("e_leak", "mV", -80.0, -40.0, "linear", -54.3, "cell:hh/channelDensity:leak/erev"),
    ("m_midpoint", "mV", -60.0, -20.0, "linear", -40.0, "ionChannelHH:na/gateHHrates:m/forwardRate/midpoint"),
)
TRUE = np.array([118.0, 35.0, -79.9, -39.0])
TARGETS = (
    ("step_low", "freq_low", "mean_frequency", 41.0, 3.0, "Hz"),
    ("step_low", "height_low", "AP_height", 34.0, 2.0, "mV"),
    ("step_low", "width_low", "AP_duration_half_width", 1.4, 0.1, "ms"),
    ("step_high", "freq_high", "mean_frequency", 68.0, 4.0, "Hz"),
    ("step_high", "latency_high", "time_to_first_spike", 3.1, 0.3, "ms"),
    ("held_out", "rest", "voltage_base", -65.0, 1.0, "mV"),
)


def make_targets() -> Targets:
    protocols = [
        {
            "id": name,
            "role": "validate" if name == "held_out" else "fit",
            "duration": "300 ms",
            "recordings": [{"id": "soma"}],
        }
        for name in ("step_low", "step_high", "held_out")
    ]
    features = [
        {
            "type": "feature",
            "id": name,
            "protocol": protocol,
            "recording": "soma",
            "feature": feature,
            "mean": mean,
            "sd": sd,
            "unit": unit,
        }
        for protocol, name, feature, mean, sd, unit in TARGETS
    ]
    spikes = {
        "type": "spike_times",
        "id": "spikes_low",
        "protocol": "step_low",
        "recording": "soma",
        "times": ["60 ms", "0.09 s"],
    }
    return Targets.model_validate(
        {
            "format": "nmlopt-targets",
            "format_version": "1.0",
            "id": "hh_targets",
            "description": "Steps & rest of <b>one</b> cell",
            "parameters": [
                {"id": p[0], "paths": [p[6]], "lower": "1 mV", "upper": "2 mV", "description": "a number"}
                for p in PARAMETERS
            ],
            "protocols": protocols,
            "targets": [*features, spikes],
        }
    )


def make_evaluation(x: np.ndarray, random: np.random.Generator, targets: Targets) -> Evaluation:
    lower, upper = np.array([p[2] for p in PARAMETERS]), np.array([p[3] for p in PARAMETERS])
    if random.random() < 0.04:
        scores = {t.id: 250.0 for t in targets.targets}
        status = random.choice([RunStatus.DIVERGED, RunStatus.TIMED_OUT])
        return Evaluation(tuple(x), RunStatus(status), {}, scores, (250.0,) * 6, 0.3, f"at {random.integers(3)} ms")
    error = np.abs((x - TRUE) / (upper - lower)) * 25
    weights = np.abs(np.sin(np.arange(28).reshape(7, 4)))
    values = weights @ error
    scores = {t.id: float(v) for t, v in zip(targets.targets, values, strict=True)}
    features = {
        t.id: (t.mean + t.sd * scores[t.id],) * (3 if "height" in t.id else 1) if t.type == "feature" else (61.0,)
        for t in targets.targets
    }
    fitted = [o.targets[0] for o in targets.all_objectives()]
    if scores[fitted[3]] > 3.5:
        del features[fitted[3]]
        scores[fitted[3]] = 250.0
    return Evaluation(tuple(x), RunStatus.OK, features, scores, tuple(scores[f] for f in fitted), 0.012)


def spiking(height: float, interval: float, n: int = 12001) -> Trace:
    t = np.linspace(0.0, 300.0, n)
    y = np.full(n, -65.0) + np.where((t > 50) & (t < 250), 8.0, 0.0)
    for start in np.arange(55.0, 250.0, interval):
        y += height * np.exp(-(((t - start) / 0.7) ** 2)) - 12 * np.exp(-(((t - start - 3) / 2.0) ** 2))
    return Trace(t, y)


def make_report(folder: Path, seeds=(1, 2, 3), generations=30) -> ReportInput:
    """A made-up run with every part of a report in it."""
    targets = make_targets()
    units = core_units()
    free = tuple(FreeParameter(p[0], units.unit(p[1]), p[2], p[3], p[4], p[5]) for p in PARAMETERS)
    info = RunInfo(
        parameters=tuple(ParameterInfo.of(p) for p in free),
        targets=tuple(t.id for t in targets.targets),
        objectives=tuple(o.id for o in targets.all_objectives()),
        seeds=seeds,
        context=Context("neuron", {"dt_ms": 0.025}, {"nmlopt": "0.1.0"}, "abc"),
    )
    present = np.array([p.present for p in free])
    with RunStore.create(folder, info) as store:
        for seed in seeds:
            random = np.random.default_rng(seed)
            for g in range(1, generations + 1):
                spread = np.array([60.0, 20.0, 8.0, 6.0]) * 0.85**g
                x = np.clip(TRUE + random.normal(size=(16, 4)) * spread, [10, 1, -80, -60], [300, 100, -40, -20])
                batch = [make_evaluation(row, random, targets) for row in x]
                store.commit_generation(seed, g, batch, {}, 1.7, cpu_s=0.1)
            store.set_stop_reason(seed, "all generations done")
        good = sorted(
            (s for s in store.evaluations() if s.evaluation.status is RunStatus.OK), key=lambda s: s.evaluation.total
        )
        written = [
            Written(
                f"{i + 1:02d}", "cell.nml", folder / f"solutions/{i + 1:02d}/cell.nml", (), Solution(stored, reasons)
            )
            for i, (stored, reasons) in enumerate(
                zip(
                    [good[0], good[3], good[40], good[150], good[300]] if len(good) > 300 else good[:2],
                    [
                        ("sum", "objective freq_low"),
                        ("objective width_low",),
                        ("trade-off",),
                        ("trade-off",),
                        ("trade-off",),
                    ],
                    strict=False,
                )
            )
        ]
        original = make_evaluation(present, np.random.default_rng(2), targets)
        protocols = ("step_low", "step_high", "held_out")
        outputs = (Output("soma", SITE),)
        stimuli = {
            "step_low": (Pulse(SITE, 50, 200, 0.1),),
            "step_high": (Pulse(SITE, 50, 200, 0.2), Sine(SITE, 100, 100, 0.05, 20, 0), Ramp(SITE, 150, 50, 0, 0.1)),
            "held_out": (VoltageClamp(SITE, 0.01, ((50, -65), (200, -20), (50, -65))),),
        }
        experiments = [Experiment(p, 300.0, 279.45, stimuli[p], outputs) for p in protocols]
        best = {(p, "soma"): spiking(95.0, 25.0 - 4 * i) for i, p in enumerate(protocols)}
        old = {(p, "soma"): spiking(80.0, 31.0 - 4 * i) for i, p in enumerate(protocols)}
        return gather(
            store,
            make_record(),
            targets,
            Parameters(free, ()),
            experiments=experiments,
            solutions=written,
            original=original,
            best_traces=Recordings(RunStatus.OK, best),
            original_traces=Recordings(RunStatus.OK, old),
            wanted={("step_high", "soma"): spiking(95.0, 21.3, 601)},
        )


def make_record() -> Record:
    return Record(
        created="2026-01-02T03:04:05+00:00",
        commands=("nmlopt fit model.nml targets.json --out runs/a --seeds 1,2,3", "nmlopt resume runs/a <&>"),
        versions={"nmlopt": "0.1.0", "python": "3.11.7", "neuron": "9.0.2", "deap": "1.4.4", "efel": "5.7.34"},
        seeds=(1, 2, 3),
        algorithm={"name": "ibea", "offspring": 16, "crossover_rate": 0.9, "mutation_rate": None},
        backend="neuron",
        settings={"dt_ms": 0.025, "numerics": "cnexp", "integrator": "fixed", "tables": False, "atol": 0.001},
        model="inputs/model/cell.nml",
        model_digest="3f" * 32,
        targets="inputs/targets/targets.json",
        targets_digest="a7" * 32,
        files={"inputs/model/channels/na.channel.nml": "b1" * 32},
        evaluation={"workers": 2, "timeout_s": 60},
        stopping={"generations": 30, "target_score": None},
    )


class Page(HTMLParser):
    """Collects what a page refers to and whether its tags are balanced."""

    VOID = frozenset({"meta", "img", "br", "link", "input", "hr"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.refers: list[str] = []
        self.tags: list[str] = []
        self.images: list[dict[str, str]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.tags.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)
        self.ids += [found["id"]] if "id" in found else []
        self.refers += [found[name] for name in ("href", "src") if name in found]
        if tag == "img":
            self.images.append(found)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> ReportInput:
    return make_report(tmp_path_factory.mktemp("report") / "run")


@pytest.fixture(scope="module")
def page(data) -> str:
    return render(data)


def test_the_page_stands_alone(page):
    found = Page(page)
    assert found.open == []
    assert "script" not in found.tags
    assert "link" not in found.tags
    outside = [r for r in found.refers if not r.startswith(("data:image/svg+xml;base64,", "#", "solutions/"))]
    assert outside == []
    assert "url(" not in page
    assert "@import" not in page
    assert len(set(found.ids)) == len(found.ids)
    assert {r[1:] for r in found.refers if r.startswith("#")} <= set(found.ids)
    assert all(image["alt"] for image in found.images)


def test_text_of_the_user_is_escaped(data, page):
    assert "Steps &amp; rest of &lt;b&gt;one&lt;/b&gt; cell" in page
    assert "nmlopt resume runs/a &lt;&amp;&gt;" in page


def test_all_that_matters_is_there(data, page):
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", re.sub(r"base64,[^\"]*", "", page)))
    for word in (
        "hh_targets",
        "41 ± 3 Hz",
        "missing",
        "at the lower bound",
        "diverged",
        "timed out",
        "narrow the bounds",
        "nmlopt score",
        "validation",
        "dt ms",
        "9.0.2",
        "3f" * 32,
        "ionChannelHH:na/gateHHrates:m/forwardRate/midpoint",
        "Zitzler",
        "best sum",
        "1 spike",
    ):
        assert word in text, word
    assert text.count("all generations done") == 3


def test_figures_are_well_formed_small_and_always_the_same(data, page):
    images = [image["src"].partition("base64,")[2] for image in Page(page).images]
    assert len(images) == 4
    for image in images:
        svg = base64.b64decode(image)
        assert etree.fromstring(svg).tag == "{http://www.w3.org/2000/svg}svg"
        assert len(svg) < 150_000
    assert render(data) == page


def test_a_run_with_nothing_in_it_can_be_reported(tmp_path, data):
    empty = make_report(tmp_path / "run", generations=0)
    bare = replace(
        empty, solutions=(), original=None, best_traces=None, original_traces=None, experiments=(), wanted={}
    )
    page = render(bare)
    assert Page(page).open == []
    assert "no candidate ran to its end" in page
    assert "Nothing was evaluated yet" in page


def test_one_generation_of_one_seed_without_traces(tmp_path):
    small = make_report(tmp_path / "run", seeds=(4,), generations=1)
    page = render(replace(small, best_traces=None, original_traces=None))
    assert 'id="traces"' not in page
    assert "1 seed" in page


def test_the_file_is_replaced_whole(tmp_path, data):
    (tmp_path / "report.html").write_text("old")
    path = write_report(tmp_path, data)
    assert path.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


# ---------------------------------------------------------------------------------------------------- pieces


def test_bars_end_in_their_band():
    assert (bar(0.0).level, bar(1.0).level, bar(1.01).level, bar(3.0).level, bar(3.1).level) == (
        "1",
        "1",
        "2",
        "3",
        "over",
    )
    assert bar(2.0).percent == "50.00"
    assert (bar(250.0).percent, bar(250.0).is_cut, bar(250.0).text) == ("100.00", True, "250")
    assert bar(float("inf")).is_cut


def test_numbers_for_reading():
    assert [number(v) for v in (0.0, 1234.56, -65.0, 1e-9, None, float("nan"), float("inf"))] == [
        "0",
        "1235",
        "−65",
        "1e-09",
        "–",
        "–",
        "∞",
    ]
    assert [duration(s) for s in (0.5, 61, 7260)] == ["0.5 s", "1 min 1 s", "2 h 1 min"]


def test_thinning_keeps_every_peak_and_the_ends():
    random = np.random.default_rng(0)
    y = random.normal(size=50_000)
    y[31_234] = 99.0
    trace = Trace(np.arange(50_000.0), y)
    t, found = plots.thinned(trace)
    assert len(t) <= 3001
    assert (np.diff(t) > 0).all()
    assert (t[0], t[-1], found.max(), found.min()) == (0.0, 49_999.0, 99.0, y.min())
    short = Trace(np.arange(5.0), np.arange(5.0))
    assert plots.thinned(short)[0] is short.t_ms


@pytest.mark.parametrize(
    ("stimulus", "times", "expected"),
    [
        (Pulse(SITE, 10, 5, 2.0), [9.9, 10, 14.9, 15], [0, 2, 2, 0]),
        (Ramp(SITE, 10, 10, 1.0, 3.0), [9, 10, 15, 20], [0, 1, 2, 0]),
        (Sine(SITE, 10, 20, 2.0, 20, np.pi / 2), [9, 10, 20, 30], [0, 2, -2, 0]),
        (Played(SITE, (1.0, 2.0, 4.0), (1.0, 3.0, 3.0)), [0.9, 1.5, 4, 4.1], [0, 2, 3, 0]),
        (VoltageClamp(SITE, 0.01, ((5, -20),)), [0, 1], [0, 0]),
    ],
)
def test_stimuli_are_drawn_as_they_are_defined(stimulus, times, expected):
    np.testing.assert_allclose(current(stimulus, np.array(times, dtype=float)), expected, atol=1e-12)


def test_history_ignores_failed_candidates(data):
    table = replace(
        data.table,
        seeds=np.array([1, 1, 1, 1, 2]),
        generations=np.array([1, 1, 2, 2, 1]),
        ok=np.array([False, True, True, True, True]),
        objectives=np.array([[0.0, 0.0], [3, 4], [5, 5], [8, 8], [0, 1]]),
    )
    generations, best, median = plots.history(table, 1)
    assert generations.tolist() == [1, 2]
    assert best.tolist() == [7, 7]
    assert median.tolist() == [7, 13]
