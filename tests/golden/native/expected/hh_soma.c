/* density leak_channel */

static void m_leak_channel_initial(Run *R) {
    const int32_t *restrict at = R->node[0];
    const int count = R->count[0];
    const double temperature = R->temperature;
    const uint8_t *restrict live__ = R->live[0];
    const double *restrict v__ = R->v;
    const double *restrict condDensity__ = R->number[4];
    const double *restrict erev__ = R->number[5];
EACH {
        LIT;
        LANES {
            const int j = i * W + l, k = at[i] * W + l;
            const double v = v__[k];
            const double condDensity = condDensity__[j];
            const double erev = erev__[j];
}
    }
}

static void m_leak_channel_current(Run *R, int from, int to) {
    const int32_t *restrict at = R->node[0];
    const int count = R->count[0];
    const double temperature = R->temperature;
    const uint8_t *restrict live__ = R->live[0];
    const double *restrict v__ = R->v;
    const double *restrict condDensity__ = R->number[4];
    const double *restrict erev__ = R->number[5];
double *restrict here__ = R->here, *restrict slope__ = R->slope;
    const double *restrict area__ = R->number[3];
    double *restrict rhs__ = R->rhs, *restrict diag__ = R->diag;
    EACH_IN_ORDER {
        LIT;
        LANES {
            const int j = i * W + l, k = at[i] * W + l;
            const double v = v__[k];
            const double condDensity = condDensity__[j];
            const double erev = erev__[j];
double here = 0.0, slope = 0.0;
            {
                double iDensity;
                iDensity = condDensity * (erev - v);
                here = iDensity;
                slope = -condDensity;
            }
            const double area = area__[k];
            const double flow = IF_LIVE(here * area, 0.0), falls = IF_LIVE(slope * area, 0.0);
#if CHAINS
            rhs__[k] += flow;
            diag__[k] -= falls;
#else
            here__[j] = flow;
            slope__[j] = falls;
#endif
        }
    }
#if !CHAINS
    gather_current(R, 0, -1);
#endif
}

static double m_leak_channel_expose(const Run *R, int i, int l, int which) {
    const int32_t *restrict at = R->node[0];
    const int count = R->count[0];
    const double temperature = R->temperature;
    const uint8_t *restrict live__ = R->live[0];
    const double *restrict v__ = R->v;
    const double *restrict condDensity__ = R->number[4];
    const double *restrict erev__ = R->number[5];
const int j = i * W + l, k = at[i] * W + l;
            const double v = v__[k];
            const double condDensity = condDensity__[j];
            const double erev = erev__[j];
double value = NAN;
            if (which == 0) {
            {
                double iDensity;
                iDensity = condDensity * (erev - v);
                value = iDensity;
            }
}
    return value;
}

/* density na_channel */

static void m_na_channel_initial(Run *R) {
    const int32_t *restrict at = R->node[1];
    const int count = R->count[1];
    const double temperature = R->temperature;
    const uint8_t *restrict live__ = R->live[1];
    const double *restrict v__ = R->v;
    const double *restrict m_forwardRate_midpoint__ = R->number[6];
    const double *restrict condDensity__ = R->number[7];
    const double *restrict erev__ = R->number[8];
    double *restrict m_q__ = R->state[0];
    double *restrict h_q__ = R->state[1];
EACH {
        LIT;
        LANES {
            const int j = i * W + l, k = at[i] * W + l;
            const double v = v__[k];
            const double m_forwardRate_midpoint = m_forwardRate_midpoint__[l];
            const double condDensity = condDensity__[j];
            const double erev = erev__[j];
            double m_q = m_q__[j];
            double h_q = h_q__[j];
            {
                double m_forwardRate_x, m_forwardRate_r, m_reverseRate_r, h_forwardRate_r, h_reverseRate_r;
                m_forwardRate_x = (v - m_forwardRate_midpoint) / 0.01;
                m_forwardRate_r = 1000.0 * nm_exprelr(m_forwardRate_x);
                m_reverseRate_r = 4000.0 * nm_exp((v - (-0.065)) / (-0.018));
                m_q = m_forwardRate_r / (m_forwardRate_r + m_reverseRate_r);
                h_forwardRate_r = 70.0 * nm_exp((v - (-0.065)) / (-0.02));
                h_reverseRate_r = 1000.0 / (1.0 + nm_exp(-((v - (-0.035)) / 0.01)));
                h_q = h_forwardRate_r / (h_forwardRate_r + h_reverseRate_r);
            }
            m_q__[j] = m_q;
            h_q__[j] = h_q;
}
    }
}

