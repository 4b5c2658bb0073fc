"""Small documents, one for each construct of LEMS: a user type that needs it, in a cell."""

from __future__ import annotations

from collections.abc import Iterator

from nmlopt.lems.parse import FUNCTIONS

HEAD = '<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="n">'
POINT = (
    '<ComponentType name="my" extends="baseCellMembPot"><Constant name="MV" dimension="voltage" value="1 mV"/>'
    '<Constant name="MS" dimension="time" value="1 ms"/><Constant name="PA" dimension="current" value="1 pA"/>'
    '<Constant name="NF" dimension="capacitance" value="1 nF"/>{declared}<Dynamics>{before}'
    '<StateVariable name="v" exposure="v" dimension="voltage"/>{dynamics}</Dynamics></ComponentType>{types}'
    '<my id="c"{attributes}>{children}</my>'
)
MOVES = '<TimeDerivative variable="v" value="{value}"/>'
LEAK = MOVES.format(value="(-60*MV - v)/(10*MS)")
PART = (
    '<ComponentType name="part"><Parameter name="size" dimension="none"/><Text name="kind"/>'
    '<Exposure name="x" dimension="none"/>{more}<Dynamics>{dynamics}</Dynamics></ComponentType>'
)
PLAIN_PART = PART.format(more="", dynamics='<DerivedVariable name="x" exposure="x" dimension="none" value="2*size"/>')
SUM = MOVES.format(value="(sum*MV - v)/(10*MS)")
TWO_PARTS = '<part id="p" size="1" kind="a"/><part id="q" size="2" kind="b"/>'
CHANNEL = (
    '{types}<ionChannel id="x" conductance="10 pS">{gate}</ionChannel><cell id="c"><morphology id="m"><segment id="0">'
    '<proximal x="0" y="0" z="0" diameter="10"/><distal x="0" y="0" z="0" diameter="10"/></segment></morphology>'
    '<biophysicalProperties id="b"><membraneProperties><channelDensity id="d" ionChannel="x" '
    'condDensity="1 mS_per_cm2" erev="0 mV"/><spikeThresh value="0 mV"/><specificCapacitance value="1 uF_per_cm2"/>'
    '<initMembPotential value="-65 mV"/></membraneProperties><intracellularProperties>{species}'
    '<resistivity value="100 ohm_cm"/></intracellularProperties></biophysicalProperties></cell>'
)
GATE = (
    '<ComponentType name="myGate" extends="gate"><Constant name="MS" dimension="time" value="1 ms"/>'
    '<Constant name="MV" dimension="voltage" value="1 mV"/><Requirement name="v" dimension="voltage"/>{declared}'
    "<Dynamics>"
    '<StateVariable name="q" exposure="q" dimension="none"/>'
    '<DerivedVariable name="fcond" exposure="fcond" dimension="none" value="q^instances"/>{dynamics}</Dynamics>'
    "</ComponentType>"
)
SPECIES = (
    '<species id="ca" ion="ca" concentrationModel="pool" initialConcentration="1e-4 mM" '
    'initialExtConcentration="2 mM"/>'
)
POOL = (
    '<ComponentType name="myPool" extends="concentrationModel"><Constant name="MS" dimension="time" value="1 ms"/>'
    '<Constant name="MM" dimension="concentration" value="1 mM"/><Dynamics>'
    '<StateVariable name="concentration" exposure="concentration" dimension="concentration"/>'
    '<StateVariable name="extConcentration" exposure="extConcentration" dimension="concentration"/>{dynamics}<OnStart>'
    '<StateAssignment variable="concentration" value="initialConcentration"/>'
    '<StateAssignment variable="extConcentration" value="initialExtConcentration"/></OnStart></Dynamics>'
    '</ComponentType><myPool id="pool" ion="ca"/>'
)
REGIMES = (
    '<Regime name="{a}" initial="true"><TimeDerivative variable="{x}" value="{up}"/>'
    '<OnCondition test="{x} .gt. {high}">'
    '<Transition regime="{b}"/></OnCondition></Regime><Regime name="{b}"><OnEntry><StateAssignment variable="{x}" '
    'value="{low}"/></OnEntry><OnCondition test="{x} .lt. {high}"><Transition regime="{a}"/></OnCondition></Regime>'
)
KS_GATE = (
    '<gateKS id="g" instances="1"><closedState id="a"/><openState id="b"/>'
    '<vHalfTransition id="t" from="a" to="b" vHalf="0 mV" z="2" gamma="0.5" tau="3 ms" tauMin="0.1 ms"/></gateKS>'
)


