/* SPDX-License-Identifier: MIT */
/*
 * The two bias corrections are folded into one step size and one epsilon, computed in double once a
 * step; the loop over the parameters is then the same few float operations for every element and
 * has no branch, which is what lets the compiler vectorise it (square root and division included).
 */
#include "demo/adamw.h"

#include <math.h>
#include <stdlib.h>

enum status adamw_init(struct adamw *adamw, const struct adamw_options *options, size_t count)
{
    *adamw = (struct adamw){.options = *options, .count = count};
    adamw->mean = calloc(count, sizeof(float));
    adamw->square = calloc(count, sizeof(float));
    if (!adamw->mean || !adamw->square) {
        adamw_fini(adamw);
        return E_NOMEM;
    }
    return OK;
}

void adamw_fini(struct adamw *adamw)
{
    free(adamw->mean);
    free(adamw->square);
    *adamw = (struct adamw){0};
}

void adamw_step(struct adamw *adamw, float *restrict params, const float *restrict gradients)
{
    const struct adamw_options *o = &adamw->options;
    adamw->step++;
    double mean_correction = 1.0 - pow(o->beta1, (double)adamw->step);
    double square_correction = sqrt(1.0 - pow(o->beta2, (double)adamw->step));
    float rate = (float)(o->learning_rate * square_correction / mean_correction);
    float epsilon = (float)(o->epsilon * square_correction);
    float keep = (float)(1.0 - o->learning_rate * o->weight_decay);
    float beta1 = (float)o->beta1;
    float beta2 = (float)o->beta2;
    float *restrict mean = adamw->mean;
    float *restrict square = adamw->square;

    for (size_t i = 0; i < adamw->count; i++) {
        float gradient = gradients[i];
        mean[i] = beta1 * mean[i] + (1.0F - beta1) * gradient;
        square[i] = beta2 * square[i] + (1.0F - beta2) * gradient * gradient;
        params[i] = keep * params[i] - rate * mean[i] / (sqrtf(square[i]) + epsilon);
    }
}