static void m_na_channel_advance(Run *R, double h) {
    const int32_t *restrict at = R->node[1];
    const int count = R->count[1];
    const double temperature = R->temperature;
    const uint8_t *restrict live__ = R->live[1];
    const double *restrict v__ = R->v;
    const double *restrict m_forwardRate_midpoint__ = R->number[6];
    const double *restrict condDensity__ = R->number[7];
    const double *restrict erev__ = R->number[8];
    double *restrict m_q__ = R->state[0];
    double *restrict h_q__ = R->state[1];
EACH {
        LIT;
        LANES {
            const int j = i * W + l, k = at[i] * W + l;
            const double v = v__[k];
            const double m_forwardRate_midpoint = m_forwardRate_midpoint__[l];
            const double condDensity = condDensity__[j];
            const double erev = erev__[j];
            double m_q = m_q__[j];
            double h_q = h_q__[j];
            {
                double m_forwardRate_x, m_forwardRate_r, m_reverseRate_r, m_q_loss, m_q_gain, h_forwardRate_r,
                        h_reverseRate_r, h_q_loss, h_q_gain;
                m_forwardRate_x = (v - m_forwardRate_midpoint) / 0.01;
                m_forwardRate_r = 1000.0 * nm_exprelr(m_forwardRate_x);
                m_reverseRate_r = 4000.0 * nm_exp((v - (-0.065)) / (-0.018));
                m_q_loss = m_forwardRate_r + m_reverseRate_r;
                m_q_gain = m_forwardRate_r * 1.0;
                h_forwardRate_r = 70.0 * nm_exp((v - (-0.065)) / (-0.02));
                h_reverseRate_r = 1000.0 / (1.0 + nm_exp(-((v - (-0.035)) / 0.01)));
                h_q_loss = h_forwardRate_r + h_reverseRate_r;
                h_q_gain = h_forwardRate_r * 1.0;
                m_q = m_q + (m_q_gain - m_q_loss * m_q) * h * nm_growth(m_q_loss * h);
                h_q = h_q + (h_q_gain - h_q_loss * h_q) * h * nm_growth(h_q_loss * h);
            }
            m_q__[j] = m_q;
            h_q__[j] = h_q;
}
    }
}

