"""I: what cannot be made of a document, and what is doubtful in the cell that it makes."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from nmlopt.codes.model import Meaning, error, warning

_SHAPE = "Mend the morphology at the place named."

CELLS: Final[Mapping[str, Meaning]] = MappingProxyType(
    {
        "I001": error("The document holds no cell", "Give the file that defines the cell, or include it."),
        "I002": error("The document holds several cells", "Choose one with --component."),
        "I003": error("The document holds no cell of that id", "The message lists the cells."),
        "I004": error("A cell with morphology has Dynamics of its own", "Use <cell>, or a type of point cell."),
        "I005": error("A cell lacks its morphology or biophysical properties", "Add them, or refer to them by id."),
        "I006": error(
            "An element of the membrane is of no known kind", "Densities, populations and passive properties are."
        ),
        "I007": error("A ComponentType is written in the earliest LEMS", "Write <Dynamics> in place of <Behavior>."),
        "I008": error("The temperature of a network is at or below absolute zero", "Mind the unit: degC, or K."),
        "I011": error(
            "All cases of a ConditionalDerivedVariable that the cell needs may be false",
            "Add a <Case> without a condition.",
        ),
        "I012": error("Attachments are read where there are none", "Only cells can read what is attached to them."),
        "I013": error("An element of Dynamics is not supported here", "The message names it and its place."),
        "I014": error("A transition leads to a regime that does not exist", "Mend its name."),
        "I020": error("Part of the cell has no specific capacitance", "Add a <specificCapacitance> for all of it."),
        "I021": error("Part of the cell has no axial resistivity", "Add a <resistivity> for all of it."),
        "I030": error("Something lies on an unknown segmentGroup", "Mend the name, or add the group."),
        "I031": error("Something lies on an unknown segment", "Mend the id, or add the segment."),
        "I040": error("Two species of one ion overlap", "Give each its own segmentGroup."),
        "I041": error(
            "A concentration model has not the states that are needed", "It holds concentration and extConcentration."
        ),
        "I042": error("A species has no concentrationModel", "Name one."),
        "I060": error(
            "A non-uniform density lacks a part", "It needs one <variableParameter> with one <inhomogeneousValue>."
        ),
        "I061": error("An inhomogeneousParameter is missing or given twice", "Define it once in the segmentGroup."),
        "I062": error(
            "A non-uniform value reads a name other than its variable", "Its only variable is that of the parameter."
        ),
        "I070": error("There is no input or synapse of that id", "Name a component that is a current."),
        "I071": error("An input has no equations for its current", "Its type must define i, or I."),
        "I072": error("A component makes no spikes by itself", "Name a spike source, or an input that has one inside."),
        **{
            code: error(title, _SHAPE)
            for code, title in {
                "I101": "A number of the morphology cannot be read",
                "I102": "Two segments have one id",
                "I103": "The morphology or a segment has no points",
                "I104": "The parent of a segment is missing",
                "I105": "The morphology has several roots",
                "I106": "A segment descends from itself",
                "I107": "The root segment has no proximal point",
                "I108": "fractionAlong is not within 0 to 1",
                "I109": "A diameter is negative, or a section has no length",
                "I110": "Two segment groups have one id",
                "I111": "A group names a segment or group that is missing",
                "I112": "Segment groups include each other in a circle",
                "I113": "A path or subTree does not say where it ends",
            }.items()
        },
        "I114": warning(
            "Two sections share segments", "The segments stay in the first; let section groups be disjoint."
        ),
        "I115": warning("A section branches", "It is split; let a section group be one unbranched chain."),
        "I116": warning("Segments are in no section", "Each becomes a section of one compartment; put them in groups."),
        "I117": warning(
            "A segment does not start where its parent ends", "The gap is closed; move the points together."
        ),
        "I118": error("numberInternalDivisions is no whole number above 0", "Write 1 or more."),
        "I119": warning(
            "numberInternalDivisions stands at a group that is no section", "Mark the group with its neuroLexId."
        ),
        "I120": warning("A group holds no centre of a compartment", "Give its section more internal divisions."),
        "I121": warning(
            "The group 'all' does not hold all segments", "The whole cell is taken; complete or rename the group."
        ),
        "I122": error("Part of a section has no membrane", "Diameters must be above 0."),
        "I130": error("A place names a segment that does not exist", "Mend the segment id."),
        "I131": error("A place along a segment is not within 0 to 1", "Write a fraction."),
        "I132": error("A place lies beyond the end of the cell", "The message tells how far the way goes."),
        "I140": error("A metric is not supported", "Only 'Path Length from root' is."),
        "I141": error("A translationStart is not supported", "Only 0 is."),
        "I142": error("A normalizationEnd is not supported", "Only 1 is."),
        "I200": error("A rate is a finite number at no voltage", "Mend its numbers; a scale of 0 is the usual cause."),
        "I201": warning(
            "A rate is 0/0 at one exact voltage",
            "State the limit there in a <Case>, or use HHExpLinearRate, which has it. A cell that starts or is clamped "
            "at that voltage gives not-a-number.",
        ),
        "I202": warning(
            "A rate is not a finite number at some voltages from -150 to 100 mV",
            "An exponential overflows, or a divisor is 0; write it so that it does not.",
        ),
        "I203": warning(
            "A time constant is 0 or negative at some voltages from -150 to 100 mV (an error if at all)",
            "The gate would run away there; mend the time course or the rates.",
        ),
        "I204": warning("A steady state lies outside 0 to 1", "A gate is open to a share of 0 to 1; mend its rates."),
        "I205": warning("A rate is negative", "Mend the sign of rate or scale."),
        "I206": warning(
            "The fractions of a gate do not sum to 1", "Let the fractionalConductance of its sub-gates sum to 1."
        ),
        "I207": error(
            "A kinetic scheme falls apart", "Join all its states by transitions; else its start is not defined."
        ),
        "I208": warning(
            "A kinetic scheme has no open state", "Its channel would never open; make one state an openState."
        ),
        "I209": error("A gate has no instances", "They are the power of the gate in the equations: 1 or more."),
        "I210": warning(
            "Two densities of one channel lie on the same segments",
            "In NeuroML their conductances add up; jNeuroML's NEURON export keeps the last one only. Make one of them.",
        ),
        "I211": warning("A channel is used by no cell", "Use it or remove it."),
        "I212": warning("A concentration model is used by no cell", "Use it in a <species>, or remove it."),
        "I213": warning(
            "The ion of a density is not the species of its channel",
            "The ion of the density decides here which pool is fed; NEURON exports take the species of the channel.",
        ),
        "I214": warning(
            "A current reads a concentration where no species of that ion lies",
            "It is taken as 0 there. Add a <species>, or put the density on a smaller group.",
        ),
        "I215": warning(
            "Currents depend on temperature and the model states none",
            "6.3 degC is taken. State it in a networkWithTemperature, or per protocol in the targets.",
        ),
        "I216": warning("Segments are in no segmentGroup", "Properties that lie on groups do not reach them."),
        "I217": warning("Segments have no length", "Move the distal point, or join the segment with its neighbour."),
        "I218": warning("An included file brings nothing that is used", "Drop the include."),
        "I219": warning("Part of the cell has no initMembPotential", "-65 mV is taken there; state it."),
        "I220": warning("A cell has no spikeThresh", "It never emits a spike event; state it."),
        "I221": warning("Something lies on a group without segments", "It has no effect; fill or drop the group."),
        "I222": warning(
            "A density has a reversal potential and no ion",
            'State the ion, or ion="non_specific"; it decides which concentration the current feeds.',
        ),
    }
)
