/* SPDX-License-Identifier: MIT */
#include "streamd/session/config_diff.h"

#include "base/refbuf.h"
#include "streamd/session/session.h"

#include <assert.h>
#include <string.h>

/* The configuration of one run while it is walked. */
struct side {
    struct config_diff *diff;
    size_t number;
};

static void keep_leaf(void *context, struct span path, struct span value)
{
    const struct side *side = context;
    struct config_diff *d = side->diff;
    size_t i = 0;
    while (i < d->count && !span_eq(span_of(d->at[i].path), path))
        i++;
    if (i == CONFIG_DIFF_MAX)
        return;
    if (i == d->count) {
        d->count++;
        memset(&d->at[i], 0, sizeof(d->at[i]));
        memcpy(d->at[i].path, path.ptr, path.len);
    }
    value = span_head(value, CONFIG_DIFF_VALUE_MAX - 1);
    memset(d->at[i].values[side->number], 0, CONFIG_DIFF_VALUE_MAX);
    memcpy(d->at[i].values[side->number], value.ptr, value.len);
}

static bool differs(const struct config_leaf *leaf, size_t sides)
{
    for (size_t i = 1; i < sides; i++) {
        if (strcmp(leaf->values[0], leaf->values[i]) != 0)
            return true;
    }
    return false;
}

void config_diff_find(const struct session *const *runs, size_t count, struct config_diff *out)
{
    size_t kept = 0;
    assert(count > 0 && count <= CONFIG_DIFF_SIDES);
    out->count = 0;
    out->sides = count;
    for (size_t i = 0; i < count; i++) {
        struct side side = {out, i};
        if (runs[i]->config &&
            json_leaves(refbuf_span(runs[i]->config), keep_leaf, &side) == E_NOMEM) {
            out->count = 0;
            return;
        }
    }
    for (size_t i = 0; i < out->count; i++) {
        if (differs(&out->at[i], count))
            out->at[kept++] = out->at[i];
    }
    out->count = kept;
}