/* from `before` seconds before the present moment to `past` seconds after it */
static void m_na_channel_stagger(Run *R, double before, double past) {
    const double length = before + past;
    const int32_t *restrict at = R->node[1];
    const int count = R->count[1];
    const double temperature = R->temperature;
    const uint8_t *restrict live__ = R->live[1];
    const double *restrict v__ = R->v;
    const double *restrict m_forwardRate_midpoint__ = R->number[6];
    const double *restrict condDensity__ = R->number[7];
    const double *restrict erev__ = R->number[8];
    double *restrict m_q__ = R->state[0];
    double *restrict h_q__ = R->state[1];
    const double *restrict v_slope__ = R->v_slope;
    EACH
        LANES {
            const int j = i * W + l, k = at[i] * W + l;
            const double v = v__[k];
            const double m_forwardRate_midpoint = m_forwardRate_midpoint__[l];
            const double condDensity = condDensity__[j];
            const double erev = erev__[j];
            double m_q = m_q__[j];
            double h_q = h_q__[j];
            const double v_a = v - before * v_slope__[k], v_b = v + past * v_slope__[k];
            double m_q_ga = 0.0, m_q_la = 0.0, m_q_gb = 0.0, m_q_lb = 0.0;
            double h_q_ga = 0.0, h_q_la = 0.0, h_q_gb = 0.0, h_q_lb = 0.0;
            {
                const double v = v_a;
                double m_forwardRate_x, m_forwardRate_r, m_reverseRate_r, h_forwardRate_r, h_reverseRate_r;
                m_forwardRate_x = (v - m_forwardRate_midpoint) / 0.01;
                m_forwardRate_r = 1000.0 * nm_exprelr(m_forwardRate_x);
                m_q_ga = m_forwardRate_r * 1.0;
                m_reverseRate_r = 4000.0 * nm_exp((v - (-0.065)) / (-0.018));
                m_q_la = m_forwardRate_r + m_reverseRate_r;
                h_forwardRate_r = 70.0 * nm_exp((v - (-0.065)) / (-0.02));
                h_q_ga = h_forwardRate_r * 1.0;
                h_reverseRate_r = 1000.0 / (1.0 + nm_exp(-((v - (-0.035)) / 0.01)));
                h_q_la = h_forwardRate_r + h_reverseRate_r;
            }
            {
                const double v = v_b;
                double m_forwardRate_x, m_forwardRate_r, m_reverseRate_r, h_forwardRate_r, h_reverseRate_r;
                m_forwardRate_x = (v - m_forwardRate_midpoint) / 0.01;
                m_forwardRate_r = 1000.0 * nm_exprelr(m_forwardRate_x);
                m_q_gb = m_forwardRate_r * 1.0;
                m_reverseRate_r = 4000.0 * nm_exp((v - (-0.065)) / (-0.018));
                m_q_lb = m_forwardRate_r + m_reverseRate_r;
                h_forwardRate_r = 70.0 * nm_exp((v - (-0.065)) / (-0.02));
                h_q_gb = h_forwardRate_r * 1.0;
                h_reverseRate_r = 1000.0 / (1.0 + nm_exp(-((v - (-0.035)) / 0.01)));
                h_q_lb = h_forwardRate_r + h_reverseRate_r;
            }
            m_q = nm_ramped(m_q, m_q_ga, m_q_la, m_q_gb, m_q_lb, length);
            h_q = nm_ramped(h_q, h_q_ga, h_q_la, h_q_gb, h_q_lb, length);
            m_q__[j] = m_q;
            h_q__[j] = h_q;
}
}

/* rows of s_inf, its slope and the loss, gate by gate */
static void m_na_channel_rates_of(const Run *R, double low, double spacing, int rows, double *restrict base) {
    const int32_t *restrict at = R->node[1];
    const int count = R->count[1];
    const double temperature = R->temperature;
    const uint8_t *restrict live__ = R->live[1];
    const double *restrict v__ = R->v;
    const double *restrict m_forwardRate_midpoint__ = R->number[6];
    const double *restrict condDensity__ = R->number[7];
    const double *restrict erev__ = R->number[8];
    double *restrict m_q__ = R->state[0];
    double *restrict h_q__ = R->state[1];
const int l = 0, j = 0;
    APART for (int row = 0; row < rows; ++row) {
            const double m_forwardRate_midpoint = m_forwardRate_midpoint__[l];
            double target[3][2], loss[2], gain[2];
            for (int side = 2; side >= 0; --side) {
                const double v = low + spacing * row + (side == 1 ? 1e-5 : (side == 2 ? -1e-5 : 0.0));
            {
                double m_forwardRate_x, m_forwardRate_r, m_reverseRate_r, h_forwardRate_r, h_reverseRate_r;
                m_forwardRate_x = (v - m_forwardRate_midpoint) / 0.01;
                m_forwardRate_r = 1000.0 * nm_exprelr(m_forwardRate_x);
                gain[0] = m_forwardRate_r * 1.0;
                m_reverseRate_r = 4000.0 * nm_exp((v - (-0.065)) / (-0.018));
                loss[0] = m_forwardRate_r + m_reverseRate_r;
                h_forwardRate_r = 70.0 * nm_exp((v - (-0.065)) / (-0.02));
                gain[1] = h_forwardRate_r * 1.0;
                h_reverseRate_r = 1000.0 / (1.0 + nm_exp(-((v - (-0.035)) / 0.01)));
                loss[1] = h_forwardRate_r + h_reverseRate_r;
            }
for (int g = 0; g < 2; ++g) target[side][g] = gain[g] / loss[g];
            }
            for (int g = 0; g < 2; ++g) {
                double *restrict place = base + ((int64_t)row * 2 + g) * 3;
                place[0] = target[0][g];
                place[1] = (target[1][g] - target[2][g]) * 5e4;
                place[2] = loss[g];
            }
    }
    (void)j, (void)count, (void)at;
}

