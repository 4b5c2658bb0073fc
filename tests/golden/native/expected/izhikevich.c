static void m_regular_spiking_initial(Run *R, int i) {
    LANES {
        const double temperature = R->temperature, t = R->t, dt = R->dt;
        double now = 1e-3 * t;
        double inverse0 = R->held[0][l];
        double u_growth_mid0 = R->held[1][l];
        double u_growth_end0 = R->held[2][l];
        double vm = R->state[0][i * W + l], old_vm = 0.0;
        double u = R->state[1][i * W + l], old_u = 0.0;
        double drive = R->drive[l], sum_i = R->sum_i[l], sum_g = R->sum_g[l], last_i = R->last_i[l], last_g = R->last_g[l];
        double spike_t = R->spike_t[l], spike_v = R->spike_v[l], regime = R->regime[l];
        const double start_given = !isnan(R->E->v_init), start = R->E->v_init;
        {
            now = 0.0;
            vm = (-0.06);
            u = 0.0;
            if (start_given) {
                vm = start;
            }
            spike_t = -1.0;
            spike_v = 0.0;
            regime = 0;
        }
        R->state[0][i * W + l] = vm;
        R->state[1][i * W + l] = u;
        R->sum_i[l] = sum_i, R->sum_g[l] = sum_g;
        R->last_i[l] = last_i, R->last_g[l] = last_g, R->spike_t[l] = spike_t, R->spike_v[l] = spike_v;
        R->regime[l] = regime;
    }
}

/* What does not change in a run. */
static void hold(Run *R) {
    const int i = 0;
    LANES {
        const double temperature = R->temperature, t = R->t, dt = R->dt;
        double now = 1e-3 * t;
        double inverse0 = R->held[0][l];
        double u_growth_mid0 = R->held[1][l];
        double u_growth_end0 = R->held[2][l];
        double vm = R->state[0][i * W + l], old_vm = 0.0;
        double u = R->state[1][i * W + l], old_u = 0.0;
        double drive = R->drive[l], sum_i = R->sum_i[l], sum_g = R->sum_g[l], last_i = R->last_i[l], last_g = R->last_g[l];
        double spike_t = R->spike_t[l], spike_v = R->spike_v[l], regime = R->regime[l];
        const double start_given = !isnan(R->E->v_init), start = R->E->v_init;
        {
            const double h = 0.001 * dt;
            double u_loss;
            inverse0 = 1.0 / 1e-10;
            u_loss = 50.0;
            u_growth_mid0 = growth(u_loss * (0.5 * h));
            u_growth_end0 = growth(u_loss * h);
        }
        R->held[0][l] = inverse0;
        R->held[1][l] = u_growth_mid0;
        R->held[2][l] = u_growth_end0;
    }
}

/* One step of all lanes in which nothing happens; lanes in which something did stay where they were. */
static int64_t glide(Run *R) {
    const int i = 0;
    LANES {
        const double temperature = R->temperature, t = R->t, dt = R->dt;
        double now = 1e-3 * t;
        double inverse0 = R->held[0][l];
        double u_growth_mid0 = R->held[1][l];
        double u_growth_end0 = R->held[2][l];
        double vm = R->state[0][i * W + l], old_vm = 0.0;
        double u = R->state[1][i * W + l], old_u = 0.0;
        double drive = R->drive[l], sum_i = R->sum_i[l], sum_g = R->sum_g[l], last_i = R->last_i[l], last_g = R->last_g[l];
        double spike_t = R->spike_t[l], spike_v = R->spike_v[l], regime = R->regime[l];
        const double start_given = !isnan(R->E->v_init), start = R->E->v_init;
        int64_t hit = 0;
        {
            const double h = 0.001 * dt;
            double begin, iMemb, vm_rate, u_loss, u_gain, after1;
            now = 0.001 * t - h;
            old_vm = vm;
            old_u = u;
            begin = now;
            iMemb = 1.1e-06 * (vm - (-0.06)) * (vm - (-0.04)) + drive - u;
            vm_rate = iMemb * inverse0;
            u_loss = 50.0;
            u_gain = 50.0 * ((-1e-09) * (vm - (-0.06)));
            vm = old_vm + (0.5 * h) * vm_rate;
            u = old_u + (u_gain - u_loss * old_u) * (0.5 * h) * u_growth_mid0;
            now = now + 0.5 * h;
            iMemb = 1.1e-06 * (vm - (-0.06)) * (vm - (-0.04)) + drive - u;
            vm_rate = iMemb * inverse0;
            u_loss = 50.0;
            u_gain = 50.0 * ((-1e-09) * (vm - (-0.06)));
            vm = old_vm + h * vm_rate;
            u = old_u + (u_gain - u_loss * old_u) * h * u_growth_end0;
            now = begin + h;
            after1 = vm - 0.035;
            hit = (after1 > 0.0);
        }
        R->state[0][l] = hit ? old_vm : vm;
        R->state[1][l] = hit ? old_u : u;
        R->flag[l] = hit ? HIT : (nm_abs(vm) < MOST_V ? QUIET : AWAY);
    }
    int64_t any = 0;
    LANES any |= R->flag[l];
    return any;
}

