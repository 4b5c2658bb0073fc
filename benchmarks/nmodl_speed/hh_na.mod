TITLE Sodium channel of the squid axon

COMMENT
    Hodgkin and Huxley, J Physiol 117: 500-544 (1952), resting potential at -65 mV; 6.3 degC, Q10 3.
ENDCOMMENT

NEURON {
    SUFFIX hh_na
    USEION na READ ena WRITE ina
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
    gbar = 0.12 (S/cm2)
}

ASSIGNED {
    v (mV)
    ena (mV)
    ina (mA/cm2)
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
    g = gbar * m * m * m * h
    ina = g * (v - ena)
}

DERIVATIVE states {
    rates(v)
    m' = (minf - m) / mtau
    h' = (hinf - h) / htau
}

UNITSOFF

PROCEDURE rates(v) {
    LOCAL a, b
    a = 0.1 * linoid(v + 40, 10)
    b = 4 * exp(-(v + 65) / 18)
    minf = a / (a + b)
    mtau = 1 / (q10 * (a + b))
    a = 0.07 * exp(-(v + 65) / 20)
    b = 1 / (exp(-(v + 35) / 10) + 1)
    hinf = a / (a + b)
    htau = 1 / (q10 * (a + b))
}

FUNCTION linoid(x, y) {  : x / (1 - exp(-x / y)), which tends to y at x = 0
    if (fabs(x / y) < 1e-6) {
        linoid = y * (1 + x / y / 2)
    } else {
        linoid = x / (1 - exp(-x / y))
    }
}

UNITSON
