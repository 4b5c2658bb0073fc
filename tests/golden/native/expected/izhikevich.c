static void m_regular_spiking_initial(Run *R, int i) {
    const double temperature = R->temperature, t = R->t, dt = R->dt;
    double now = 1e-3 * t;
    double vm = R->state[0][i], old_vm = 0.0;
    double u = R->state[1][i], old_u = 0.0;
    double drive = R->drive, sum_i = R->sum_i, sum_g = R->sum_g, last_i = R->last_i, last_g = R->last_g;
    double spike_t = R->spike_t, spike_v = R->spike_v, regime = R->regime;
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
    R->state[0][i] = vm;
    R->state[1][i] = u;
    R->sum_i = sum_i, R->sum_g = sum_g;
    R->last_i = last_i, R->last_g = last_g, R->spike_t = spike_t, R->spike_v = spike_v, R->regime = regime;
    R->cell_v = vm;
}

static void m_regular_spiking_advance(Run *R, int i) {
    const double temperature = R->temperature, t = R->t, dt = R->dt;
    double now = 1e-3 * t;
    double vm = R->state[0][i], old_vm = 0.0;
    double u = R->state[1][i], old_u = 0.0;
    double drive = R->drive, sum_i = R->sum_i, sum_g = R->sum_g, last_i = R->last_i, last_g = R->last_g;
    double spike_t = R->spike_t, spike_v = R->spike_v, regime = R->regime;
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
                double iMemb, vm_rate, u_loss, u_gain;
                iMemb = 1.1e-06 * (vm - (-0.06)) * (vm - (-0.04)) + drive - u;
                vm_rate = iMemb / 1e-10;
                u_loss = 50.0;
                u_gain = 50.0 * ((-1e-09) * (vm - (-0.06)));
                vm = old_vm + (0.5 * h) * vm_rate;
                u = old_u + (u_gain - u_loss * old_u) * (0.5 * h) * growth(u_loss * (0.5 * h));
                now = now + 0.5 * h;
                iMemb = 1.1e-06 * (vm - (-0.06)) * (vm - (-0.04)) + drive - u;
                vm_rate = iMemb / 1e-10;
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
    R->state[0][i] = vm;
    R->state[1][i] = u;
    R->sum_i = sum_i, R->sum_g = sum_g;
    R->last_i = last_i, R->last_g = last_g, R->spike_t = spike_t, R->spike_v = spike_v, R->regime = regime;
    R->cell_v = vm;
}

static double m_regular_spiking_expose(const Run *R, int i, int which) {
    const double temperature = R->temperature, t = R->t, dt = R->dt;
    double now = 1e-3 * t;
    double vm = R->state[0][i], old_vm = 0.0;
    double u = R->state[1][i], old_u = 0.0;
    double drive = R->drive, sum_i = R->sum_i, sum_g = R->sum_g, last_i = R->last_i, last_g = R->last_g;
    double spike_t = R->spike_t, spike_v = R->spike_v, regime = R->regime;
    const double start_given = !isnan(R->E->v_init), start = R->E->v_init;
    sum_i = last_i, sum_g = last_g;
    double value = NAN;
    if (which == 0)
    {
        value = vm;
    }
    if (which == 1)
    {
        value = u;
    }
    if (which == 2)
    {
        double iMemb;
        iMemb = 1.1e-06 * (vm - (-0.06)) * (vm - (-0.04)) + drive - u;
        value = iMemb;
    }
    return value;
}