static void m_na_channel_look_up(Run *R, const double *restrict table) {
    const int32_t *restrict at = R->node[1];
    const int count = R->count[1];
    const double temperature = R->temperature;
    const uint8_t *restrict live__ = R->live[1];
    const double *restrict v__ = R->v;
    const double *restrict m_forwardRate_midpoint__ = R->number[6];
    const double *restrict condDensity__ = R->number[7];
    const double *restrict erev__ = R->number[8];
    double *restrict m_q__ = R->state[0];
    double *restrict h_q__ = R->state[1];
const int32_t *restrict row__ = R->row;
    const double *restrict share__ = R->share, *restrict v_slope__ = R->v_slope;
#if CHAINS
    for (int i = 0; i < count; ++i) {
        const int k = at[i] * W;
        EACH_PART {
            const int q = k + p * N, j = i * W + p * N;
            const Vec bend = READ(v_slope__ + q);
            VECTOR(m_q__ + j) = moved_by(look_up(table + 0 * COLUMNS, row__ + q, 2 * COLUMNS, share__ + q), READ(m_q__ + j), bend);
            VECTOR(h_q__ + j) = moved_by(look_up(table + 1 * COLUMNS, row__ + q, 2 * COLUMNS, share__ + q), READ(h_q__ + j), bend);
        }
    }
#else
    EACH {
        const int k = at[i];
        const double *from = table + row__[k] * 2 * COLUMNS;
        const double f = share__[k], bend = v_slope__[k];
        {
            const double gain = nm_fused(f, from[0 * COLUMNS + ONWARD], from[0 * COLUMNS + 0]);
            const double kept = nm_fused(f, from[0 * COLUMNS + ONWARD + 1], from[0 * COLUMNS + 1]);
            const double lead = nm_fused(f, from[0 * COLUMNS + ONWARD + 2], from[0 * COLUMNS + 2]);
            m_q__[i] = nm_fused(kept, m_q__[i], nm_fused(lead, bend, gain));
        }
        {
            const double gain = nm_fused(f, from[1 * COLUMNS + ONWARD], from[1 * COLUMNS + 0]);
            const double kept = nm_fused(f, from[1 * COLUMNS + ONWARD + 1], from[1 * COLUMNS + 1]);
            const double lead = nm_fused(f, from[1 * COLUMNS + ONWARD + 2], from[1 * COLUMNS + 2]);
            h_q__[i] = nm_fused(kept, h_q__[i], nm_fused(lead, bend, gain));
        }
    }
#endif
}

static void m_na_channel_current(Run *R, int from, int to) {
    const int32_t *restrict at = R->node[1];
    const int count = R->count[1];
    const double temperature = R->temperature;
    const uint8_t *restrict live__ = R->live[1];
    const double *restrict v__ = R->v;
    const double *restrict m_forwardRate_midpoint__ = R->number[6];
    const double *restrict condDensity__ = R->number[7];
    const double *restrict erev__ = R->number[8];
    double *restrict m_q__ = R->state[0];
    double *restrict h_q__ = R->state[1];
double *restrict here__ = R->here, *restrict slope__ = R->slope;
    const double *restrict area__ = R->number[3];
    double *restrict rhs__ = R->rhs, *restrict diag__ = R->diag;
    EACH_IN_ORDER {
        LIT;
        LANES {
            const int j = i * W + l, k = at[i] * W + l;
            const double v = v__[k];
            const double m_forwardRate_midpoint = m_forwardRate_midpoint__[l];
            const double condDensity = condDensity__[j];
            const double erev = erev__[j];
            double m_q = m_q__[j];
            double h_q = h_q__[j];
double here = 0.0, slope = 0.0;
            {
                double m_fcond, fopen0, gDensity, iDensity;
                m_fcond = m_q * m_q * m_q;
                fopen0 = m_fcond * h_q;
                gDensity = condDensity * fopen0;
                iDensity = gDensity * (erev - v);
                here = iDensity;
                slope = -gDensity;
            }
            const double area = area__[k];
            const double flow = IF_LIVE(here * area, 0.0), falls = IF_LIVE(slope * area, 0.0);
#if CHAINS
            rhs__[k] += flow;
            diag__[k] -= falls;
#else
            here__[j] = flow;
            slope__[j] = falls;
#endif
        }
    }
#if !CHAINS
    gather_current(R, 1, -1);
#endif
}

