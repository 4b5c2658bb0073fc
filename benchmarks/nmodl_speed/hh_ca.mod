TITLE A calcium channel for the bench

COMMENT
    Two gates with steady states and time courses, m (2) and h, midpoints as of a high-voltage-activated current; Q10 3.
ENDCOMMENT

NEURON {
    SUFFIX hh_ca
    USEION ca READ eca WRITE ica
    RANGE gbar, g
    RANGE minf, mtau, hinf, htau
    THREADSAFE
}

UNITS {
    (mV) = (millivolt)
    (mA) = (milliamp)
    (S) = (siemens)
}

PARAMETER {
    gbar = 0.0001 (S/cm2)
}

ASSIGNED {
    v (mV)
    eca (mV)
    ica (mA/cm2)
    g (S/cm2)
    celsius (degC)
    q10
    minf
    mtau (ms)
    hinf
    htau (ms)
}

STATE {
    m
    h
}

INITIAL {
    q10 = 3^((celsius - 6.3) / 10)
    rates(v)
    m = minf
    h = hinf
}

BREAKPOINT {
    SOLVE states METHOD cnexp
    g = gbar * m * m * h
    ica = g * (v - eca)
}

DERIVATIVE states {
    rates(v)
    m' = (minf - m) / mtau
    h' = (hinf - h) / htau
}

UNITSOFF

PROCEDURE rates(v) {
    minf = 1 / (1 + exp(-(v + 20) / 9))
    mtau = (1 + 8 / (1 + exp((v + 25) / 12))) / q10
    hinf = 1 / (1 + exp((v + 40) / 7))
    htau = 60 / q10
}

UNITSON
