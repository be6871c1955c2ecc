/* SPDX-License-Identifier: MIT */
/* Calls go through to a store_memory; damage is told in the way that store.h says. */
#include "tests/support/lasting_store.h"

#include "streamd/store/store_memory.h"

#include <assert.h>
#include <string.h>

static struct lasting_store *inside(const struct store *s)
{
    return (struct lasting_store *)(void *)s;
}

static enum status lasting_begin(struct store *base)
{
    struct lasting_store *s = inside(base);
    enum status status = s->broken ? E_IO : s->rows->ops->begin(s->rows);
    s->refusals += status != OK;
    return status;
}

static enum status lasting_commit(struct store *base)
{
    struct lasting_store *s = inside(base);
    enum status status = s->rows->ops->commit(s->rows);
    s->commits += status == OK;
    s->refusals += status != OK;
    return status;
}

static void lasting_rollback(struct store *s)
{
    inside(s)->rows->ops->rollback(inside(s)->rows);
}

static enum status lasting_put_session(struct store *s, const struct store_session *row)
{
    inside(s)->sessions++;
    return inside(s)->rows->ops->put_session(inside(s)->rows, row);
}

static enum status lasting_delete_session(struct store *s, uint64_t key)
{
    return inside(s)->rows->ops->delete_session(inside(s)->rows, key);
}

static enum status lasting_put_run(struct store *s, const struct store_run *row)
{
    return inside(s)->rows->ops->put_run(inside(s)->rows, row);
}

static enum status lasting_put_segment(struct store *s, const struct store_segment *row)
{
    return inside(s)->rows->ops->put_segment(inside(s)->rows, row);
}

static enum status lasting_delete_before(struct store *s, uint64_t session, uint64_t offset)
{
    return inside(s)->rows->ops->delete_before(inside(s)->rows, session, offset);
}

static enum status lasting_put_meta(struct store *s, const char *name, struct span value)
{
    return inside(s)->rows->ops->put_meta(inside(s)->rows, name, value);
}

static enum status lasting_put_audit(struct store *s, const struct store_audit *row)
{
    return inside(s)->rows->ops->put_audit(inside(s)->rows, row);
}

static enum status lasting_delete_audit(struct store *s, uint64_t id)
{
    return inside(s)->rows->ops->delete_audit(inside(s)->rows, id);
}

static enum status lasting_next_audit(struct store *s, uint64_t after, struct store_audit *out)
{
    return inside(s)->rows->ops->next_audit(inside(s)->rows, after, out);
}

static bool is_damaged(const struct lasting_store *s, enum lasting_kind kind, uint64_t session,
                       uint64_t first)
{
    for (size_t i = 0; i < s->damaged_count; i++) {
        if (s->damaged[i].kind == kind && s->damaged[i].session == session &&
            (kind == LASTING_SESSION || s->damaged[i].first == first))
            return true;
    }
    return false;
}

static enum status lasting_get_meta(struct store *s, const char *name, struct buf *out)
{
    const char *damaged = inside(s)->damaged_meta;
    if (damaged && strcmp(damaged, name) == 0)
        return E_MALFORMED;
    return inside(s)->rows->ops->get_meta(inside(s)->rows, name, out);
}

static enum status lasting_next_session(struct store *s, uint64_t after, struct store_session *out)
{
    enum status status = inside(s)->rows->ops->next_session(inside(s)->rows, after, out);
    if (status != OK || !is_damaged(inside(s), LASTING_SESSION, out->key, 0))
        return status;
    *out = (struct store_session){.key = out->key};
    return E_MALFORMED;
}

static enum status lasting_next_run(struct store *s, uint64_t session, uint64_t offset,
                                    struct store_run *out)
{
    struct store *rows = inside(s)->rows;
    enum status status = rows->ops->next_run(rows, session, offset, out);
    if (status != OK || !is_damaged(inside(s), LASTING_RUN, session, out->first))
        return status;
    struct store_run next;
    bool more = rows->ops->next_run(rows, session, out->first + out->count, &next) == OK;
    *out = (struct store_run){session, offset, (more ? next.first : UINT64_MAX) - offset, {0}};
    return E_MALFORMED;
}

static enum status lasting_next_segment(struct store *s, uint64_t session, uint64_t offset,
                                        bool with_body, struct store_segment *out)
{
    struct store *rows = inside(s)->rows;
    enum status status = rows->ops->next_segment(rows, session, offset, with_body, out);
    if (status != OK || !is_damaged(inside(s), LASTING_SEGMENT, session, out->first))
        return status;
    struct store_segment next;
    bool more = rows->ops->next_segment(rows, session, out->first + out->count, false, &next) == OK;
    *out = (struct store_segment){
        .session = session, .first = offset, .count = (more ? next.first : UINT64_MAX) - offset};
    return E_MALFORMED;
}

static enum status lasting_shrink(struct store *s)
{
    return inside(s)->rows->ops->shrink(inside(s)->rows);
}

static uint64_t lasting_bytes(struct store *s)
{
    return inside(s)->rows->ops->bytes(inside(s)->rows);
}

static const char *lasting_why(const struct store *s)
{
    return inside(s)->broken ? "broken" : inside(s)->rows->ops->why(inside(s)->rows);
}

static void lasting_destroy(struct store *s)
{
    inside(s)->rows->ops->rollback(inside(s)->rows);
    inside(s)->destroyed++;
}

static const struct store_ops lasting_ops = {
    .begin = lasting_begin,
    .commit = lasting_commit,
    .rollback = lasting_rollback,
    .put_session = lasting_put_session,
    .delete_session = lasting_delete_session,
    .put_run = lasting_put_run,
    .put_segment = lasting_put_segment,
    .delete_before = lasting_delete_before,
    .put_audit = lasting_put_audit,
    .delete_audit = lasting_delete_audit,
    .next_audit = lasting_next_audit,
    .put_meta = lasting_put_meta,
    .get_meta = lasting_get_meta,
    .next_session = lasting_next_session,
    .next_run = lasting_next_run,
    .next_segment = lasting_next_segment,
    .shrink = lasting_shrink,
    .bytes = lasting_bytes,
    .why = lasting_why,
    .destroy = lasting_destroy,
};

void lasting_store_init(struct lasting_store *s)
{
    memset(s, 0, sizeof(*s));
    s->base.ops = &lasting_ops;
    s->rows = store_memory_create();
    assert(s->rows);
}

void lasting_store_fini(struct lasting_store *s)
{
    s->rows->ops->destroy(s->rows);
}

void lasting_store_damage(struct lasting_store *s, enum lasting_kind kind, uint64_t session,
                          uint64_t first)
{
    assert(s->damaged_count < LASTING_DAMAGED_MAX);
    s->damaged[s->damaged_count].kind = kind;
    s->damaged[s->damaged_count].session = session;
    s->damaged[s->damaged_count++].first = first;
}

void lasting_store_fail(struct lasting_store *s, uint64_t nth)
{
    store_memory_fail(s->rows, nth);
}