static double m_na_channel_expose(const Run *R, int i, int l, int which) {
    const int32_t *restrict at = R->node[1];
    const int count = R->count[1];
    const double temperature = R->temperature;
    const uint8_t *restrict live__ = R->live[1];
    const double *restrict v__ = R->v;
    const double *restrict m_forwardRate_midpoint__ = R->number[6];
    const double *restrict condDensity__ = R->number[7];
    const double *restrict erev__ = R->number[8];
    double *restrict m_q__ = R->state[0];
    double *restrict h_q__ = R->state[1];
const int j = i * W + l, k = at[i] * W + l;
            const double v = v__[k];
            const double m_forwardRate_midpoint = m_forwardRate_midpoint__[l];
            const double condDensity = condDensity__[j];
            const double erev = erev__[j];
            double m_q = m_q__[j];
            double h_q = h_q__[j];
double value = NAN;
            if (which == 0) {
            {
                value = m_q;
            }
}
            if (which == 1) {
            {
                double m_fcond;
                m_fcond = m_q * m_q * m_q;
                value = m_fcond;
            }
}
            if (which == 2) {
            {
                value = h_q;
            }
}
            if (which == 3) {
            {
                value = h_q;
            }
}
            if (which == 4) {
            {
                double m_fcond, fopen0;
                m_fcond = m_q * m_q * m_q;
                fopen0 = m_fcond * h_q;
                value = fopen0;
            }
}
            if (which == 5) {
            {
                double m_fcond, fopen0, gDensity;
                m_fcond = m_q * m_q * m_q;
                fopen0 = m_fcond * h_q;
                gDensity = condDensity * fopen0;
                value = gDensity;
            }
}
            if (which == 6) {
            {
                double m_fcond, fopen0, gDensity, iDensity;
                m_fcond = m_q * m_q * m_q;
                fopen0 = m_fcond * h_q;
                gDensity = condDensity * fopen0;
                iDensity = gDensity * (erev - v);
                value = iDensity;
            }
}
            if (which == 7) {
            {
                double m_forwardRate_x, m_forwardRate_r;
                m_forwardRate_x = (v - m_forwardRate_midpoint) / 0.01;
                m_forwardRate_r = 1000.0 * nm_exprelr(m_forwardRate_x);
                value = m_forwardRate_r;
            }
}
            if (which == 8) {
            {
                double m_forwardRate_x, m_forwardRate_r;
                m_forwardRate_x = (v - m_forwardRate_midpoint) / 0.01;
                m_forwardRate_r = 1000.0 * nm_exprelr(m_forwardRate_x);
                value = m_forwardRate_r;
            }
}
            if (which == 9) {
            {
                double m_reverseRate_r;
                m_reverseRate_r = 4000.0 * nm_exp((v - (-0.065)) / (-0.018));
                value = m_reverseRate_r;
            }
}
            if (which == 10) {
            {
                double m_reverseRate_r;
                m_reverseRate_r = 4000.0 * nm_exp((v - (-0.065)) / (-0.018));
                value = m_reverseRate_r;
            }
}
            if (which == 11) {
            {
                double h_forwardRate_r;
                h_forwardRate_r = 70.0 * nm_exp((v - (-0.065)) / (-0.02));
                value = h_forwardRate_r;
            }
}
            if (which == 12) {
            {
                double h_forwardRate_r;
                h_forwardRate_r = 70.0 * nm_exp((v - (-0.065)) / (-0.02));
                value = h_forwardRate_r;
            }
}
            if (which == 13) {
            {
                double h_reverseRate_r;
                h_reverseRate_r = 1000.0 / (1.0 + nm_exp(-((v - (-0.035)) / 0.01)));
                value = h_reverseRate_r;
            }
}
            if (which == 14) {
            {
                double h_reverseRate_r;
                h_reverseRate_r = 1000.0 / (1.0 + nm_exp(-((v - (-0.035)) / 0.01)));
                value = h_reverseRate_r;
            }
}
    return value;
}

