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
    SOLVE states METHOD cnexp
}

DERIVATIVE states {
    cai' = -(10000) * ica * gamma / (2 * FARADAY * depth) - (cai - minCai) / decay
}