def point(
    dynamics: str, *, declared: str = "", before: str = "", types: str = "", children: str = "", attributes: str = ""
) -> str:
    """A point cell of a user type."""
    body = POINT.format(
        declared=declared, before=before, dynamics=dynamics, types=types, children=children, attributes=attributes
    )
    return f"{HEAD}{body}</neuroml>\n"


def gate(dynamics: str, *, declared: str = "", types: str = "", children: str = "") -> str:
    """A cell with a gate of a user type."""
    text = GATE.format(declared=declared, dynamics=dynamics) + types
    made = f'<gate id="g" type="myGate" instances="1">{children}</gate>'
    return f"{HEAD}{CHANNEL.format(types=text, gate=made, species='')}</neuroml>\n"


def pool(dynamics: str) -> str:
    """A cell with a concentration model of a user type."""
    made = '<gateHHInstantaneous id="g" instances="1"><steadyState type="HHSigmoidVariable" rate="1" midpoint="0 mV" ' \
        'scale="9 mV"/></gateHHInstantaneous>'  # fmt: skip
    text = CHANNEL.format(types=POOL.format(dynamics=dynamics), gate=made, species=SPECIES)
    return f"{HEAD}{text}</neuroml>\n".replace("channelDensity id", 'channelDensityNernst ion="ca" id').replace(
        ' erev="0 mV"', ""
    )


def selecting(select: str, more: str = "") -> str:
    """A point cell that reads its parts by a select."""
    declared = '<Children name="parts" type="part"/>'
    read = f'<DerivedVariable name="sum" dimension="none" select="{select}" {more}/>'
    return point(read + SUM, declared=declared, types=PLAIN_PART, children=TWO_PARTS)


def functions() -> Iterator[tuple[str, str]]:
    """Every function of LEMS expressions."""
    for name in sorted(FUNCTIONS):
        yield f"`{name}()`", point(MOVES.format(value=f"(-60*MV*{name}(2 + v/(1000*MV)) - v)/(10*MS)"))


def constructs() -> Iterator[tuple[str, str, str]]:
    """(group, construct, document)."""
    for name, text in {**_declarations(), **_relations()}.items():
        yield "Declarations", name, text
    for name, text in {**_dynamics(), **_modes(), **_inside()}.items():
        yield "Dynamics", name, text
    for name, text in functions():
        yield "Functions", name, text


def _declarations() -> dict[str, str]:
    parameter = '<Parameter name="rest" dimension="voltage"/>'
    rest = MOVES.format(value="(rest - v)/(10*MS)")
    return {
        "`Parameter`": point(rest, declared=parameter, attributes=' rest="-60 mV"'),
        "`Property`": point(rest, declared='<Property name="rest" dimension="voltage" defaultValue="-60 mV"/>'),
        "`DerivedParameter`": point(
            MOVES.format(value="(low - v)/(10*MS)"),
            declared=f'{parameter}<DerivedParameter name="low" dimension="voltage" value="rest - 5*MV"/>',
            attributes=' rest="-60 mV"',
        ),
        "`Constant`": point(LEAK),
        "`Fixed`": point(
            LEAK,
            types='<ComponentType name="low" extends="my"><Fixed parameter="rest" value="-70 mV"/></ComponentType>',
            declared=parameter,
            attributes=' rest="-60 mV"',
        ),
        "`Dimension`, `Unit`": point(rest, declared=parameter, attributes=' rest="-600 dmV"').replace(
            "<ComponentType",
            '<Dimension name="speed" l="1" t="-1"/><Unit symbol="dmV" dimension="voltage" power="-4"/><ComponentType',
            1,
        ),
        "`Text`": point(LEAK, declared='<Text name="note"/>', attributes=' note="free text"'),
        "`EventPort`": point(LEAK, declared='<EventPort name="other" direction="out"/>'),
        "`Component`": point(LEAK)
        .replace('<my id="c">', '<Component id="c" type="my">')
        .replace("</my>", "</Component>"),
        "a derived type without Dynamics": point(LEAK, types='<ComponentType name="again" extends="my"/>')
        .replace('<my id="c">', '<again id="c">')
        .replace("</my>", "</again>"),
    }


