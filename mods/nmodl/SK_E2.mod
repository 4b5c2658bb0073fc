TITLE Small-conductance calcium-activated potassium current

COMMENT
    Koehler et al., Science 273: 1709-1714 (1996).
    Constants as in Hay et al., PLoS Comput Biol 7: e1002107 (2011).
ENDCOMMENT

NEURON {
    SUFFIX SK_E2
    USEION k READ ek WRITE ik
    USEION ca READ cai
    RANGE gbar, g
    RANGE zinf, ztau
    THREADSAFE
}

UNITS {
    (mV) = (millivolt)
    (mA) = (milliamp)
    (S) = (siemens)
    (mM) = (milli/liter)
}

PARAMETER {
    gbar = 0.00001 (S/cm2)
    ztau = 1 (ms)
}

ASSIGNED {
    v (mV)
    ek (mV)
    cai (mM)
    ik (mA/cm2)
    g (S/cm2)
    zinf
}

STATE {
    z
}

INITIAL {
    rates(cai)
    z = zinf
}

BREAKPOINT {
    SOLVE states METHOD cnexp
    g = gbar * z
    ik = g * (v - ek)
}

DERIVATIVE states {
    rates(cai)
    z' = (zinf - z) / ztau
}

UNITSOFF

PROCEDURE rates(c) {
    zinf = 1 / (1 + (0.00043 / c)^4.8)
}

UNITSON