/* density k_channel */

static void m_k_channel_initial(Run *R) {
    const int32_t *restrict at = R->node[2];
    const int count = R->count[2];
    const double temperature = R->temperature;
    const uint8_t *restrict live__ = R->live[2];
    const double *restrict v__ = R->v;
    const double *restrict condDensity__ = R->number[9];
    const double *restrict erev__ = R->number[10];
    double *restrict n_q__ = R->state[2];
EACH {
        LIT;
        LANES {
            const int j = i * W + l, k = at[i] * W + l;
            const double v = v__[k];
            const double condDensity = condDensity__[j];
            const double erev = erev__[j];
            double n_q = n_q__[j];
            {
                double n_forwardRate_x, n_forwardRate_r, n_reverseRate_r;
                n_forwardRate_x = (v - (-0.055)) / 0.01;
                n_forwardRate_r = 100.0 * nm_exprelr(n_forwardRate_x);
                n_reverseRate_r = 125.0 * nm_exp((v - (-0.065)) / (-0.08));
                n_q = n_forwardRate_r / (n_forwardRate_r + n_reverseRate_r);
            }
            n_q__[j] = n_q;
}
    }
}

static void m_k_channel_advance(Run *R, double h) {
    const int32_t *restrict at = R->node[2];
    const int count = R->count[2];
    const double temperature = R->temperature;
    const uint8_t *restrict live__ = R->live[2];
    const double *restrict v__ = R->v;
    const double *restrict condDensity__ = R->number[9];
    const double *restrict erev__ = R->number[10];
    double *restrict n_q__ = R->state[2];
EACH {
        LIT;
        LANES {
            const int j = i * W + l, k = at[i] * W + l;
            const double v = v__[k];
            const double condDensity = condDensity__[j];
            const double erev = erev__[j];
            double n_q = n_q__[j];
            {
                double n_forwardRate_x, n_forwardRate_r, n_reverseRate_r, n_q_loss, n_q_gain;
                n_forwardRate_x = (v - (-0.055)) / 0.01;
                n_forwardRate_r = 100.0 * nm_exprelr(n_forwardRate_x);
                n_reverseRate_r = 125.0 * nm_exp((v - (-0.065)) / (-0.08));
                n_q_loss = n_forwardRate_r + n_reverseRate_r;
                n_q_gain = n_forwardRate_r * 1.0;
                n_q = n_q + (n_q_gain - n_q_loss * n_q) * h * nm_growth(n_q_loss * h);
            }
            n_q__[j] = n_q;
}
    }
}

/* from `before` seconds before the present moment to `past` seconds after it */
static void m_k_channel_stagger(Run *R, double before, double past) {
    const double length = before + past;
    const int32_t *restrict at = R->node[2];
    const int count = R->count[2];
    const double temperature = R->temperature;
    const uint8_t *restrict live__ = R->live[2];
    const double *restrict v__ = R->v;
    const double *restrict condDensity__ = R->number[9];
    const double *restrict erev__ = R->number[10];
    double *restrict n_q__ = R->state[2];
    const double *restrict v_slope__ = R->v_slope;
    EACH
        LANES {
            const int j = i * W + l, k = at[i] * W + l;
            const double v = v__[k];
            const double condDensity = condDensity__[j];
            const double erev = erev__[j];
            double n_q = n_q__[j];
            const double v_a = v - before * v_slope__[k], v_b = v + past * v_slope__[k];
            double n_q_ga = 0.0, n_q_la = 0.0, n_q_gb = 0.0, n_q_lb = 0.0;
            {
                const double v = v_a;
                double n_forwardRate_x, n_forwardRate_r, n_reverseRate_r;
                n_forwardRate_x = (v - (-0.055)) / 0.01;
                n_forwardRate_r = 100.0 * nm_exprelr(n_forwardRate_x);
                n_q_ga = n_forwardRate_r * 1.0;
                n_reverseRate_r = 125.0 * nm_exp((v - (-0.065)) / (-0.08));
                n_q_la = n_forwardRate_r + n_reverseRate_r;
            }
            {
                const double v = v_b;
                double n_forwardRate_x, n_forwardRate_r, n_reverseRate_r;
                n_forwardRate_x = (v - (-0.055)) / 0.01;
                n_forwardRate_r = 100.0 * nm_exprelr(n_forwardRate_x);
                n_q_gb = n_forwardRate_r * 1.0;
                n_reverseRate_r = 125.0 * nm_exp((v - (-0.065)) / (-0.08));
                n_q_lb = n_forwardRate_r + n_reverseRate_r;
            }
            n_q = nm_ramped(n_q, n_q_ga, n_q_la, n_q_gb, n_q_lb, length);
            n_q__[j] = n_q;
}
}

