TITLE Persistent sodium current

COMMENT
    Magistretti and Alonso, J Gen Physiol 114: 491-509 (1999), at 21 degC, Q10 2.3.
    Activation is six times slower than that of the transient current.
    Constants as in Hay et al., PLoS Comput Biol 7: e1002107 (2011).
ENDCOMMENT

NEURON {
    SUFFIX Nap_Et2
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
    gbar = 0.00001 (S/cm2)
}

ASSIGNED {
    v (mV)
    ena (mV)
    ina (mA/cm2)
    g (S/cm2)
    celsius (degC)
    qt
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
    qt = 2.3^((celsius - 21) / 10)
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
    minf = 1 / (1 + exp(-(v + 52.6) / 4.6))
    a = 0.182 * linoid(v + 38, 6)
    b = 0.124 * linoid(-(v + 38), 6)
    mtau = 6 / (a + b) / qt
    hinf = 1 / (1 + exp((v + 48.8) / 10))
    a = 2.88e-6 * linoid(-(v + 17), 4.63)
    b = 6.94e-6 * linoid(v + 64.4, 2.63)
    htau = 1 / (a + b) / qt
}

FUNCTION linoid(x, y) {  : x / (1 - exp(-x / y)), which tends to y at x = 0
    if (fabs(x / y) < 1e-6) {
        linoid = y * (1 + x / y / 2)
    } else {
        linoid = x / (1 - exp(-x / y))
    }
}

UNITSON
