"""Variables of users' types that are called as the generated text calls its own: the same numbers as under any name."""

from __future__ import annotations

from pathlib import Path

import pytest

from nmlopt.backend import Integrator, Settings
from nmlopt.document.read import read
from nmlopt.importers.lems_simulation import read_simulation
from tests.conformance.nmlopt_runs import recorded_columns

CLASHES = (
    "old_q", "q_loss", "q_gain", "q_rate", "q_1", "old_V", "V_loss", "V_rate", "vm_gain", "before1", "after1", "holds1",
    "begin", "left", "hit", "theta", "fresh", "step", "q_growth", "spike_t", "regime", "sum_i",
)  # fmt: skip
TEXT = """<Lems>
<Target component="sim"/>
<Include file="Cells.xml"/><Include file="Networks.xml"/><Include file="Simulation.xml"/>
<ComponentType name="clashingCell" extends="baseCellMembPotDL">
 <Parameter name="par" dimension="none"/>
 <Constant name="MSEC" dimension="time" value="1ms"/>
 <Dynamics>
{derived}
  <StateVariable name="V" dimension="none" exposure="V"/>
  <StateVariable name="q" dimension="none"/>
  <TimeDerivative variable="V" value="(2 * ({sum}) / {count} - V + q) / (5 * MSEC)"/>
  <TimeDerivative variable="q" value="(({product}) - q * (1 + {first} * V)) / (3 * MSEC)"/>
  <OnStart><StateAssignment variable="V" value="0"/><StateAssignment variable="q" value="0.1"/></OnStart>
  <OnCondition test="V .gt. 1.5"><StateAssignment variable="V" value="0.2 * {last}"/></OnCondition>
 </Dynamics>
</ComponentType>
<clashingCell id="c" par="0.7"/>
<network id="net"><population id="pop" component="c" size="1"/></network>
<Simulation id="sim" length="20ms" step="0.01ms" target="net">
 <OutputFile id="o" fileName="o.dat"><OutputColumn id="V" quantity="pop[0]/V"/></OutputFile>
</Simulation>
</Lems>"""


def run(names: tuple[str, ...], folder: Path, backend: str) -> bytes:
    derived = "\n".join(
        f'  <DerivedVariable name="{name}" dimension="none" value="par + 0.0{k + 1} * V * q"/>'
        for k, name in enumerate(names)
    )
    path = folder / f"LEMS_{names[0]}.xml"
    path.write_text(
        TEXT.format(
            derived=derived, sum=" + ".join(names), count=len(names), product=" * ".join(names[:2]),
            first=names[0], last=names[-1],
        ),
        encoding="utf-8",
    )  # fmt: skip
    simulation = read_simulation(read(path))
    settings = Settings(simulation.step_ms, integrator=Integrator.FIXED)
    return recorded_columns(simulation, backend, settings)["V"].values.tobytes()


@pytest.mark.parametrize("backend", [pytest.param("neuron", marks=pytest.mark.neuron), "native"])
def test_no_name_is_taken(backend: str, tmp_path: Path) -> None:
    plain = tuple(f"quantity{'abcdefghijklmnopqrstuvwxyz'[k]}" for k in range(len(CLASHES)))
    assert run(CLASHES, tmp_path, backend) == run(plain, tmp_path, backend)