/* rows of s_inf, its slope and the loss, gate by gate */
static void m_k_channel_rates_of(const Run *R, double low, double spacing, int rows, double *restrict base) {
    const int32_t *restrict at = R->node[2];
    const int count = R->count[2];
    const double temperature = R->temperature;
    const uint8_t *restrict live__ = R->live[2];
    const double *restrict v__ = R->v;
    const double *restrict condDensity__ = R->number[9];
    const double *restrict erev__ = R->number[10];
    double *restrict n_q__ = R->state[2];
const int l = 0, j = 0;
    APART for (int row = 0; row < rows; ++row) {
            double target[3][1], loss[1], gain[1];
            for (int side = 2; side >= 0; --side) {
                const double v = low + spacing * row + (side == 1 ? 1e-5 : (side == 2 ? -1e-5 : 0.0));
            {
                double n_forwardRate_x, n_forwardRate_r, n_reverseRate_r;
                n_forwardRate_x = (v - (-0.055)) / 0.01;
                n_forwardRate_r = 100.0 * nm_exprelr(n_forwardRate_x);
                gain[0] = n_forwardRate_r * 1.0;
                n_reverseRate_r = 125.0 * nm_exp((v - (-0.065)) / (-0.08));
                loss[0] = n_forwardRate_r + n_reverseRate_r;
            }
for (int g = 0; g < 1; ++g) target[side][g] = gain[g] / loss[g];
            }
            for (int g = 0; g < 1; ++g) {
                double *restrict place = base + ((int64_t)row * 1 + g) * 3;
                place[0] = target[0][g];
                place[1] = (target[1][g] - target[2][g]) * 5e4;
                place[2] = loss[g];
            }
    }
    (void)j, (void)count, (void)at;
}

static void m_k_channel_look_up(Run *R, const double *restrict table) {
    const int32_t *restrict at = R->node[2];
    const int count = R->count[2];
    const double temperature = R->temperature;
    const uint8_t *restrict live__ = R->live[2];
    const double *restrict v__ = R->v;
    const double *restrict condDensity__ = R->number[9];
    const double *restrict erev__ = R->number[10];
    double *restrict n_q__ = R->state[2];
const int32_t *restrict row__ = R->row;
    const double *restrict share__ = R->share, *restrict v_slope__ = R->v_slope;
#if CHAINS
    for (int i = 0; i < count; ++i) {
        const int k = at[i] * W;
        EACH_PART {
            const int q = k + p * N, j = i * W + p * N;
            const Vec bend = READ(v_slope__ + q);
            VECTOR(n_q__ + j) = moved_by(look_up(table + 0 * COLUMNS, row__ + q, 1 * COLUMNS, share__ + q), READ(n_q__ + j), bend);
        }
    }
#else
    EACH {
        const int k = at[i];
        const double *from = table + row__[k] * 1 * COLUMNS;
        const double f = share__[k], bend = v_slope__[k];
        {
            const double gain = nm_fused(f, from[0 * COLUMNS + ONWARD], from[0 * COLUMNS + 0]);
            const double kept = nm_fused(f, from[0 * COLUMNS + ONWARD + 1], from[0 * COLUMNS + 1]);
            const double lead = nm_fused(f, from[0 * COLUMNS + ONWARD + 2], from[0 * COLUMNS + 2]);
            n_q__[i] = nm_fused(kept, n_q__[i], nm_fused(lead, bend, gain));
        }
    }
#endif
}

