"""Small NeuroML documents, one for each component type of the core types: a cell that uses an element of that type.

They are put together from the declarations of the types themselves, so that a type that is new in the core types gets
a document, too. Types that only user types extend get a user type.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from nmlopt.lems.types import ComponentType, core_types

TYPES = core_types().types
FILES = ("Channels.xml", "Cells.xml", "PyNN.xml", "Synapses.xml", "Inputs.xml")

QUANTITIES: Mapping[str, str] = {
    "none": "1", "voltage": "-40 mV", "per_time": "0.2 per_ms", "time": "5 ms", "conductance": "10 nS",
    "conductanceDensity": "0.3 mS_per_cm2", "capacitance": "0.2 nF", "current": "0.1 nA", "concentration": "1e-4 mM",
    "temperature": "20 degC", "permeability": "1e-6 m_per_s", "specificCapacitance": "1 uF_per_cm2",
    "resistivity": "100 ohm_cm", "length": "0.1 um", "rho_factor": "0.02 mol_per_m_per_A_per_s",
    "conductance_per_voltage": "7e-7 S_per_V", "currentDensity": "0.5 uA_per_cm2", "resistance": "1 Mohm",
}  # fmt: skip
"""A number for each dimension."""

NUMBERS: Mapping[tuple[str, str], str] = {
    ("", "scale"): "9 mV", ("", "instances"): "2", ("", "erev"): "50 mV", ("channelPopulation", "erev"): "-55 mV",
    ("", "number"): "3000",
    ("baseIonChannel", "conductance"): "10 pS", ("", "fixedQ10"): "2", ("", "q10Factor"): "3", ("", "z"): "2.1",
    ("", "gamma"): "0.4", ("", "tauMin"): "0.1 ms", ("", "fractionalConductance"): "0.6", ("", "vShift"): "3 mV",
    ("KSState", "relativeConductance"): "0.5", ("", "initialExtConcentration"): "2 mM",
    ("", "phi"): "2e4 mol_per_m_per_A_per_s", ("", "shellThickness"): "0.2 um", ("", "decayConstant"): "20 ms",
    ("spikeThresh", "value"): "0 mV", ("initMembPotential", "value"): "-65 mV",
    # point cells
    ("", "thresh"): "-50 mV", ("", "reset"): "-70 mV", ("", "refract"): "3 ms", ("", "leakReversal"): "-60 mV",
    ("", "v0"): "-65 mV", ("", "EL"): "-70 mV", ("", "VT"): "-50 mV", ("", "delT"): "2 mV", ("", "tauw"): "100 ms",
    ("", "gL"): "10 nS", ("adExIaFCell", "a"): "2 nS", ("adExIaFCell", "b"): "0.05 nA",
    ("adExIaFCell", "thresh"): "-43 mV", ("iafTauCell", "leakReversal"): "-40 mV",
    ("izhikevichCell", "a"): "0.02", ("izhikevichCell", "b"): "0.2",
    ("izhikevichCell", "c"): "-65", ("izhikevichCell", "d"): "6", ("izhikevichCell", "thresh"): "30 mV",
    ("izhikevich2007Cell", "C"): "100 pF", ("izhikevich2007Cell", "vr"): "-60 mV",
    ("izhikevich2007Cell", "k"): "0.7 nS_per_mV",
    ("izhikevich2007Cell", "vt"): "-40 mV", ("izhikevich2007Cell", "vpeak"): "35 mV",
    ("izhikevich2007Cell", "a"): "0.03 per_ms", ("izhikevich2007Cell", "b"): "-2 nS",
    ("izhikevich2007Cell", "c"): "-50 mV", ("izhikevich2007Cell", "d"): "100 pA",
    ("fitzHughNagumoCell", "I"): "0.8", ("fitzHughNagumo1969Cell", "I"): "0.35", ("fitzHughNagumo1969Cell", "a"): "0.7",
    ("fitzHughNagumo1969Cell", "b"): "0.8", ("fitzHughNagumo1969Cell", "phi"): "0.08",
    ("fitzHughNagumo1969Cell", "V0"): "-1.2", ("fitzHughNagumo1969Cell", "W0"): "-0.6",
    ("pinskyRinzelCA3Cell", "iSoma"): "0.75 uA_per_cm2", ("pinskyRinzelCA3Cell", "iDend"): "0.1 uA_per_cm2",
    ("pinskyRinzelCA3Cell", "gLs"): "0.1 mS_per_cm2", ("pinskyRinzelCA3Cell", "gLd"): "0.1 mS_per_cm2",
    ("pinskyRinzelCA3Cell", "gNa"): "30 mS_per_cm2", ("pinskyRinzelCA3Cell", "gKdr"): "15 mS_per_cm2",
    ("pinskyRinzelCA3Cell", "gCa"): "10 mS_per_cm2", ("pinskyRinzelCA3Cell", "gKahp"): "0.8 mS_per_cm2",
    ("pinskyRinzelCA3Cell", "gKC"): "15 mS_per_cm2", ("pinskyRinzelCA3Cell", "gc"): "2.1 mS_per_cm2",
    ("pinskyRinzelCA3Cell", "eNa"): "60 mV", ("pinskyRinzelCA3Cell", "eCa"): "80 mV",
    ("pinskyRinzelCA3Cell", "eK"): "-75 mV", ("pinskyRinzelCA3Cell", "eL"): "-60 mV",
    ("pinskyRinzelCA3Cell", "pp"): "0.5", ("pinskyRinzelCA3Cell", "cm"): "3 uF_per_cm2",
    ("pinskyRinzelCA3Cell", "gNmda"): "0.01 mS_per_cm2", ("pinskyRinzelCA3Cell", "gAmpa"): "0.01 mS_per_cm2",
    ("pinskyRinzelCA3Cell", "qd0"): "0.01",
    ("hindmarshRose1984Cell", "C"): "28.57142857 pF", ("hindmarshRose1984Cell", "a"): "1.1",
    ("hindmarshRose1984Cell", "b"): "3.2", ("hindmarshRose1984Cell", "c"): "1.2", ("hindmarshRose1984Cell", "d"): "5.1",
    ("hindmarshRose1984Cell", "r"): "0.002", ("hindmarshRose1984Cell", "s"): "4.1",
    ("hindmarshRose1984Cell", "x1"): "-1.3", ("hindmarshRose1984Cell", "v_scaling"): "35.71 mV",
    ("hindmarshRose1984Cell", "x0"): "-1.1", ("hindmarshRose1984Cell", "y0"): "-9.1",
    ("hindmarshRose1984Cell", "z0"): "1.1",
    ("basePyNNCell", "cm"): "0.3", ("basePyNNCell", "i_offset"): "0.3", ("basePyNNCell", "v_init"): "-65",
    ("basePyNNCell", "tau_syn_E"): "0.5", ("basePyNNCell", "tau_syn_I"): "0.6", ("", "tau_refrac"): "3",
    ("", "v_thresh"): "-52", ("", "tau_m"): "18", ("", "v_rest"): "-65", ("", "v_reset"): "-64", ("", "e_rev_E"): "0.1",
    ("", "e_rev_I"): "-70.1", ("", "v_spike"): "-46", ("", "delta_T"): "2.1", ("", "tau_w"): "140",
    ("basePyNNIaFCondCell", "a"): "0.004", ("basePyNNIaFCondCell", "b"): "0.08",
    ("HH_cond_exp", "gbar_K"): "6", ("HH_cond_exp", "gbar_Na"): "20", ("HH_cond_exp", "g_leak"): "0.01",
    ("HH_cond_exp", "e_rev_K"): "-90", ("HH_cond_exp", "e_rev_Na"): "50.1", ("HH_cond_exp", "e_rev_leak"): "-65.1",
    ("HH_cond_exp", "v_offset"): "-63",
    # inputs and synapses
    ("", "tauRise"): "0.7 ms", ("", "tauDecay1"): "4 ms", ("", "tauDecay2"): "30 ms", ("", "weight"): "1.5",
    ("", "gbase"): "2 nS", ("", "gbase1"): "1 nS", ("", "gbase2"): "0.5 nS", ("", "delay"): "7 ms",
    ("", "duration"): "20 ms", ("", "targetVoltage"): "-30 mV", ("", "conditioningVoltage"): "-70 mV",
    ("", "testingVoltage"): "-20 mV", ("", "returnVoltage"): "-60 mV", ("", "active"): "1",
    ("", "initReleaseProb"): "0.4", ("", "blockConcentration"): "1.2 mM", ("", "scalingConc"): "1.9 mM",
    ("", "scalingVolt"): "16 mV", ("", "period"): "11 ms", ("", "phase"): "0.3",
    ("rampGeneratorDL", "startAmplitude"): "1", ("rampGeneratorDL", "finishAmplitude"): "9",
    ("rampGeneratorDL", "baselineAmplitude"): "2", ("", "startAmplitude"): "0.01 nA",
    ("", "finishAmplitude"): "0.1 nA", ("", "baselineAmplitude"): "0.01 nA",
    ("", "time"): "9 ms", ("baseHHVariable", "rate"): "0.9", ("", "averageRate"): "100 per_s", ("", "minISI"): "2 ms",
    ("", "maxISI"): "9 ms",
    ("", "minimumISI"): "2 ms", ("", "rate"): "0.2 per_ms",
}  # fmt: skip
"""Numbers that make more sense than those of `QUANTITIES`, by (type or a base of it, attribute)."""

FILL: Mapping[str, tuple[str, ...]] = {
    "baseIonChannel": ("ionChannelHH",), "gate": ("gateHHrates",), "gateKS": ("gateKS",), "subGate": ("subGate",) * 2,
    "baseVoltageDepRate": ("HHExpRate",), "baseHHRate": ("HHExpRate",), "baseVoltageDepTime": ("fixedTimeCourse",),
    "baseVoltageDepVariable": ("HHSigmoidVariable",), "KSState": ("closedState", "openState"),
    "KSTransition": ("vHalfTransition",), "concentrationModel": ("fixedFactorConcentrationModel",),
    "baseChannelPopulation": ("channelPopulation",), "baseSynapse": ("expOneSynapse",),
    "basePointCurrent": ("pulseGenerator",), "basePointCurrentDL": ("pulseGeneratorDL",),
    "baseVoltageDepSynapse": ("expOneSynapse",), "spike": ("spike",),
    "basePlasticityMechanism": ("tsodyksMarkramDepMechanism",), "baseBlockMechanism": ("voltageConcDepBlockMechanism",),
}  # fmt: skip
"""What stands where the declarations of a type want a child or a reference; nothing where there is no entry."""

HOSTS: Mapping[str, str] = {
    "baseVoltageDepRate": "gateHHrates", "baseVoltageDepTime": "gateHHtauInf", "baseVoltageDepVariable": "gateHHtauInf",
    "baseQ10Settings": "gateHHrates", "baseConductanceScaling": "ionChannelHH", "gate": "ionChannelHH",
    "gateKS": "ionChannelKS", "subGate": "gateFractional", "KSState": "gateKS", "KSTransition": "gateKS",
    "baseIonChannel": "channelDensity", "basePlasticityMechanism": "blockingPlasticSynapse",
    "baseBlockMechanism": "blockingPlasticSynapse", "concentrationModel": "species",
}  # fmt: skip
"""Where an element of a type (or base type) stands."""

_UNITS = '<Constant name="MV" dimension="voltage" value="1 mV"/><Constant name="MS" dimension="time" value="1 ms"/>' \
    '<Constant name="MM" dimension="concentration" value="1 mM"/>'  # fmt: skip
_V = "exp((v/MV + 40)/20)"
USER_DYNAMICS: Mapping[str, str] = {
    "baseVoltageDepRate": f'<DerivedVariable name="r" exposure="r" dimension="per_time" value="0.3*{_V}/MS"/>',
    "baseHHRate": '<DerivedVariable name="r" exposure="r" dimension="per_time" value="rate*H((v-midpoint)/scale)"/>',
    "baseHHVariable": '<DerivedVariable name="x" exposure="x" dimension="none" value="rate*H((v-midpoint)/scale)"/>',
    "baseVoltageConcDepRate": f'<DerivedVariable name="r" exposure="r" value="{_V}*caConc/MM/MS"/>',
    "baseVoltageDepVariable": f'<DerivedVariable name="x" exposure="x" dimension="none" value="1/(1 + {_V})"/>',
    "baseVoltageConcDepVariable": '<DerivedVariable name="x" exposure="x" value="1/(1 + 1e-4*MM/caConc)"/>',
    "baseVoltageDepTime": f'<DerivedVariable name="t" exposure="t" dimension="time" value="(2 + {_V})*MS"/>',
    "baseVoltageConcDepTime": '<DerivedVariable name="t" exposure="t" dimension="time" value="MS/(0.1 + caConc/MM)"/>',
    "baseQ10Settings": '<DerivedVariable name="q10" exposure="q10" dimension="none" value="1.7"/>',
    "baseConductanceScaling": '<DerivedVariable name="factor" exposure="factor" dimension="none" value="0.6"/>',
    "baseConductanceScalingCaDependent":
        '<DerivedVariable name="factor" exposure="factor" dimension="none" value="1/(1 + caConc/MM)"/>',
    "baseGate": '<StateVariable name="q" exposure="q" dimension="none"/>'
        '<DerivedVariable name="fcond" exposure="fcond" dimension="none" value="q^instances"/>'
        '<TimeDerivative variable="q" value="(0.8 - q)/(3*MS)"/>',
    "baseIonChannel": f'<DerivedVariable name="fopen" exposure="fopen" dimension="none" value="1/(1 + {_V})"/>'
        '<DerivedVariable name="g" exposure="g" dimension="conductance" value="conductance*fopen"/>',
    "baseChannelDensity": '<DerivedVariable name="f" select="ionChannel/fopen"/>'
        '<DerivedVariable name="iDensity" exposure="iDensity" dimension="currentDensity" value="(0.05*MV - v)*f*AMP"/>',
    "baseChannelDensityCond": '<DerivedVariable name="f" select="ionChannel/fopen"/>'
        '<DerivedVariable name="iDensity" exposure="iDensity" value="condDensity*f*(MV - v)"/>',
    "baseChannelPopulation": '<DerivedVariable name="g" select="ionChannel/g"/>'
        '<DerivedVariable name="i" exposure="i" dimension="current" value="300*g*(MV - v)"/>',
    "concentrationModel": '<StateVariable name="concentration" exposure="concentration" dimension="concentration"/>'
        '<StateVariable name="extConcentration" exposure="extConcentration" dimension="concentration"/>'
        '<TimeDerivative variable="concentration" value="-concentration/(9*MS)"/><OnStart><StateAssignment '
        'variable="concentration" value="initialConcentration"/><StateAssignment variable="extConcentration" '
        'value="initialExtConcentration"/></OnStart>',
    "KSTransition": f'<DerivedVariable name="rf" exposure="rf" dimension="per_time" value="0.2*{_V}/MS"/>'
        '<DerivedVariable name="rr" exposure="rr" dimension="per_time" value="0.4/MS"/>',
    "baseCellMembPot": '<StateVariable name="v" exposure="v" dimension="voltage"/>'
        '<TimeDerivative variable="v" value="(-60*MV - v)/(10*MS)"/>',
    "baseCellMembPotDL": '<StateVariable name="V" exposure="V" dimension="none"/>'
        '<TimeDerivative variable="V" value="(1 - V)/(10*MS)"/>',
    "basePointCurrent": '<DerivedVariable name="i" exposure="i" dimension="current" value="AMP"/>',
    "baseVoltageDepPointCurrent":
        '<DerivedVariable name="i" exposure="i" dimension="current" value="AMP*(v/MV + 65)"/>',
    "basePointCurrentDL": '<DerivedVariable name="I" exposure="I" dimension="none" value="2"/>',
    "basePlasticityMechanism": '<StateVariable name="plasticityFactor" exposure="plasticityFactor" dimension="none"/>'
        '<OnStart><StateAssignment variable="plasticityFactor" value="1"/></OnStart>'
        '<OnEvent port="in"><StateAssignment variable="plasticityFactor" value="0.9*plasticityFactor"/></OnEvent>',
    "baseBlockMechanism": f'<DerivedVariable name="blockFactor" exposure="blockFactor" dimension="none" value="{_V}"/>',
    "baseSpikeSource": '<OnCondition test="t .gt. 9*MS"><EventOut port="spike"/></OnCondition>',
}  # fmt: skip
"""The Dynamics of a user type, by the type that it extends or a base of that."""

CELL = """  <cell{two} id="c">
    <morphology id="m">
      <segment id="0"><proximal x="0" y="0" z="0" diameter="10"/><distal x="10" y="0" z="0" diameter="10"/></segment>
      <segment id="1"><parent segment="0"/><proximal x="10" y="0" z="0" diameter="2"/>
        <distal x="90" y="0" z="0" diameter="1"/></segment>
      <segmentGroup id="soma" neuroLexId="sao864921383"><member segment="0"/></segmentGroup>
      <segmentGroup id="dend" neuroLexId="sao864921383"><property tag="numberInternalDivisions" value="3"/>
        <member segment="1"/></segmentGroup>
      <segmentGroup id="tree"><subTree><from segment="1"/></subTree>
        <inhomogeneousParameter id="far" variable="p" metric="Path Length from root"><proximal translationStart="0"/>
          <distal normalizationEnd="1"/></inhomogeneousParameter></segmentGroup>
      <segmentGroup id="way"><path><from segment="0"/><to segment="1"/></path></segmentGroup>
      <segmentGroup id="both"><include segmentGroup="soma"/><include segmentGroup="dend"/></segmentGroup>
    </morphology>
    <biophysicalProperties{two} id="b">
      <membraneProperties{two}>
        <channelPopulation id="leak" ionChannel="pas" number="10000" erev="-65 mV" segmentGroup="soma"/>
        {membrane}
        <spikeThresh value="0 mV"/><specificCapacitance value="1 uF_per_cm2"/><initMembPotential value="-65 mV"/>
      </membraneProperties{two}>
      <intracellularProperties{two}>
        {inside}<resistivity value="100 ohm_cm"/>
      </intracellularProperties{two}>
    </biophysicalProperties{two}>
  </cell{two}>"""
SPECIES = '<species id="{ion}" ion="{ion}" concentrationModel="{model}" initialConcentration="1e-4 mM" ' \
    'initialExtConcentration="2 mM"/>'  # fmt: skip
VARYING = '<variableParameter parameter="{name}" segmentGroup="tree"><inhomogeneousValue ' \
    'inhomogeneousParameter="far" value="{size} * exp(-0.5 * p)"/></variableParameter>'  # fmt: skip
IN_THE_CELL = frozenset({"proximalDetails", "distalDetails", "variableParameter", "inhomogeneousValue", "morphology"})
PASSIVE = '  <ionChannelPassive id="pas" conductance="10 pS"/>'
INSIDE_A_CELL = ("baseChannelDensity", "baseChannelPopulation", "concentrationModel", "baseIonChannel")


@dataclass
class Builder:
    """Puts elements together.

    `chosen`: what stands for a wanted (base) type instead of what `FILL` says. `user`: the user type that stands for a
    core type. `top`: the top-level components made so far, by id.
    """

    chosen: Mapping[str, str] = field(default_factory=dict)
    user: Mapping[str, str] = field(default_factory=dict)
    top: dict[str, str] = field(default_factory=dict)

    def element(self, name: str, tag: str = "", *, id_: str = "", more: str = "") -> str:
        """An element of a type, with all numbers and children that it declares."""
        type_, shown = TYPES[name], self.user.get(name, name)
        attributes = {"id": id_} if id_ else {}
        attributes |= {"type": shown} if tag and tag != shown else {}
        attributes |= {
            n: number(type_, n, d.element.attributes.get("dimension", "none"))
            for n, d in type_.declarations.items()
            if d.kind == "Parameter" and d.fixed is None
        }
        attributes |= {
            n: f"./{self.referenced('baseSynapse')}" for n, d in type_.declarations.items() if d.kind == "Path"
        }
        inner = []
        for child in type_.children.values():
            if child.kind == "Link":
                attributes[child.name] = "s0" if child.name == "from" else "s1"
            elif child.kind == "ComponentReference":
                attributes[child.name] = self.referenced(child.type)
            elif child.kind != "Attachments":
                inner += self._children(child.name, child.type, is_one=child.kind == "Child")
        body = "".join([*inner, more])
        head = " ".join([tag or shown, *(f'{k}="{v}"' for k, v in attributes.items())])
        return f"<{head}>{body}</{tag or shown}>" if body else f"<{head}/>"

    def _children(self, name: str, wanted: str, *, is_one: bool) -> Iterator[str]:
        prefix = {"KSState": "s", "subGate": "f", "KSTransition": "t", "gate": "g"}.get(wanted, name)
        for k, made in enumerate(self._fill(wanted)):
            yield self.element(
                made, name if is_one or name == "q10Settings" else "", id_="" if is_one else f"{prefix}{k}"
            )

    def referenced(self, wanted: str) -> str:
        """The id of a top-level component of a wanted type."""
        (made, *_) = self._fill(wanted)
        id_ = f"the_{made}"
        if id_ not in self.top:
            self.top[id_] = ""
            self.top[id_] = self.element(made, id_=id_)
        return id_

    def _fill(self, wanted: str) -> tuple[str, ...]:
        usual = FILL.get(wanted, ())
        if wanted not in self.chosen:
            return usual
        made = self.chosen[wanted]
        return (*usual, made) if wanted == "KSState" else (made, *usual[1:])


def number(type_: ComponentType, name: str, dimension: str) -> str:
    """A number for a parameter of a type."""
    for base in (*type_.lineage, ""):
        if (base, name) in NUMBERS:
            return NUMBERS[base, name]
    return QUANTITIES[dimension]


@dataclass(frozen=True, slots=True)
class Example:
    """A document that uses a type.

    `inputs`: ids of inputs and synapses in it that are to be compiled. `is_source`: component x in it makes spikes.
    `has_user_type`: the type has no Dynamics, and a user type stands for it.
    """

    text: str
    inputs: tuple[str, ...] = ()
    is_source: bool = False
    has_user_type: bool = False


def example(name: str) -> Example | None:
    """A document with an element of that type, or of a user type if it has no Dynamics; None if it has no place."""
    type_ = TYPES[name]
    if f"<{name} " in CELL or f"<{name}>" in CELL or name in IN_THE_CELL:
        return _document("cell", Builder(), "")
    user = {} if type_.dynamics is not None else {name: f"my_{name}"}
    definition = "" if not user else _user_type(type_)
    if definition is None:
        return None
    chosen: dict[str, str] = {}
    at = name
    while (base := next((b for b in TYPES[at].lineage if b in HOSTS), None)) is not None:
        for slot in TYPES[at].lineage:
            chosen[slot] = at
        at = HOSTS[base]
    return _document(at, Builder(chosen, user), definition)


def _user_type(type_: ComponentType) -> str | None:
    for base in type_.lineage:
        if base in USER_DYNAMICS:
            amp = '<Constant name="AMP" dimension="current" value="0.01 nA"/>'
            return (
                f'<ComponentType name="my_{type_.name}" extends="{type_.name}">{_UNITS}{amp}'
                f"<Dynamics>{USER_DYNAMICS[base]}</Dynamics></ComponentType>"
            )
    return None


def _document(root: str, make: Builder, definition: str) -> Example | None:
    type_ = TYPES[root]
    is_two = "2" in root
    inputs: tuple[str, ...] = ()
    is_source = False
    membrane = "".join(_density(make, name, root) for name in _densities(root))
    cell = ""
    if type_.extends("baseChannelDensity") or type_.extends("baseChannelPopulation") or root == "species":
        pass
    elif any(type_.extends(b) for b in ("basePointCurrent", "basePointCurrentDL", "baseSpikeSource")):
        make.top["x"] = make.element(root, id_="x")
        is_source = type_.extends("baseSpikeSource")
        inputs = () if is_source else ("x",)
    elif type_.extends("baseCell") and not type_.extends("cell"):
        cell = make.element(root, id_="c")
    elif type_.element.file.endswith("Cells.xml"):
        is_two = "2CaPools" in root
    else:
        return None
    model = make.referenced("concentrationModel")
    inside = "".join(SPECIES.format(ion=ion, model=model) for ion in (("ca", "ca2") if is_two else ("ca",)))
    two = "2CaPools" if is_two else ""
    if not cell:
        cell = CELL.replace("cell{two}", "cell2CaPools" if two else "cell")
        cell = cell.format(two=two, membrane=membrane, inside=inside)
    body = "\n".join([definition, PASSIVE, *make.top.values(), cell])
    text = f'<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="n">\n{body}\n</neuroml>\n'
    return Example(text, inputs, is_source, bool(make.user))


def _densities(root: str) -> tuple[str, ...]:
    usual = ("channelDensity", "channelDensityNernst", "channelDensityNonUniform", "channelPopulation")
    if TYPES[root].extends("baseChannelDensity") or TYPES[root].extends("baseChannelPopulation"):
        return tuple(dict.fromkeys((root, *usual)))
    return usual


def _density(make: Builder, name: str, root: str) -> str:
    varying = {"channelDensityNonUniformGHK": ("permeability", "2e-8")}.get(name, ("condDensity", "3"))
    more = VARYING.format(name=varying[0], size=varying[1]) if "NonUniform" in name else ""
    ion = "ca2" if name.endswith("Ca2") else "ca"
    text = make.element(name, id_=f"d_{name}", more=more)
    return text.replace(" id=", f' ion="{ion}" id=', 1)