/* One step of one lane, with all that happens in it. */
static void advance_lane(Run *R, int l) {
    const int i = 0;
    const double temperature = R->temperature, t = R->t, dt = R->dt;
    double now = 1e-3 * t;
    double inverse0 = R->held[0][l];
    double u_growth_mid0 = R->held[1][l];
    double u_growth_end0 = R->held[2][l];
    double vm = R->state[0][i * W + l], old_vm = 0.0;
    double u = R->state[1][i * W + l], old_u = 0.0;
    double drive = R->drive[l], sum_i = R->sum_i[l], sum_g = R->sum_g[l], last_i = R->last_i[l], last_g = R->last_g[l];
    double spike_t = R->spike_t[l], spike_v = R->spike_v[l], regime = R->regime[l];
    const double start_given = !isnan(R->E->v_init), start = R->E->v_init;
    {
        double left, h, begin, passes, hit, theta, fresh, before1, after1;
        left = 0.001 * dt;
        now = 0.001 * t - left;
        h = left;
        passes = 0.0;
        while (left > 1e-9 * dt && passes < 400) {
            passes = passes + 1;
            if (h > left) {
                h = left;
            }
            old_vm = vm;
            old_u = u;
            before1 = vm - 0.035;
            begin = now;
            {
                double iMemb, inverse0, vm_rate, u_loss, u_gain;
                iMemb = 1.1e-06 * (vm - (-0.06)) * (vm - (-0.04)) + drive - u;
                inverse0 = 1.0 / 1e-10;
                vm_rate = iMemb * inverse0;
                u_loss = 50.0;
                u_gain = 50.0 * ((-1e-09) * (vm - (-0.06)));
                vm = old_vm + (0.5 * h) * vm_rate;
                u = old_u + (u_gain - u_loss * old_u) * (0.5 * h) * growth(u_loss * (0.5 * h));
                now = now + 0.5 * h;
                iMemb = 1.1e-06 * (vm - (-0.06)) * (vm - (-0.04)) + drive - u;
                inverse0 = 1.0 / 1e-10;
                vm_rate = iMemb * inverse0;
                u_loss = 50.0;
                u_gain = 50.0 * ((-1e-09) * (vm - (-0.06)));
                vm = old_vm + h * vm_rate;
                u = old_u + (u_gain - u_loss * old_u) * h * growth(u_loss * h);
            }
            now = begin + h;
            hit = 0.0;
            theta = 1.0;
            fresh = 0.0;
            after1 = vm - 0.035;
            if (after1 > 0.0) {
                if (before1 >= 0.0) {
                    if (hit == 0.0) {
                        hit = 1;
                    }
                } else if (fresh == 0.0 || before1 / (before1 - after1) < theta) {
                    hit = 1;
                    fresh = 1.0;
                    theta = before1 / (before1 - after1);
                }
            }
            if (fresh > 0.0 && h > 0.001 * (0.001 * dt)) {
                vm = old_vm;
                u = old_u;
                now = begin;
                h = 0.5 * h;
            } else if (hit > 0.0) {
                vm = old_vm + theta * (vm - old_vm);
                u = old_u + theta * (u - old_u);
                now = begin + theta * h;
                left = left - theta * h;
                h = left;
                if (hit == 1) {
                    spike_t = now;
                    spike_v = vm;
                    vm = (-0.055);
                    u = u + 1.6e-10;
                    hit = 0.0;
                }
            } else {
                left = left - h;
            }
        }
    }
    R->state[0][i * W + l] = vm;
    R->state[1][i * W + l] = u;
    R->sum_i[l] = sum_i, R->sum_g[l] = sum_g;
    R->last_i[l] = last_i, R->last_g[l] = last_g, R->spike_t[l] = spike_t, R->spike_v[l] = spike_v;
    R->regime[l] = regime;
}

