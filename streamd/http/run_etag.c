/* SPDX-License-Identifier: MIT */
#include "streamd/http/run_etag.h"

#include "streamd/app.h"

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * 0x9e3779b97f4a7c15ULL;
    return hash ^ (hash >> 29);
}

static uint64_t hash_of(const struct app *app, const struct session *s, enum run_view view)
{
    uint64_t hash = mix(app->started.us, (uint64_t)app->started.wall_s);
    hash = mix(hash, s->start_us);
    hash = mix(hash, s->version);
    hash = mix(hash, view);
    for (size_t i = 0; i < s->id_len; i++)
        hash = mix(hash, (unsigned char)s->id[i]);
    return hash;
}

void run_etag(struct reply *reply, const struct app *app, const struct session *s,
              enum run_view view)
{
    uint64_t hash = hash_of(app, s, view);
    reply->etag = hash != 0 ? hash : 1;
    reply->cache_control = "private, no-cache";
}
