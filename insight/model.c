/* SPDX-License-Identifier: MIT */
#include "insight/model.h"

static const struct {
    const char *name;
    size_t at, count;
} fields[] = {
#define MODEL_ROW(field, count)                                                                    \
    {#field, offsetof(struct insight_model, field),                                                \
     sizeof(((struct insight_model *)0)->field) / sizeof(double)},
    MODEL_TABLE(MODEL_ROW)
#undef MODEL_ROW
};

const char *model_field(struct insight_model *m, size_t n, double **out_numbers, size_t *out_count)
{
    if (n >= sizeof(fields) / sizeof(fields[0]))
        return NULL;
    *out_numbers = (double *)(void *)((char *)m + fields[n].at);
    *out_count = fields[n].count;
    return fields[n].name;
}

static bool trees_sound(const double *trees)
{
    for (size_t i = 0; i < (size_t)GAIN_TREES * TREE_NUMBERS; i++) {
        double feature = trees[i];
        bool splits = i % TREE_NUMBERS < TREE_SPLITS;
        if (splits && !(feature >= 0 && feature < GAIN_FEATURES))
            return false;
    }
    return true;
}

bool model_sound(const struct insight_model *m)
{
    return trees_sound(m->gain_trees) && trees_sound(m->strict_trees);
}

double model_dot(const double *weights, const double *features, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += weights[i] * features[i];
    return sum;
}

double model_trees(const double *trees, size_t count, const double *features)
{
    double sum = 0;
    for (const double *t = trees; t < trees + count * TREE_NUMBERS; t += TREE_NUMBERS) {
        size_t node = 0;
        while (node < TREE_SPLITS)
            node = 2 * node + (features[(size_t)t[node]] > t[TREE_SPLITS + node] ? 2 : 1);
        sum += t[TREE_SPLITS + node];
    }
    return sum;
}
