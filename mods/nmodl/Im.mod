TITLE Muscarine-sensitive potassium current

COMMENT
    Adams, Brown and Constanti, J Physiol 330: 537-572 (1982), at 21 degC, Q10 2.3.
    Constants as in Hay et al., PLoS Comput Biol 7: e1002107 (2011).
ENDCOMMENT

NEURON {
    SUFFIX Im
    USEION k READ ek WRITE ik
    RANGE gbar, g
    RANGE minf, mtau
    THREADSAFE
}

UNITS {
    (mV) = (millivolt)
    (mA) = (milliamp)
    (S) = (siemens)
}

PARAMETER {
    gbar = 0.00001 (S/cm2)
}

ASSIGNED {
    v (mV)
    ek (mV)
    ik (mA/cm2)
    g (S/cm2)
    celsius (degC)
    qt
    minf
    mtau (ms)
}

STATE {
    m
}

INITIAL {
    qt = 2.3^((celsius - 21) / 10)
    rates(v)
    m = minf
}

BREAKPOINT {
    SOLVE states METHOD cnexp
    g = gbar * m
    ik = g * (v - ek)
}

DERIVATIVE states {
    rates(v)
    m' = (minf - m) / mtau
}

UNITSOFF

PROCEDURE rates(v) {
    LOCAL a, b
    a = 0.0033 * exp((v + 35) / 10)
    b = 0.0033 * exp(-(v + 35) / 10)
    minf = a / (a + b)
    mtau = 1 / (a + b) / qt
}

UNITSON
