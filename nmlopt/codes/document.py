"""D: files, their schema, identity and references. U: units. P: paths."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from nmlopt.codes.model import Meaning, error, warning

DOCUMENT: Final[Mapping[str, Meaning]] = MappingProxyType(
    {
        "D001": error(
            "A file is missing or cannot be read",
            "Check the path and your rights. Paths are relative to where you are.",
        ),
        "D002": error(
            "A file is not well-formed XML", "Mend it at the line and column; an XML editor shows the place."
        ),
        "D003": error(
            "A file declares a document type or entities",
            "Delete the <!DOCTYPE ...>. Entities can grow without end or read other files, so none is read.",
        ),
        "D004": error("Elements are nested too deeply", "No model needs more than 200 levels; the file is damaged."),
        "D005": error(
            "A file is too large, or there are too many files", "Split the model, or leave out what is not it."
        ),
        "D006": error(
            "A file is neither NeuroML nor LEMS", "NeuroML files start with <neuroml>, LEMS files with <Lems>."
        ),
        "D007": error(
            "An include is an absolute path or a network address",
            "Copy the file beside the model and include it by a relative path.",
        ),
        "D008": error(
            "An include, a search path or the model lies outside the root",
            "Give the folder that holds all files of the model with --root.",
        ),
        "D009": error(
            "An included file does not exist", "Mend the name, or say where to look for it with --search-path."
        ),
        "D010": error("An include names no file", 'Write <include href="file.nml"/>.'),
        "D011": error("One file is included under two names", "Include it by one name everywhere (no links)."),
        "D012": error("A file cannot be written, or exists already", "Choose another name, or remove the old file."),
        "D020": error(
            "The file departs from the NeuroML schema",
            "Mend what the message names: an unknown or misplaced element or attribute, one that is missing, a number "
            "without its unit.",
        ),
        "D021": warning(
            "The file departs from the NeuroML schema in a way that does not matter here",
            "It is read all the same. Other tools may refuse it; the hint says why it was let through.",
        ),
        "D022": error(
            "The file is not in the NeuroML 2 namespace",
            'Write xmlns="http://www.neuroml.org/schema/neuroml2"; convert NeuroML 1 first.',
        ),
        "D030": error("A number is not finite", "Write a finite number: NaN, infinity and 1e400 are none."),
        "D031": error(
            "A number has an unknown unit",
            "Units are spelt as in NeuroML (mV, ms, S_per_cm2), or defined by a <Unit> of the model.",
        ),
        "D032": error(
            "Two components have one id", "Give each its own id, or include the file that defines it only once."
        ),
        "D033": error("Two parts of a cell have one id", "Give each segment, group, density its own id."),
        "D034": error(
            "A reference names no component of the model", "Mend the name, or include the file that defines it."
        ),
        "D040": error("The parent of a segment is missing, or is below it", "Mend the <parent> of the segment."),
        "D041": error("A morphology has no root segment, or several", "All segments but one have a <parent>."),
        "D042": error(
            "A segment lacks an end point", "Each segment has a <distal>, the root segment a <proximal> as well."
        ),
        "D043": error(
            "A segmentGroup names a segment or group that is missing", "Mend the name, or add what is missing."
        ),
        "D044": error("A segmentGroup includes itself", "Remove one include of the circle."),
        "D045": error(
            "A property lies on a segmentGroup or segment that is missing", "Mend the name, or add the group."
        ),
    }
)

UNITS: Final[Mapping[str, Meaning]] = MappingProxyType(
    {
        "U001": error("A text is not a quantity", "Write a finite number and a unit, such as '-65 mV'."),
        "U002": error(
            "A unit is unknown", "Units are spelt as in NeuroML (mV, ms, S_per_cm2), or defined by the model."
        ),
        "U003": error("A quantity has the wrong dimension", "Give it a unit of the dimension that is wanted there."),
        "U004": error("A number that is not finite was to be written", "Only finite numbers can stand in a document."),
        "U005": error(
            "A <Unit> or <Dimension> of the model cannot be read", "Mend its dimension and its whole numbers."
        ),
    }
)

PATHS: Final[Mapping[str, Meaning]] = MappingProxyType(
    {
        "P001": error("A path matches nothing", "nmlopt paths MODEL lists every number of a document."),
        "P002": error("A path matches several numbers", "Add steps or an id, or write * where all of them are meant."),
        "P003": error("A path is not written as paths are", "Such as cell:hh/channelDensity:na/condDensity."),
        "P004": error(
            "A path leads to something that is not a number",
            "Name an attribute that holds a number; {k} takes the k-th number of an expression.",
        ),
        "P005": error("Two edits give one number different values", "Set each number once."),
        "P006": error("A parameter string of pynml-tune cannot be read", "Write it as a path; see nmlopt paths MODEL."),
        "P020": error(
            "A parameter is structural",
            "It shapes the equations or the geometry and cannot be fitted; nmlopt paths MODEL shows what can.",
        ),
        "P021": error(
            "A parameter does not enter the equations of the cell", "Choose another; nmlopt paths MODEL shows which."
        ),
        "P022": error("A parameter is given twice", "Name each number once."),
    }
)
