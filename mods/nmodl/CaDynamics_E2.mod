TITLE Calcium in a shell below the membrane

COMMENT
    After Destexhe, Mainen and Sejnowski, J Comput Neurosci 1: 195-230 (1994), as in
    Hay et al., PLoS Comput Biol 7: e1002107 (2011): the share gamma of what flows in stays free.
ENDCOMMENT

NEURON {
    SUFFIX CaDynamics_E2
    USEION ca READ ica WRITE cai
    RANGE gamma, decay, depth, minCai
    THREADSAFE
}

UNITS {
    (mV) = (millivolt)
    (mA) = (milliamp)
    (um) = (micron)
    (molar) = (1/liter)
    (mM) = (millimolar)
    FARADAY = (faraday) (coulomb)
}

PARAMETER {
    gamma = 0.05
    decay = 80 (ms)
    depth = 0.1 (um)
    minCai = 1e-4 (mM)
}

ASSIGNED {
    ica (mA/cm2)
}

STATE {
    cai (mM)
}

BREAKPOINT {
    SOLVE shell METHOD cnexp
}

DERIVATIVE shell {
    LOCAL inflow
    inflow = -(1e4) * gamma * ica / (2 * FARADAY * depth)
    cai' = inflow - (cai - minCai) / decay
}