static void m_k_channel_current(Run *R, int from, int to) {
    const int32_t *restrict at = R->node[2];
    const int count = R->count[2];
    const double temperature = R->temperature;
    const uint8_t *restrict live__ = R->live[2];
    const double *restrict v__ = R->v;
    const double *restrict condDensity__ = R->number[9];
    const double *restrict erev__ = R->number[10];
    double *restrict n_q__ = R->state[2];
double *restrict here__ = R->here, *restrict slope__ = R->slope;
    const double *restrict area__ = R->number[3];
    double *restrict rhs__ = R->rhs, *restrict diag__ = R->diag;
    EACH_IN_ORDER {
        LIT;
        LANES {
            const int j = i * W + l, k = at[i] * W + l;
            const double v = v__[k];
            const double condDensity = condDensity__[j];
            const double erev = erev__[j];
            double n_q = n_q__[j];
double here = 0.0, slope = 0.0;
            {
                double n_fcond, gDensity, iDensity;
                n_fcond = n_q * n_q * n_q * n_q;
                gDensity = condDensity * n_fcond;
                iDensity = gDensity * (erev - v);
                here = iDensity;
                slope = -gDensity;
            }
            const double area = area__[k];
            const double flow = IF_LIVE(here * area, 0.0), falls = IF_LIVE(slope * area, 0.0);
#if CHAINS
            rhs__[k] += flow;
            diag__[k] -= falls;
#else
            here__[j] = flow;
            slope__[j] = falls;
#endif
        }
    }
#if !CHAINS
    gather_current(R, 2, -1);
#endif
}

static double m_k_channel_expose(const Run *R, int i, int l, int which) {
    const int32_t *restrict at = R->node[2];
    const int count = R->count[2];
    const double temperature = R->temperature;
    const uint8_t *restrict live__ = R->live[2];
    const double *restrict v__ = R->v;
    const double *restrict condDensity__ = R->number[9];
    const double *restrict erev__ = R->number[10];
    double *restrict n_q__ = R->state[2];
const int j = i * W + l, k = at[i] * W + l;
            const double v = v__[k];
            const double condDensity = condDensity__[j];
            const double erev = erev__[j];
            double n_q = n_q__[j];
double value = NAN;
            if (which == 0) {
            {
                value = n_q;
            }
}
            if (which == 1) {
            {
                double n_fcond;
                n_fcond = n_q * n_q * n_q * n_q;
                value = n_fcond;
            }
}
            if (which == 2) {
            {
                double n_fcond;
                n_fcond = n_q * n_q * n_q * n_q;
                value = n_fcond;
            }
}
            if (which == 3) {
            {
                double n_fcond, gDensity;
                n_fcond = n_q * n_q * n_q * n_q;
                gDensity = condDensity * n_fcond;
                value = gDensity;
            }
}
            if (which == 4) {
            {
                double n_fcond, gDensity, iDensity;
                n_fcond = n_q * n_q * n_q * n_q;
                gDensity = condDensity * n_fcond;
                iDensity = gDensity * (erev - v);
                value = iDensity;
            }
}
            if (which == 5) {
            {
                double n_forwardRate_x, n_forwardRate_r;
                n_forwardRate_x = (v - (-0.055)) / 0.01;
                n_forwardRate_r = 100.0 * nm_exprelr(n_forwardRate_x);
                value = n_forwardRate_r;
            }
}
            if (which == 6) {
            {
                double n_forwardRate_x, n_forwardRate_r;
                n_forwardRate_x = (v - (-0.055)) / 0.01;
                n_forwardRate_r = 100.0 * nm_exprelr(n_forwardRate_x);
                value = n_forwardRate_r;
            }
}
            if (which == 7) {
            {
                double n_reverseRate_r;
                n_reverseRate_r = 125.0 * nm_exp((v - (-0.065)) / (-0.08));
                value = n_reverseRate_r;
            }
}
            if (which == 8) {
            {
                double n_reverseRate_r;
                n_reverseRate_r = 125.0 * nm_exp((v - (-0.065)) / (-0.08));
                value = n_reverseRate_r;
            }
}
    return value;
}

static const int feeds_ions[] = {0, 0, 0, 0};