def _relations() -> dict[str, str]:
    needs = PART.format(
        more='<Requirement name="v" dimension="voltage"/><Constant name="V" dimension="voltage" value="1 mV"/>',
        dynamics='<DerivedVariable name="x" exposure="x" dimension="none" value="size*v/V"/>',
    )
    children = '<Children name="parts" type="part"/>'
    total = '<DerivedVariable name="sum" dimension="none" select="{}"/>'
    linked = PART.format(
        more='<Link name="to" type="part"/>',
        dynamics='<DerivedVariable name="other" select="to/size" dimension="none"/>'
        '<DerivedVariable name="x" exposure="x" dimension="none" value="other"/>',
    )
    syn = '<Attachments name="synapses" type="basePointCurrent"/>'
    added = '<DerivedVariable name="iSyn" dimension="current" select="synapses[*]/i" reduce="add"/>'
    return {
        "`Child`": point(
            total.format("only/x") + SUM, declared='<Child name="only" type="part"/>', types=PLAIN_PART,
            children='<only type="part" size="3"/>',
        ),
        "`Children`": selecting("parts[*]/x", 'reduce="add"'),
        "`ComponentReference`": point(
            total.format("other/x") + SUM, declared='<ComponentReference name="other" type="part"/>',
            types=PLAIN_PART + '<part id="p" size="3"/>', attributes=' other="p"',
        ),
        "`Link`": point(
            '<DerivedVariable name="sum" dimension="none" select="parts[*]/x" reduce="add"/>' + SUM,
            declared=children, types=linked, children='<part id="p" size="1" to="q"/><part id="q" size="2" to="p"/>',
        ),
        "`Attachments`": point(added + MOVES.format(value="iSyn/NF"), declared=syn),
        "`Attachments`, another variable than a current": point(
            added.replace("synapses[*]/i", "synapses[*]/g") + MOVES.format(value="iSyn/NF"), declared=syn
        ),
        "`Requirement`": point(
            '<DerivedVariable name="sum" dimension="none" select="parts[*]/x" reduce="add"/>' + SUM,
            declared=children, types=needs, children='<part id="p" size="1"/>',
        ),
        "`ComponentRequirement`, `InstanceRequirement`": point(
            MOVES.format(value="(peer - v)/MS"), declared='<InstanceRequirement name="peer" type="baseCellMembPot"/>'
        ),
    }  # fmt: skip


def _dynamics() -> dict[str, str]:
    case = '<ConditionalDerivedVariable name="sum" dimension="none"><Case condition="v .gt. 0*MV" value="1"/>{}' \
        "</ConditionalDerivedVariable>"  # fmt: skip
    return {
        "`StateVariable`, `TimeDerivative`": point(LEAK),
        "`DerivedVariable` with `value`": point('<DerivedVariable name="sum" dimension="none" value="-60"/>' + SUM),
        "`select`, `reduce=\"add\"`": selecting("parts[*]/x", 'reduce="add"'),
        "`select`, `reduce=\"multiply\"`": selecting("parts[*]/x", 'reduce="multiply"'),
        "`select` with a filter": selecting("parts[kind='b']/x"),
        "`select` with an index": selecting("parts[0]/x"),
        "`select`, `required=\"false\"`": selecting("parts[kind='c']/x", 'required="false"'),
        "`select` that finds nothing": selecting("parts[kind='c']/x"),
        "`ConditionalDerivedVariable`": point(case.format('<Case value="2"/>') + SUM),
        "`ConditionalDerivedVariable`, complete without a default": point(
            case.format('<Case condition="v .leq. 0*MV" value="2"/>') + SUM
        ),
        "`ConditionalDerivedVariable` with a gap": point(case.format("") + SUM),
        "`OnStart`": point('<OnStart><StateAssignment variable="v" value="-70*MV"/></OnStart>' + LEAK),
        "`OnCondition`, `StateAssignment`, `EventOut`": point(
            '<OnCondition test="v .gt. -62*MV"><StateAssignment variable="v" value="-70*MV"/><EventOut port="spike"/>'
            "</OnCondition>" + LEAK
        ),
        "`OnCondition` with `.and.`, `.or.`": point(
            '<StateVariable name="on" dimension="none"/><OnCondition test="v .gt. -62*MV .and. on .lt. 0.5 .or. v .gt. '
            '-10*MV"><StateAssignment variable="on" value="1"/></OnCondition>' + LEAK
        ),
        "`OnEvent` (nothing sends events to a cell)": point(
            '<OnEvent port="in"><StateAssignment variable="v" value="v + MV"/></OnEvent>' + LEAK,
            declared='<EventPort name="in" direction="in"/>',
        ),
        "a variable defined by itself": point(
            '<DerivedVariable name="sum" dimension="none" value="2*other"/>'
            '<DerivedVariable name="other" dimension="none" value="sum"/>' + SUM
        ),
        "`StateScalarField`, `DerivedScalarField`": point('<StateScalarField name="f"/>' + LEAK),
        "an unknown element in `Dynamics`": point('<TimeDerivatve variable="v" value="1"/>' + LEAK),
    }  # fmt: skip


