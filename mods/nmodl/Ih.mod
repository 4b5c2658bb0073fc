TITLE Hyperpolarisation-activated cation current

COMMENT
    Kole, Hallermann and Stuart, J Neurosci 26: 1677-1687 (2006), at 34 degC.
    Constants as in Hay et al., PLoS Comput Biol 7: e1002107 (2011).
ENDCOMMENT

NEURON {
    SUFFIX Ih
    NONSPECIFIC_CURRENT i
    RANGE gbar, g, e
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
    e = -45 (mV)
}

ASSIGNED {
    v (mV)
    i (mA/cm2)
    g (S/cm2)
    minf
    mtau (ms)
}

STATE {
    m
}

INITIAL {
    rates(v)
    m = minf
}

BREAKPOINT {
    SOLVE states METHOD cnexp
    g = gbar * m
    i = g * (v - e)
}

DERIVATIVE states {
    rates(v)
    m' = (minf - m) / mtau
}

UNITSOFF

PROCEDURE rates(v) {
    LOCAL a, b
    a = 0.00643 * linoid(-(v + 154.9), 11.9)
    b = 0.193 * exp(v / 33.1)
    minf = a / (a + b)
    mtau = 1 / (a + b)
}

FUNCTION linoid(x, y) {  : x / (1 - exp(-x / y)), which tends to y at x = 0
    if (fabs(x / y) < 1e-6) {
        linoid = y * (1 + x / y / 2)
    } else {
        linoid = x / (1 - exp(-x / y))
    }
}

UNITSON
