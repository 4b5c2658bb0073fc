TITLE High-voltage-activated calcium current

COMMENT
    Reuveni, Friedman, Amitai and Gutnick, J Neurosci 13: 4609-4621 (1993).
    Constants as in Hay et al., PLoS Comput Biol 7: e1002107 (2011).
ENDCOMMENT

NEURON {
    SUFFIX Ca_HVA
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
    gbar = 0.00001 (S/cm2)
}

ASSIGNED {
    v (mV)
    eca (mV)
    ica (mA/cm2)
    g (S/cm2)
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
    LOCAL a, b
    a = 0.055 * linoid(v + 27, 3.8)
    b = 0.94 * exp(-(v + 75) / 17)
    minf = a / (a + b)
    mtau = 1 / (a + b)
    a = 0.000457 * exp(-(v + 13) / 50)
    b = 0.0065 / (1 + exp(-(v + 15) / 28))
    hinf = a / (a + b)
    htau = 1 / (a + b)
}

FUNCTION linoid(x, y) {  : x / (1 - exp(-x / y)), which tends to y at x = 0
    if (fabs(x / y) < 1e-6) {
        linoid = y * (1 + x / y / 2)
    } else {
        linoid = x / (1 - exp(-x / y))
    }
}

UNITSON
