/* SPDX-License-Identifier: MIT */
#include "streamd/session/registry_look.h"

#include "streamd/session/session_life.h"
#include "streamd/session/session_state.h"

#include <string.h>

enum status registry_look_begin(struct registry *r, struct store *store)
{
    struct buf epoch;
    buf_init(&epoch, sizeof(r->epoch) - 1);
    enum status status = store->ops->get_meta(store, "epoch", &epoch);
    memset(r->epoch, 0, sizeof(r->epoch));
    if (status == OK && epoch.len > 0)
        memcpy(r->epoch, epoch.ptr, epoch.len);
    buf_fini(&epoch);
    return status == E_IO || status == E_NOMEM ? status : OK;
}

enum status registry_look(struct registry *r, const struct store_session *row, struct session **out)
{
    struct session *s = session_id_valid(row->id) ? session_create(r, row->id) : NULL;
    if (!s)
        return session_id_valid(row->id) ? E_NOMEM : E_MALFORMED;
    enum status status = session_state_restore(s, row, &r->decoder);
    if (status != OK) {
        session_destroy(s);
        return status;
    }
    session_recall(s);
    *out = s;
    return OK;
}

void registry_look_end(struct session *s)
{
    if (s)
        session_destroy(s);
}
