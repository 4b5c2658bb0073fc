"""The published cells of the recovery tests: what is free, which steps, which features. Values are in the cells' files.

Bounds are wide (about 0.3 to 3 times the published value, or some 10 mV around it) and not centred on it.
"""

from __future__ import annotations

from recovery import Case, Feature, Free, Step

_LTS = "cell:LTS/biophysicalProperties:biophys/membraneProperties"
LTS = Case(
    name="pospischil_lts",
    model="osb/PospischilEtAl2008/NeuroML2/cells/LTS/LTS.cell.nml",
    temperature="36 degC",
    free=(
        Free("g_leak", f"{_LTS}/channelDensity:LeakConductance_all/condDensity", "3e-6 S_per_cm2", "3e-5 S_per_cm2"),
        Free("capacitance", f"{_LTS}/specificCapacitance/value", "0.4 uF_per_cm2", "2.5 uF_per_cm2"),
        Free("g_it", f"{_LTS}/channelDensityNernst:IT_all/condDensity", "1.2e-4 S_per_cm2", "1.2e-3 S_per_cm2"),
        Free("it_s_midpoint", "ComponentType:IT_s_inf_inf/Dynamics/DerivedVariable:x/value{4}", "47", "65"),
        Free(
            "v_t", "ComponentType:*/Dynamics/DerivedVariable:VT/value{1}", "45", "67"
        ),  # of the rates of Na and Kd, 6 places
    ),
    protocols=(
        Step("hyper", "-0.03 nA", 100, 300, 500),
        Step("low", "0.1 nA", 100, 300, 450),
        Step("high", "0.2 nA", 100, 300, 450),
    ),
    features=(
        Feature("hyper", "voltage_deflection", "mV"),
        Feature("hyper", "voltage_base", "mV"),
        Feature("hyper", "time_constant", "ms"),
        Feature("low", "time_to_first_spike", "ms"),
        Feature("low", "AP1_amp", "mV"),
        Feature("low", "mean_frequency", "Hz"),
        Feature("high", "time_to_first_spike", "ms"),
        Feature("high", "mean_frequency", "Hz"),
        Feature("high", "inv_first_ISI", "Hz"),
        Feature("high", "AP1_amp", "mV"),
        Feature("high", "mean_AP_amplitude", "mV"),
    ),
)

_PYR = "cell:pyr_4_sym/biophysicalProperties:biophys"
PYR = Case(
    name="pyr_4_sym",
    model="osb/NeuroML2/LEMSexamples/morphologies/pyr_4_sym.cell.nml",
    temperature="6.3 degC",
    free=(
        Free(
            "g_leak",
            f"{_PYR}/membraneProperties/channelDensity:LeakConductance_pyr_all/condDensity",
            "0.05 mS_per_cm2",
            "0.45 mS_per_cm2",
        ),
        Free("resistivity", f"{_PYR}/intracellularProperties/resistivity/value", "0.06 kohm_cm", "0.6 kohm_cm"),
        Free(
            "g_ca",
            f"{_PYR}/membraneProperties/channelDensity:Ca_pyr_soma_group/condDensity",
            "3 mS_per_cm2",
            "30 mS_per_cm2",
        ),
        Free(
            "g_kahp",
            f"{_PYR}/membraneProperties/channelDensity:Kahp_pyr_soma_group/condDensity",
            "0.8 mS_per_cm2",
            "8 mS_per_cm2",
        ),
        Free("ca_decay", "fixedFactorConcentrationModel:Ca_conc/decayConstant", "0.03 s", "0.3 s"),
        Free("na_m_midpoint", "ionChannel:Na_pyr/gate:m/forwardRate/midpoint", "-0.057 V", "-0.041 V"),
    ),
    protocols=(
        Step("hyper", "-0.2 nA", 100, 300, 450, (("soma", 0, 0.5), ("dendrite", 3, 0.5))),
        Step("low", "0.3 nA", 100, 400, 550, (("soma", 0, 0.5), ("dendrite", 3, 0.5))),
        Step("high", "0.8 nA", 100, 400, 550),
    ),
    features=(
        Feature("hyper", "voltage_deflection", "mV"),
        Feature("hyper", "voltage_deflection", "mV", "dendrite"),
        Feature("low", "mean_frequency", "Hz"),
        Feature("low", "time_to_first_spike", "ms"),
        Feature("low", "inv_first_ISI", "Hz"),
        Feature("low", "inv_last_ISI", "Hz"),
        Feature("high", "mean_frequency", "Hz"),
        Feature("high", "time_to_first_spike", "ms"),
        Feature("high", "AP1_amp", "mV"),
        Feature("high", "inv_first_ISI", "Hz"),
        Feature("high", "inv_last_ISI", "Hz"),
    ),
)

IZHIKEVICH = Case(
    name="izhikevich2007_rs",
    model="osb/IzhikevichModel/NeuroML2/Izh2007One.net.nml",
    free=(
        Free("C", "izhikevich2007Cell:RS/C", "30 pF", "300 pF"),
        Free("k", "izhikevich2007Cell:RS/k", "0.2 nS_per_mV", "2.1 nS_per_mV"),
        Free("vr", "izhikevich2007Cell:RS/vr", "-72 mV", "-50 mV"),
        Free("a", "izhikevich2007Cell:RS/a", "0.01 per_ms", "0.09 per_ms"),
        Free("c", "izhikevich2007Cell:RS/c", "-62 mV", "-42 mV"),
        Free("d", "izhikevich2007Cell:RS/d", "30 pA", "300 pA"),
    ),
    protocols=(
        Step("hyper", "-50 pA", 100, 300, 500),
        Step("low", "80 pA", 100, 400, 550),
        Step("high", "250 pA", 100, 400, 550),
    ),
    features=(
        Feature("hyper", "voltage_base", "mV"),
        Feature("hyper", "voltage_deflection", "mV"),
        Feature("low", "mean_frequency", "Hz"),
        Feature("low", "time_to_first_spike", "ms"),
        Feature("low", "inv_first_ISI", "Hz"),
        Feature("high", "mean_frequency", "Hz"),
        Feature("high", "time_to_first_spike", "ms"),
        Feature("high", "inv_first_ISI", "Hz"),
        Feature("high", "inv_second_ISI", "Hz"),
        Feature("low", "AHP1_depth_from_peak", "mV"),
        Feature("high", "AHP1_depth_from_peak", "mV"),
    ),
)

CASES = (LTS, PYR, IZHIKEVICH)

SMALL = Case(
    name="hh_soma",
    model="examples/hh_soma/model.nml",  # relative to the checkout: this one is ours
    temperature="6.3 degC",
    free=(
        Free("g_leak", "cell:hh_soma/channelDensity:leak/condDensity", "0.1 mS_per_cm2", "1 mS_per_cm2", "log10"),
        Free("capacitance", "cell:hh_soma/specificCapacitance/value", "0.4 uF_per_cm2", "2.5 uF_per_cm2"),
        Free("m_midpoint", "ionChannelHH:na_channel/gateHHrates:m/forwardRate/midpoint", "-45 mV", "-33 mV"),
    ),
    protocols=(Step("hyper", "-0.1 nA", 20, 40, 80), Step("high", "0.4 nA", 20, 50, 80)),
    features=(
        Feature("hyper", "voltage_deflection", "mV"),
        Feature("high", "inv_first_ISI", "Hz"),
        Feature("high", "time_to_first_spike", "ms"),
        Feature("high", "mean_frequency", "Hz"),
        Feature("high", "AP1_amp", "mV"),
    ),
)
"""A small one, so that every test run recovers something."""
