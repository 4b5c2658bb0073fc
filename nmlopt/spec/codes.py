"""The codes of the findings about targets.json and what each is about; the reference lists them from here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

CODES: Final[Mapping[str, str]] = MappingProxyType(
    {
        # the text
        "T001": "The text is not JSON",
        "T002": "The file is missing, cannot be read, or is too large",
        "T003": "A key stands twice in one object",
        "T004": "The text is nested too deeply",
        "T005": "A number is not finite",
        # the form
        "T006": "A key is missing",
        "T007": "A key is not known",
        "T008": "A value has the wrong type",
        "T009": "A value is not allowed",
        "T010": "The type of a stimulus or target is not known",
        "T011": "Something is planned, but not supported yet",
        "T012": "The file is no targets file of a known version",
        "T013": "A required extension is not known",
        # the parts among themselves
        "T014": "An id stands twice",
        "T015": "A protocol is not known",
        "T016": "A recording is not known",
        "T017": "A target is not known",
        "T018": "A target is in more than one objective",
        "T019": "An objective holds a target of a validation protocol",
        "T020": "A parameter needs bounds or an expression, not both",
        "T021": "A quantity cannot be read",
        "T022": "A unit is not known",
        "T023": "A quantity has the wrong dimension",
        "T024": "A window ends before it starts",
        "T025": "A window or spike time lies outside its protocol",
        "T026": "A feature has neither a window nor a stimulus to take it from",
        "T027": "The current of a clamp is recorded where there is none, or more than one",
        "T028": "A stimulus lies outside its protocol",
        "T029": "A site is not said, or said twice",
        "T030": "A duration, period, resistance or sd is not positive",
        "T031": "A mean rests on few observations",
        "T032": "An sd is very small",
        "T033": "A weight has no effect",
        "T034": "An expression cannot be read",
        "T035": "An expression names something that is no parameter, or itself",
        "T036": "A key has no effect here",
        "T037": "There is nothing to fit",
        "T038": "Spike times are not in ascending order",
        "T039": "A protocol has several clamps",
        # against the document
        "T040": "A component does not exist or cannot be simulated",
        "T041": "A path leads to no number",
        "T042": "A path leads to a number that cannot be fitted",
        "T043": "A path leads to a number that the cell does not use",
        "T044": "The unit of a bound does not fit the number of the document",
        "T045": "A lower bound is not below the upper one",
        "T046": "A logarithmic scale needs positive bounds",
        "T047": "The document's value lies outside its bounds",
        "T048": "Two parameters set the same number",
        "T049": "One parameter sets numbers that differ now",
        "T050": "An expression does not give the document's value, or no value",
        "T051": "A feature is not known",
        "T052": "A site is not on the cell",
        "T053": "A variable cannot be recorded there",
        "T054": "The dimension of a current does not fit the cell",
        "T055": "A data file is missing or cannot be used",
        "T056": "A stimulus does not fit the kind of cell",
        "T057": "An input of the document is not there, or cannot be used so",
        "T058": "The unit of a target is not that of its feature",
        "T059": "A temperature is at or below absolute zero",
    }
)
