TITLE Low-voltage-activated calcium current

COMMENT
    Steady states: Avery and Johnston, J Neurosci 16: 5567-5582 (1996).
    Time courses: Randall and Tsien, Neuropharmacology 36: 879-893 (1997).
    Voltages are moved by -10 mV for the junction potential; measured at 21 degC, Q10 2.3.
    Constants as in Hay et al., PLoS Comput Biol 7: e1002107 (2011).
ENDCOMMENT

NEURON {
    SUFFIX Ca_LVAst
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
    minf = 1 / (1 + exp(-(v + 40) / 6))
    mtau = (5 + 20 / (1 + exp((v + 35) / 5))) / qt
    hinf = 1 / (1 + exp((v + 90) / 6.4))
    htau = (20 + 50 / (1 + exp((v + 50) / 7))) / qt
}

UNITSON
