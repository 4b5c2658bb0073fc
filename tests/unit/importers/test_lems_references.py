"""How LEMS files point at instances of populations."""

from __future__ import annotations

import pytest

from nmlopt.importers.references import Reference, reference


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("pop[0]", Reference("pop", 0, False, ())),
        ("pop[12]/v", Reference("pop", 12, False, ("v",))),
        ("pop/3/cell", Reference("pop", 3, True, ("cell",))),
        ("../pop/3/cell", Reference("pop", 3, True, ("cell",))),
        ("../../pop[1]", Reference("pop", 1, False, ())),
        ("./pop[ 1 ]/a/ b", Reference("pop", 1, False, ("a", "b"))),
        ("pop/0/cell/2/v", Reference("pop", 0, True, ("cell", "2", "v"))),
        ("pop[0]/synapses:syn:0/g", Reference("pop", 0, False, ("synapses:syn:0", "g"))),
    ],
)
def test_what_a_path_points_at(text, wanted):
    assert reference(text) == wanted


@pytest.mark.parametrize("text", ["", "pop", "pop/cell/v", "pop[x]", "pop[-1]", "[0]", "/0/v"])
def test_what_is_no_instance(text):
    assert reference(text) is None
