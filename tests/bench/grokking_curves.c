/* SPDX-License-Identifier: MIT */
/*
 * grokking_curves: what the demo's models say of themselves until they have found the rule.
 *
 *   build/release/bench/grokking_curves STEPS SEED MODEL > curve.json
 *
 * One model of demo-trainer, reported as it reports it (every fourth step), until a while after it
 * knows 95 % of the pairs that it never saw, or to the last step. tests/vectors/grokking*.json are
 * made of it.
 */
#include "demo/trainee.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { REPORT_EVERY = 4, LINGER = 200 /* steps */, POINTS_MAX = 16384 };

struct report {
    unsigned long step;
    double loss, val_loss;
};

static size_t train(struct trainee *t, unsigned long steps, struct report *out)
{
    size_t count = 0;
    unsigned long end = steps;
    for (unsigned long step = 1; step <= end && count < POINTS_MAX; step++) {
        struct mlp_score score = trainee_step(t);
        if (step % REPORT_EVERY != 0 && step != 1)
            continue;
        struct mlp_score val = trainee_validate(t);
        out[count++] = (struct report){step, score.loss, val.loss};
        if (val.accuracy > 0.95 && end == steps)
            end = step + LINGER < steps ? step + LINGER : steps;
    }
    return count;
}

static void print(const char *name, const struct report *r, size_t count)
{
    printf("\"%s\":[", name);
    for (size_t i = 0; i < count; i++) {
        const char *comma = i ? "," : "";
        if (name[0] == 's')
            printf("%s%lu", comma, r[i].step);
        else
            printf("%s%.4g", comma, name[0] == 'l' ? r[i].loss : r[i].val_loss);
    }
    printf("]");
}

int main(int argc, char **argv)
{
    static struct report reports[POINTS_MAX];
    struct trainee t;
    if (argc != 4) {
        (void)fprintf(stderr, "usage: grokking_curves STEPS SEED MODEL\n");
        return 2;
    }
    unsigned long seed = strtoul(argv[2], NULL, 10);
    unsigned model = (unsigned)strtoul(argv[3], NULL, 10);
    if (trainee_init(&t, seed, model) != OK)
        return EXIT_FAILURE;
    size_t count = train(&t, strtoul(argv[1], NULL, 10), reports);
    printf("{\"seed\":%lu,\"model\":%u,", seed, model);
    print("step", reports, count);
    printf(",");
    print("loss", reports, count);
    printf(",");
    print("val_loss", reports, count);
    printf("}\n");
    trainee_fini(&t);
    return 0;
}
