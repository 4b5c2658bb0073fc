"""A document with inputs and synapses of many kinds, and cells to attach them to."""

from __future__ import annotations

BALL = """
  <ionChannelHH id="leak" conductance="10 pS"/>
  <cell id="ball">
    <morphology id="m"><segment id="0"><proximal x="0" y="0" z="0" diameter="10"/>
      <distal x="10" y="0" z="0" diameter="10"/></segment></morphology>
    <biophysicalProperties id="b">
      <membraneProperties>
        <channelDensity id="leaks" ionChannel="leak" ion="non_specific" condDensity="1 S_per_m2" erev="-65 mV"/>
        <spikeThresh value="0 mV"/><specificCapacitance value="1 uF_per_cm2"/><initMembPotential value="-65 mV"/>
      </membraneProperties>
      <intracellularProperties><resistivity value="100 ohm_cm"/></intracellularProperties>
    </biophysicalProperties>
  </cell>
"""
"""A passive compartment: 10 um by 10 um, 1 S/m2, 1 uF/cm2, at rest at -65 mV."""
INPUTS = """
  <expOneSynapse id="one" gbase="1 nS" erev="0 mV" tauDecay="3 ms"/>
  <expTwoSynapse id="two" gbase="1 nS" erev="0 mV" tauRise="0.5 ms" tauDecay="3 ms"/>
  <blockingPlasticSynapse id="plastic" gbase="8 nS" tauRise="1 ms" tauDecay="13 ms" erev="0 V">
    <plasticityMechanism type="tsodyksMarkramDepFacMechanism" initReleaseProb="0.5" tauRec="120 ms" tauFac="10 ms"/>
    <blockMechanism type="voltageConcDepBlockMechanism" species="mg" blockConcentration="1.2 mM"
      scalingConc="1.9 mM" scalingVolt="16 mV"/>
  </blockingPlasticSynapse>
  <doubleSynapse id="both" synapse1="two" synapse1Path="./two" synapse2="plastic" synapse2Path="./plastic"/>
  <pulseGenerator id="pulse" delay="5 ms" duration="10 ms" amplitude="20 pA"/>
  <sineGenerator id="sine" phase="0.1" delay="5 ms" duration="20 ms" amplitude="20 pA" period="5 ms"/>
  <voltageClampTriple id="triple" active="1" delay="5 ms" duration="10 ms" conditioningVoltage="-70 mV"
    testingVoltage="-20 mV" returnVoltage="-65 mV" simpleSeriesResistance="0.1 Mohm"/>
"""
MODEL = f"""<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="n">
  {BALL}
  <iafCell id="iaf" leakReversal="-60 mV" thresh="-20 mV" reset="-70 mV" C="0.2 nF" leakConductance="0.01 uS"/>
  <izhikevichCell id="izh" v0="-70 mV" thresh="30 mV" a="0.02" b="0.2" c="-50" d="2"/>
  <pulseGeneratorDL id="plain" delay="5 ms" duration="10 ms" amplitude="10"/>
  <ComponentType name="clipped" extends="baseVoltageDepSynapse">
    <Property name="weight" dimension="none" defaultValue="1"/>
    <Parameter name="jump" dimension="conductance"/><Parameter name="most" dimension="conductance"/>
    <Parameter name="tau" dimension="time"/>
    <Exposure name="g" dimension="conductance"/>
    <Dynamics>
      <StateVariable name="g" dimension="conductance" exposure="g"/><StateVariable name="clips" dimension="none"/>
      <DerivedVariable name="i" exposure="i" dimension="current" value="g * (1 + 0 * clips) * (0 - v)"/>
      <TimeDerivative variable="g" value="-g / tau"/>
      <OnCondition test="g .gt. most">
        <StateAssignment variable="g" value="most"/><StateAssignment variable="clips" value="clips + 1"/>
      </OnCondition>
      <OnEvent port="in"><StateAssignment variable="g" value="g + weight * jump"/></OnEvent>
    </Dynamics>
  </ComponentType>
  <clipped id="clip" jump="2 nS" most="3 nS" tau="5 ms"/>
  <ComponentType name="noisy" extends="basePointCurrent">
    <Parameter name="most" dimension="current"/>
    <Dynamics><DerivedVariable name="i" exposure="i" dimension="current" value="random(1) * most"/></Dynamics>
  </ComponentType>
  <noisy id="noise" most="5 pA"/>
  {INPUTS}
</neuroml>
"""
