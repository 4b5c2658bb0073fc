"""L: expressions, ComponentTypes and components of LEMS."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from nmlopt.codes.model import Meaning, error, warning

DEFINITIONS: Final[Mapping[str, Meaning]] = MappingProxyType(
    {
        "L001": error(
            "An expression cannot be read",
            "Mend it at the character named. LEMS writes .gt. .lt. .geq. .leq. .eq. .neq. .and. .or. .not. and ^.",
        ),
        "L002": error("An expression calls an unknown function", "The message lists the functions of LEMS."),
        "L003": error("Definitions or an expression are nested too deeply", "Simplify them."),
        "L004": error(
            "A number that must be known beforehand cannot be computed", "It calls random(): use a constant."
        ),
        "L010": error("A type is unknown", "Mend the name, or include the file that defines the ComponentType."),
        "L011": error("A ComponentType extends itself", "Break the circle of 'extends'."),
        "L012": error("A ComponentType is defined twice", "Keep one, or rename one."),
        "L013": error(
            "A name in an expression is not known",
            "Define it in the type, require it from outside with <Requirement>, or mend its spelling.",
        ),
        "L014": error("A select cannot be followed", "Mend its steps: children and references that the types declare."),
        "L015": error("A variable is defined by itself", "Break the circle of definitions."),
        "L020": error(
            "A reference leads nowhere, or to something of another kind", "Mend the name, or include the file."
        ),
        "L021": error(
            "A path leads to no cell of the network",
            "Paths are written population[0] or ../population/0/component; cells are counted from 0.",
        ),
        "L023": warning(
            "An inputList names a population that the network has not",
            "The paths of its inputs count, so it runs here; other tools may look for that population. Mend the name.",
        ),
        "L024": error(
            "An event connection leads to no component", "Give the path to the part that gets the events, './id'."
        ),
        "L025": error("The events of a component go in a circle", "Break the circle of its event connections."),
        "L030": error("An attribute that is needed is missing", "Give it a value."),
        "L031": error(
            "A number has the wrong dimension", "Give it a unit of the dimension that its parameter declares."
        ),
        "L032": error("A constant part of the equations is not a finite number", "Look for a division by 0 in it."),
        "L033": error("A definition expands to too many terms", "Simplify it."),
        "L040": warning(
            "A ComponentType reads a name from outside without requiring it",
            'Declare it: <Requirement name="..." dimension="..."/>. Other simulators do not find it otherwise.',
        ),
        "L041": warning(
            "Dimensions do not fit in an expression",
            "Divide by a Constant that holds the unit (such as 1 mV), or mend the declared dimension. The equation is "
            "computed in SI all the same: a bare number then stands for volts, seconds, moles per cubic metre.",
        ),
        "L042": warning(
            "A parameter of a ComponentType enters none of its equations",
            "Use it or remove it; whoever changes or fits it sees no effect.",
        ),
        "L043": warning(
            "All cases of a ConditionalDerivedVariable may be false",
            "Add a <Case> without a condition. What the value is otherwise differs between simulators.",
        ),
        "L044": error(
            "Dynamics name a state variable, port or regime that is not there", "Declare it, or mend its spelling."
        ),
        "L045": warning(
            "Dynamics give an exposure no value", 'Write exposure="..." at the variable that holds it, or remove it.'
        ),
        "L046": warning("Nothing changes a state variable", "Give it a TimeDerivative, or make it a Constant."),
        "L047": error("A dimension is unknown", "Define it with <Dimension>, or mend its spelling."),
        "L048": warning(
            "A component has an attribute that its type does not know",
            "Mend its spelling or remove it; it has no effect.",
        ),
        "L049": warning(
            "A component has a child that its type does not know", "Mend its spelling or remove it; it has no effect."
        ),
        "L050": warning(
            "A component gives a parameter of its type no value", "Give it one; equations that read it cannot be made."
        ),
        "L051": warning(
            "A time, capacitance, conductance density, permeability or resistance is negative",
            "Mend the sign of the number.",
        ),
    }
)