def _modes() -> dict[str, str]:
    cell = REGIMES.format(a="up", b="down", x="v", up="(-40*MV - v)/(10*MS)", high="-62*MV", low="-70*MV")
    part = PART.format(
        more='<Constant name="MS" dimension="time" value="1 ms"/>',
        dynamics='<StateVariable name="x" exposure="x" dimension="none"/>'
        + REGIMES.format(a="up", b="down", x="x", up="1/MS", high="2", low="0"),
    )
    total = '<DerivedVariable name="sum" dimension="none" select="parts[*]/x" reduce="add"/>'
    in_gate = REGIMES.format(a="up", b="down", x="q", up="0.1/MS", high="0.9", low="0.1")
    return {
        "`Regime` of a cell": point(cell),
        "`Regime` of a cell's child": point(
            total + SUM, declared='<Children name="parts" type="part"/>', types=part, children='<part id="p" size="1"/>'
        ),
        "`Regime` of a gate": gate(in_gate),
    }


def _inside() -> dict[str, str]:
    flips = (
        '<OnCondition test="q .gt. 0.9"><StateAssignment variable="q" value="0.1"/></OnCondition>'
        '<TimeDerivative variable="q" value="(1 - q)/(5*MS)"/>'
    )
    two = (
        '<StateVariable name="r" dimension="none"/><TimeDerivative variable="r" value="(q - r)/(3*MS)"/>'
        '<TimeDerivative variable="q" value="(0.5 - q - r*q)/(5*MS)"/>'
    )
    pump = '<TimeDerivative variable="concentration" value="-concentration*MM/(concentration + MM)/(50*MS)"/>'
    outside = '<TimeDerivative variable="extConcentration" value="(MM - extConcentration)/(20*MS)"/>'
    return {
        "`OnCondition` in a gate": gate(flips),
        "coupled, nonlinear states in a gate": gate(two),
        "a nonlinear pool": pool(pump),
        "a pool that changes the concentration outside": pool(outside),
        "`KineticScheme`": ks(),
        "`KineticScheme` in a point cell": ks_in_a_point_cell(),
    }


def ks() -> str:
    """A cell with a kinetic scheme (that of the core types)."""
    text = CHANNEL.format(types="", gate=KS_GATE, species="")
    return f"{HEAD}{text}</neuroml>\n".replace("<ionChannel ", "<ionChannelKS ").replace(
        "</ionChannel>", "</ionChannelKS>"
    )


def ks_in_a_point_cell() -> str:
    """A point cell of the core types with a population of channels that have a kinetic scheme."""
    channels = '<channelPopulation id="p" ionChannel="x" number="100" erev="0 mV" ion="na"/>'
    return (
        f'{HEAD}<ionChannelKS id="x" conductance="10 pS">{KS_GATE}</ionChannelKS>'
        f'<pointCellCondBased id="c" C="10 pF" v0="-65 mV" thresh="20 mV">{channels}</pointCellCondBased></neuroml>\n'
    )
