"""How the backend of a fit takes part in the verification of its solutions."""

from nmlopt.api.verifying_run import _fixed
from nmlopt.backend import Accuracy, Integrator, Numerics, Settings


def test_variable_steps_become_fixed_ones():
    plain = Settings(dt_ms=0.05, numerics=Numerics.CNEXP, integrator=Integrator.FIXED)
    own = Settings(0.05, Numerics.JNEUROML, Integrator.ADAPTIVE, atol=1e-6, threads=2, accuracy=Accuracy.FAST)
    assert _fixed(own, plain) == Settings(0.05, Numerics.JNEUROML, Integrator.FIXED, threads=2)
