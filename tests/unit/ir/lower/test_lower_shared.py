"""Every published cell at hand is lowered, or refused with reasons; one is run to its known spikes."""

from __future__ import annotations

from pathlib import Path

import pytest

from nmlopt.document.read import read
from nmlopt.ir.choose import is_cell
from nmlopt.ir.lower import lower
from nmlopt.ir.passes import expressions
from nmlopt.lems.evaluate import evaluate
from nmlopt.lems.resolve import components
from nmlopt.lems.trees import names, slots


def test_all_cells_of_the_shared_models(shared_data: Path) -> None:
    files = sorted(shared_data.rglob("LEMS_*.xml"))
    assert len(files) >= 37
    lowered = 0
    for file in files:
        document = read(file)
        for element in document.components():
            if element.tag == "ComponentType" or not is_cell(components(document), element):
                continue
            cell = lower(document, component=element.attributes["id"])
            lowered += 1
            for mechanism in cell.mechanisms:
                check(mechanism)
    assert lowered >= 42


def check(mechanism) -> None:
    """Every name is known where it is read, and no slot is left outside of parameters."""
    dynamics = mechanism.dynamics
    known = {*dynamics.inputs, *(p.name for p in mechanism.parameters), *(s.name for s in dynamics.states)}
    for assigned in dynamics.assigned:
        assert names(assigned.value) <= known, (mechanism.name, assigned.name, names(assigned.value) - known)
        known.add(assigned.name)
    read_names = frozenset().union(*(names(e) for e in expressions(dynamics)))
    assert read_names <= known
    assert not any(slots(e) for e in expressions(dynamics))
    assert set(dynamics.inputs) <= read_names
    assert {p.name for p in mechanism.parameters} <= read_names
    assert all(name in known for _, name in dynamics.exposures)
    assert all(name.isidentifier() for name in known)
    if mechanism.current:
        assert mechanism.current in {a.name for a in dynamics.assigned}


def test_hodgkin_huxley_fires_when_its_exact_solution_does(shared_data: Path, interpreter) -> None:
    """Runge-Kutta on the lowered equations; jNeuroML's export and cnexp both converge to a last spike at 198.316 ms."""
    cell = lower(read(shared_data / "osb/NeuroML2/LEMSexamples/LEMS_NML2_Ex5_DetCell.xml"))
    system = interpreter(cell)
    area = cell.geometry.compartments[0].area_m2
    capacitance = evaluate(cell.capacitance[0].value) * area

    def slopes(t: float, y: dict[str, float]) -> dict[str, float]:
        current = 0.08e-9 if 0.1 <= t < 0.2 else 0.0
        found: dict[str, float] = {}
        for placement in cell.placements:
            prefix = f"{placement.id}."
            known = {n.removeprefix(prefix): v for n, v in y.items() if n.startswith(prefix)}
            values = system.variables(placement, {"v": y["v"], **known})
            current += values["iDensity"] * area
            found |= {prefix + n: d for n, d in system.derivatives(placement, values).items()}
        return {**found, "v": current / capacitance}

    y = {"v": -0.065}
    for placement in cell.placements:
        y |= {f"{placement.id}.{n}": v for n, v in system.initial(placement, {"v": -0.065}).items()}
    spikes, dt = [], 5e-5
    for step in range(int(0.1985 / dt)):
        new = runge_kutta(slopes, step * dt, y, dt)
        if y["v"] <= 0 < new["v"]:
            spikes.append((step + -y["v"] / (new["v"] - y["v"])) * dt * 1e3)
        y = new
    assert len(spikes) == 7
    assert spikes[-1] == pytest.approx(198.316, abs=0.02)


def runge_kutta(slopes, t: float, y: dict[str, float], dt: float) -> dict[str, float]:
    def moved(k: dict[str, float], h: float) -> dict[str, float]:
        return {n: v + h * k[n] for n, v in y.items()}

    a = slopes(t, y)
    b = slopes(t + dt / 2, moved(a, dt / 2))
    c = slopes(t + dt / 2, moved(b, dt / 2))
    d = slopes(t + dt, moved(c, dt))
    return {n: v + dt / 6 * (a[n] + 2 * b[n] + 2 * c[n] + d[n]) for n, v in y.items()}
