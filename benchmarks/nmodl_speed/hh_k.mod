TITLE Potassium channel of the squid axon

COMMENT
    Hodgkin and Huxley, J Physiol 117: 500-544 (1952), resting potential at -65 mV; 6.3 degC, Q10 3.
ENDCOMMENT

NEURON {
    SUFFIX hh_k
    USEION k READ ek WRITE ik
    RANGE gbar, g
    RANGE ninf, ntau
    THREADSAFE
}

UNITS {
    (mV) = (millivolt)
    (mA) = (milliamp)
    (S) = (siemens)
}

PARAMETER {
    gbar = 0.036 (S/cm2)
}

ASSIGNED {
    v (mV)
    ek (mV)
    ik (mA/cm2)
    g (S/cm2)
    celsius (degC)
    q10
    ninf
    ntau (ms)
}

STATE {
    n
}

INITIAL {
    q10 = 3^((celsius - 6.3) / 10)
    rates(v)
    n = ninf
}

BREAKPOINT {
    SOLVE states METHOD cnexp
    g = gbar * n * n * n * n
    ik = g * (v - ek)
}

DERIVATIVE states {
    rates(v)
    n' = (ninf - n) / ntau
}

UNITSOFF

PROCEDURE rates(v) {
    LOCAL a, b
    a = 0.01 * linoid(v + 55, 10)
    b = 0.125 * exp(-(v + 65) / 80)
    ninf = a / (a + b)
    ntau = 1 / (q10 * (a + b))
}

FUNCTION linoid(x, y) {  : x / (1 - exp(-x / y)), which tends to y at x = 0
    if (fabs(x / y) < 1e-6) {
        linoid = y * (1 + x / y / 2)
    } else {
        linoid = x / (1 - exp(-x / y))
    }
}

UNITSON
