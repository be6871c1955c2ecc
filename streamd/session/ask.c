/* SPDX-License-Identifier: MIT */
/*
 * A reading sees what was given to the keeper before it, so what the session still holds is given
 * first: whoever asks for history finds in it what he was told a moment ago.
 */
#include "streamd/session/ask.h"

#include "streamd/session/registry.h"

#include <string.h>

void ask_of_nobody(enum reading_form form, struct reading_request *out)
{
    *out = (struct reading_request){.form = form, .to = UINT64_MAX, .limit = UINT64_MAX};
}

void ask_of(const struct session *s, enum reading_form form, struct reading_request *out)
{
    ask_of_nobody(form, out);
    out->session = s->key;
    out->until = series_newest(s->series);
    out->compat_clamp = s->registry->config->compat_clamp;
    memcpy(out->id, s->id, s->id_len);
    memcpy(out->epoch, s->registry->epoch, sizeof(s->registry->epoch));
    for (size_t i = 0; i < s->rewind_count; i++)
        out->rewinds[out->rewind_count++] = s->rewinds[i];
}

void ask_of_reckoning(const struct session *s, struct reading_request *out)
{
    ask_of(s, READING_RECKONING, out);
    out->since = s->life_begins > 0 ? s->life_begins - 1 : 0;
    reckoning_begin(&out->reckoning, s->config ? refbuf_span(s->config) : SPAN(""));
}

void ask_of_epochs(const struct session *s, uint64_t from, struct reading_request *out)
{
    ask_of(s, READING_EPOCHS, out);
    struct span steps = epochs_steps(&s->epochs, from, &out->epochs_before);
    if (steps.len > 0)
        memcpy(out->epochs, steps.ptr, steps.len);
    out->epochs_len = steps.len;
}

enum status ask_begin(struct registry *r, struct reading *reading,
                      const struct reading_request *request)
{
    if (!r->keeping.keeper)
        return E_STATE;
    keeping_flush(&r->keeping);
    return reading_start(reading, r->keeping.keeper, request);
}