static void m_regular_spiking_expose(const Run *R, int i, int which, double *row) {
    if (which == 0)
        LANES {
            const double temperature = R->temperature, t = R->t, dt = R->dt;
            double now = 1e-3 * t;
            double inverse0 = R->held[0][l];
            double u_growth_mid0 = R->held[1][l];
            double u_growth_end0 = R->held[2][l];
            double vm = R->state[0][i * W + l], old_vm = 0.0;
            double u = R->state[1][i * W + l], old_u = 0.0;
            double drive = R->drive[l], sum_i = R->sum_i[l], sum_g = R->sum_g[l], last_i = R->last_i[l], last_g = R->last_g[l];
            double spike_t = R->spike_t[l], spike_v = R->spike_v[l], regime = R->regime[l];
            const double start_given = !isnan(R->E->v_init), start = R->E->v_init;
            sum_i = last_i, sum_g = last_g;
            double value;
            {
                value = vm;
            }
            row[l] = value;
        }
    if (which == 1)
        LANES {
            const double temperature = R->temperature, t = R->t, dt = R->dt;
            double now = 1e-3 * t;
            double inverse0 = R->held[0][l];
            double u_growth_mid0 = R->held[1][l];
            double u_growth_end0 = R->held[2][l];
            double vm = R->state[0][i * W + l], old_vm = 0.0;
            double u = R->state[1][i * W + l], old_u = 0.0;
            double drive = R->drive[l], sum_i = R->sum_i[l], sum_g = R->sum_g[l], last_i = R->last_i[l], last_g = R->last_g[l];
            double spike_t = R->spike_t[l], spike_v = R->spike_v[l], regime = R->regime[l];
            const double start_given = !isnan(R->E->v_init), start = R->E->v_init;
            sum_i = last_i, sum_g = last_g;
            double value;
            {
                value = u;
            }
            row[l] = value;
        }
    if (which == 2)
        LANES {
            const double temperature = R->temperature, t = R->t, dt = R->dt;
            double now = 1e-3 * t;
            double inverse0 = R->held[0][l];
            double u_growth_mid0 = R->held[1][l];
            double u_growth_end0 = R->held[2][l];
            double vm = R->state[0][i * W + l], old_vm = 0.0;
            double u = R->state[1][i * W + l], old_u = 0.0;
            double drive = R->drive[l], sum_i = R->sum_i[l], sum_g = R->sum_g[l], last_i = R->last_i[l], last_g = R->last_g[l];
            double spike_t = R->spike_t[l], spike_v = R->spike_v[l], regime = R->regime[l];
            const double start_given = !isnan(R->E->v_init), start = R->E->v_init;
            sum_i = last_i, sum_g = last_g;
            double value;
            {
                double iMemb;
                iMemb = 1.1e-06 * (vm - (-0.06)) * (vm - (-0.04)) + drive - u;
                value = iMemb;
            }
            row[l] = value;
        }
}

