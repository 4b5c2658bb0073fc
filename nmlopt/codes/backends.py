"""B: what a simulator lacks, on this machine or by its nature, for a cell, an experiment or a setting. V: verify."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from nmlopt.codes.model import Meaning, error, warning

_OTHER = "Choose another backend: nmlopt backends MODEL shows which ones can."
_FIXED = "Use --integrator fixed."

BACKENDS: Final[Mapping[str, Meaning]] = MappingProxyType(
    {
        "B000": error("There is no backend of that name", "nmlopt backends lists them."),
        "B001": error("A simulator is not installed", "The hint holds the command that brings it."),
        "B002": error("A compiler or a program of the build is missing", "The hint holds the command that brings it."),
        "B003": error("Generated code does not compile", "Keep the folder named and report it, with the document."),
        "B004": error("The cache of compiled mechanisms cannot be written", "Free space, or set NMLOPT_CACHE."),
        "B005": error("Compiled mechanisms are gone while they are needed", "Start again: the cache was emptied."),
        "B006": error("The prebuilt kernel has no room for the cell", "Install a C compiler: the hint says how."),
        "B010": error("A point cell is asked to run with variable steps", _FIXED),
        "B011": error("Numerics jneuroml are asked to run with variable steps", _FIXED),
        "B012": error("Tables are asked for in numerics jneuroml", "Leave one of them out."),
        "B013": error("Conditions of a channel or input are tested at fixed steps only", _FIXED),
        "B020": error("A number cannot be written into generated code", "Mend the number: it is not finite."),
        "B021": error("A function has no counterpart in generated code", _OTHER),
        "B030": error("A function in a mechanism has no counterpart in NMODL", "Write it with others."),
        "B031": error("A mechanism other than a point cell has regimes", "Write them as conditions."),
        "B032": error("A section has more than one axial resistivity", "Split the section where it changes."),
        "B033": error("A point cell is voltage-clamped", "Use a <cell> of one segment."),
        "B034": error("A variable to record does not exist", "The names are those of the document."),
        "B035": error("A variable to record does not exist at that place", "Record it where its mechanism is."),
        "B036": error("A current goes to a cell whose equations have none", "Leave the stimulus out."),
        "B037": error("An input was not compiled with its cell", "Name it when the cell is lowered."),
        "B038": error("A point cell, pool or input has a kinetic scheme", "Use a <cell> of one segment."),
        "B039": error("Events go to an input that takes none", "Leave them out, or use a synapse."),
        "B040": error("A backend does not have those numerics", "Leave --numerics out, or choose as the hint says."),
        "B041": error("A backend does not have that integrator", "Leave --integrator out, or as the hint says."),
        "B042": error("A backend has no tables of rates", "Leave --tables out."),
        "B043": error("Arbor is given a point cell", _OTHER),
        "B044": error("A function in a mechanism has no counterpart in Arbor's NMODL", _OTHER),
        "B045": error("A mechanism for Arbor has regimes", _OTHER),
        "B053": error("Two attached inputs have one id", "Give each its own."),
        "B054": error("An input does not fit the cell: a current in ampere or one without unit", "Use the other kind."),
        "B080": error("pyNeuroML is not installed", "python -m pip install pyneuroml brings it."),
        "B081": error("The installed pyNeuroML holds no jNeuroML", "Install it anew."),
        "B082": error("The installed libNeuroML holds no schema", "Install it anew."),
        "B083": error("The installed Arbor has no support for GPUs", "Leave --gpu out, or build Arbor with it."),
        "B090": error("Worker processes cannot start", "In Python, nmlopt.fit(..., workers=0) shows why."),
        "B091": error("jNeuroML needs Java, which is not there", "The hint holds the command that brings it."),
        "B092": error("A cell for LEMS comes without its document", "Lower it from a document."),
        "B093": error("A variable to record has no path in LEMS", "Record another, or use another backend."),
        "B094": error("jNeuroML's export to NEURON does not write the variable to record", _OTHER),
        "B095": error("An exported LEMS file cannot name a place", "Record at the middle of a segment."),
        "B096": error("jNeuroML's NEURON export needs NEURON, which is not there", "The hint brings it."),
        "B097": error("pyLEMS is given a cell of several compartments", _OTHER),
        "B098": error("An input makes random spikes of its own in LEMS", _OTHER),
        "B100": error("A backend does not run on a GPU here", "Leave --gpu out."),
        "B101": error("A backend uses one thread per process", "Leave --threads out; --workers sets the processes."),
        "B110": error("The native kernel ran out of memory", "Simulate fewer candidates at once."),
        "B111": error(
            "A point cell or pool for the native kernel has a kinetic scheme", "Use a <cell> of one segment."
        ),
        "B112": error("A function in a mechanism has no counterpart in the native kernel", _OTHER),
        "B113": error("A mechanism for the native kernel has regimes and is no point cell", _OTHER),
        "B114": error("A point cell for the native kernel is voltage-clamped", "Use a <cell> of one segment."),
        "B115": error(
            "A variable to record in the native kernel does not exist", "The names are those of the document."
        ),
        "B116": error(
            "A variable for the native kernel does not exist at that place", "Record it where its mechanism is."
        ),
        "B117": error("A backend has no adaptive steps", "Leave --accuracy out, or choose another backend."),
        "B118": error("A current for the native kernel goes to a cell whose equations have none", "Leave it out."),
        "B119": error("The native kernel cannot be exported", "Export to another simulator."),
        "B130": error(
            "A kernel was compiled for another processor", "Start again on this machine: it compiles its own."
        ),
        "B131": warning("With the document's own values a run ends early", "Mend the document, or try a smaller --dt."),
        "B132": warning(
            "There is no C compiler, and a prebuilt kernel runs, which is slower", "The hint says what brings one."
        ),
        "B140": warning(
            "An objective of a solution differs by over 0.25 sd between the search and a tighter setting or NEURON",
            "Search with --accuracy tight (other backends than native: a smaller --dt), or trust the tighter score.",
        ),
        "B141": warning(
            "A feature is found in the search and missing at a tighter setting or on NEURON, or the reverse",
            "Look at its trace: the solution lies at an edge. Search with --accuracy tight.",
        ),
        "B142": warning(
            "Solutions could not be scored again", "The message says why; mend that, and nmlopt resume does it."
        ),
        "B143": warning(
            "Scores of the search differ much from those at a tighter setting, or features flip among the best",
            "Search with --accuracy tight (other backends than native: a smaller --dt).",
        ),
        "B144": warning(
            "A fit found nothing: every objective of its best candidate is at the cap",
            "Look at the traces in report.html, the bounds and the stimuli.",
        ),
        "B145": warning(
            "A solution that ran in the search ends early at a tighter setting or on NEURON",
            "The message says how it ended; narrow the bounds, or search with --accuracy tight.",
        ),
        "B146": error(
            "A protocol would take more steps than can be computed or stored",
            "Mind the units of its duration and of --dt; shorten it, or give a larger --dt.",
        ),
        "B147": error("A protocol is shorter than one step", "Lengthen it, or give a smaller --dt."),
        "V001": error("There are fewer than two backends to compare", "Name two, such as --backends neuron,arbor."),
    }
)
