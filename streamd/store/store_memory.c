/* SPDX-License-Identifier: MIT */
/*
 * One tree has all rows; a row is a node that owns a copy of its bytes.
 *
 * What a transaction did is a list of nodes put in and nodes taken out. Rolling back walks it from
 * its end, committing frees what was taken out. Neither can fail.
 */
#include "streamd/store/store_memory.h"

#include "streamd/store/store_memory_tree.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct change {
    struct node *node;
    bool put; /* else taken out, and owned from here */
};

struct store_memory {
    struct store base;
    struct tree tree; /* owns the nodes */
    uint64_t random;
    struct change *changes; /* owns; of the open transaction, oldest first */
    size_t change_count, change_cap;
    bool open;          /* a transaction is */
    enum status doomed; /* OK, or why it can only be rolled back */
    uint64_t fail_at;   /* 0: never */
    uint64_t asked;     /* since store_memory_fail */
    const char *why;
};

static struct store_memory *inside(struct store *s)
{
    return (struct store_memory *)(void *)s;
}

/* ---- transactions ---- */

static enum status refuse(struct store_memory *m, enum status status, const char *why)
{
    m->why = why;
    m->doomed = m->open ? status : OK;
    return status;
}

/* Is it time to fail, by store_memory_fail? */
static bool fails(struct store_memory *m)
{
    return m->fail_at > 0 && ++m->asked >= m->fail_at;
}

/* Every change asks here first. */
static enum status may_change(struct store_memory *m)
{
    assert(m->open);
    if (m->doomed != OK)
        return m->doomed;
    return fails(m) ? refuse(m, E_IO, "made to fail") : OK;
}

static enum status memory_begin(struct store *s)
{
    struct store_memory *m = inside(s);
    assert(!m->open);
    if (fails(m))
        return refuse(m, E_IO, "made to fail");
    m->open = true;
    m->doomed = OK;
    return OK;
}

static void finish(struct store_memory *m)
{
    m->change_count = 0;
    m->open = false;
    m->doomed = OK;
}

static void memory_rollback(struct store *s)
{
    struct store_memory *m = inside(s);
    while (m->change_count > 0) {
        const struct change *c = &m->changes[--m->change_count];
        if (c->put) {
            tree_link_out(&m->tree, c->node);
            free(c->node);
        } else {
            tree_link_in(&m->tree, c->node);
        }
    }
    finish(m);
}

static enum status memory_commit(struct store *s)
{
    struct store_memory *m = inside(s);
    enum status status = may_change(m);
    if (status != OK) {
        memory_rollback(s);
        return status;
    }
    for (size_t i = 0; i < m->change_count; i++)
        if (!m->changes[i].put)
            free(m->changes[i].node);
    finish(m);
    return OK;
}

/* Room to remember two more changes. */
static enum status expect_changes(struct store_memory *m)
{
    if (m->change_count + 2 <= m->change_cap)
        return OK;
    size_t cap = m->change_cap ? m->change_cap * 2 : 64;
    struct change *changes = realloc(m->changes, cap * sizeof(*changes));
    if (!changes)
        return refuse(m, E_NOMEM, "out of memory");
    m->changes = changes;
    m->change_cap = cap;
    return OK;
}

static enum status take_out(struct store_memory *m, struct node *n)
{
    enum status status = expect_changes(m);
    if (status != OK)
        return status;
    tree_link_out(&m->tree, n);
    m->changes[m->change_count++] = (struct change){n, false};
    return OK;
}

/* ---- putting ---- */

/* A node with room to copy `extra` bytes; NULL when out of memory. */
static struct node *node_create(struct store_memory *m, struct key key, size_t extra)
{
    struct node *n = malloc(sizeof(*n) + extra);
    if (!n)
        return NULL;
    m->random ^= m->random << 13;
    m->random ^= m->random >> 7;
    m->random ^= m->random << 17;
    *n = (struct node){.weight = m->random, .key = key, .bytes = sizeof(*n) + extra};
    return n;
}

/* Copies to *at, which moves on. */
static struct span copy(char **at, struct span s)
{
    if (!s.ptr)
        return (struct span){NULL, 0};
    if (s.len > 0)
        memcpy(*at, s.ptr, s.len);
    s.ptr = *at;
    *at += s.len;
    return s;
}

/* Takes the node, in place of one with the same key. */
static enum status put(struct store_memory *m, struct node *n)
{
    enum status status = expect_changes(m);
    struct node *old = tree_find(&m->tree, &n->key);
    if (status == OK && old)
        status = take_out(m, old);
    if (status != OK) {
        free(n);
        return status;
    }
    tree_link_in(&m->tree, n);
    m->changes[m->change_count++] = (struct change){n, true};
    return OK;
}

/* A node for a row of that many bytes; NULL: *out_status says why. */
static struct node *row_create(struct store_memory *m, struct key key, size_t bytes,
                               enum status *out_status)
{
    *out_status = may_change(m);
    struct node *n = *out_status == OK ? node_create(m, key, bytes) : NULL;
    if (!n && *out_status == OK)
        *out_status = refuse(m, E_NOMEM, "out of memory");
    return n;
}

static enum status memory_put_session(struct store *s, const struct store_session *row)
{
    struct store_memory *m = inside(s);
    enum status status;
    struct node *n = row_create(m, (struct key){.kind = KIND_SESSION, .session = row->key},
                                row->id.len + row->project.len + row->name.len + row->config.len +
                                    row->status.len + row->state.len,
                                &status);
    if (!n)
        return status;
    char *at = n->copied;
    n->row.session = *row;
    n->row.session.id = copy(&at, row->id);
    n->row.session.project = copy(&at, row->project);
    n->row.session.name = copy(&at, row->name);
    n->row.session.config = copy(&at, row->config);
    n->row.session.status = copy(&at, row->status);
    n->row.session.state = copy(&at, row->state);
    return put(m, n);
}

static enum status memory_put_run(struct store *s, const struct store_run *row)
{
    struct store_memory *m = inside(s);
    enum status status;
    struct node *n =
        row_create(m, (struct key){.kind = KIND_RUN, .session = row->session, .first = row->first},
                   row->bytes.len, &status);
    if (!n)
        return status;
    char *at = n->copied;
    n->row.run = *row;
    n->row.run.bytes = copy(&at, row->bytes);
    return put(m, n);
}

/* Takes out all from `from` until before `end`. */
static enum status take_range(struct store_memory *m, struct key from, struct key end)
{
    struct node *n;
    enum status status = OK;
    while (status == OK && (n = tree_at_or_after(&m->tree, &from)) != NULL &&
           tree_key_order(&n->key, &end) < 0)
        status = take_out(m, n);
    return status;
}

static enum status memory_put_segment(struct store *s, const struct store_segment *row)
{
    struct store_memory *m = inside(s);
    enum status status = may_change(m);
    if (status == OK)
        status = take_range(
            m, (struct key){.kind = KIND_RUN, .session = row->session, .first = row->first},
            (struct key){
                .kind = KIND_RUN, .session = row->session, .first = row->first + row->count});
    if (status != OK)
        return status;
    struct node *n = node_create(
        m, (struct key){.kind = KIND_SEGMENT, .session = row->session, .first = row->first},
        row->head.len + row->body.len);
    if (!n)
        return refuse(m, E_NOMEM, "out of memory");
    char *at = n->copied;
    n->row.segment = *row;
    n->row.segment.head = copy(&at, row->head);
    n->row.segment.body = copy(&at, row->body);
    return put(m, n);
}

static enum status delete_audits(struct store_memory *m, uint64_t session)
{
    struct key at = {.kind = KIND_AUDIT};
    struct node *n;
    enum status status = OK;
    for (; status == OK && (n = tree_next_of_kind(&m->tree, at)) != NULL; at.first++) {
        at.first = n->key.first;
        if (n->row.audit.session == session)
            status = take_out(m, n);
    }
    return status;
}

static enum status memory_delete_session(struct store *s, uint64_t key)
{
    static const enum kind kinds[] = {KIND_SESSION, KIND_RUN, KIND_SEGMENT};
    struct store_memory *m = inside(s);
    enum status status = may_change(m);
    for (size_t i = 0; status == OK && i < sizeof(kinds) / sizeof(kinds[0]); i++)
        status = take_range(m, (struct key){.kind = kinds[i], .session = key},
                            (struct key){.kind = kinds[i], .session = key + 1});
    return status == OK ? delete_audits(m, key) : status;
}

static enum status memory_delete_before(struct store *s, uint64_t session, uint64_t offset)
{
    struct store_memory *m = inside(s);
    struct key from = {.kind = KIND_SEGMENT, .session = session};
    struct node *n;
    enum status status = may_change(m);
    while (status == OK && (n = tree_at_or_after(&m->tree, &from)) != NULL &&
           n->key.kind == KIND_SEGMENT && n->key.session == session &&
           n->key.first + n->row.segment.count <= offset)
        status = take_out(m, n);
    return status;
}

/* Orders are found by their id alone, so their session is no part of the key. */
static enum status memory_put_audit(struct store *s, const struct store_audit *row)
{
    struct store_memory *m = inside(s);
    enum status status;
    struct node *n =
        row_create(m, (struct key){.kind = KIND_AUDIT, .first = row->id}, row->entry.len, &status);
    if (!n)
        return status;
    char *at = n->copied;
    n->row.audit = *row;
    n->row.audit.entry = copy(&at, row->entry);
    return put(m, n);
}

static enum status memory_delete_audit(struct store *s, uint64_t id)
{
    struct store_memory *m = inside(s);
    struct node *n = tree_find(&m->tree, &(struct key){.kind = KIND_AUDIT, .first = id});
    enum status status = may_change(m);
    return status == OK && n ? take_out(m, n) : status;
}

static enum status memory_put_meta(struct store *s, const char *name, struct span value)
{
    struct store_memory *m = inside(s);
    struct span as = span_of(name);
    enum status status;
    struct node *n = row_create(m, (struct key){.kind = KIND_META}, as.len + value.len, &status);
    if (!n)
        return status;
    char *at = n->copied;
    n->key.name = copy(&at, as);
    n->row.meta = copy(&at, value);
    return put(m, n);
}

/* ---- reading ---- */

static enum status memory_get_meta(struct store *s, const char *name, struct buf *out)
{
    struct store_memory *m = inside(s);
    const struct node *n =
        tree_find(&m->tree, &(struct key){.kind = KIND_META, .name = span_of(name)});
    if (!n)
        return E_NOT_FOUND;
    enum status status = buf_reserve(out, n->row.meta.len);
    if (status == OK)
        buf_add_span(out, n->row.meta);
    return status;
}

static enum status memory_next_session(struct store *s, uint64_t after, struct store_session *out)
{
    if (after == UINT64_MAX)
        return E_NOT_FOUND;
    const struct node *n = tree_next_of_kind(
        &inside(s)->tree, (struct key){.kind = KIND_SESSION, .session = after + 1});
    if (n)
        *out = n->row.session;
    return n ? OK : E_NOT_FOUND;
}

static uint64_t count_of(const struct node *n)
{
    return n->key.kind == KIND_RUN ? n->row.run.count : n->row.segment.count;
}

static bool is_of(const struct node *n, const struct key *key)
{
    return n && n->key.kind == key->kind && n->key.session == key->session;
}

/* What holds key->first, else what comes first after it. */
static const struct node *holding_or_after(const struct store_memory *m, const struct key *key)
{
    const struct node *n = tree_at_or_after(&m->tree, key);
    if (is_of(n, key) && n->key.first == key->first)
        return n;
    const struct node *before = tree_last_before(&m->tree, key);
    if (is_of(before, key) && key->first - before->key.first < count_of(before))
        return before;
    return is_of(n, key) ? n : NULL;
}

static enum status memory_next_run(struct store *s, uint64_t session, uint64_t offset,
                                   struct store_run *out)
{
    const struct node *n = holding_or_after(
        inside(s), &(struct key){.kind = KIND_RUN, .session = session, .first = offset});
    if (n)
        *out = n->row.run;
    return n ? OK : E_NOT_FOUND;
}

static enum status memory_next_segment(struct store *s, uint64_t session, uint64_t offset,
                                       bool with_body, struct store_segment *out)
{
    const struct node *n = holding_or_after(
        inside(s), &(struct key){.kind = KIND_SEGMENT, .session = session, .first = offset});
    if (!n)
        return E_NOT_FOUND;
    *out = n->row.segment;
    if (!with_body)
        out->body = (struct span){NULL, 0};
    return OK;
}

static enum status memory_next_audit(struct store *s, uint64_t after, struct store_audit *out)
{
    if (after == UINT64_MAX)
        return E_NOT_FOUND;
    const struct node *n =
        tree_next_of_kind(&inside(s)->tree, (struct key){.kind = KIND_AUDIT, .first = after + 1});
    if (n)
        *out = n->row.audit;
    return n ? OK : E_NOT_FOUND;
}

static uint64_t memory_bytes(struct store *s)
{
    return inside(s)->tree.bytes;
}

static enum status memory_shrink(struct store *base)
{
    (void)base; /* what is deleted is given back at once */
    return E_NOT_FOUND;
}

static const char *memory_why(const struct store *s)
{
    return ((const struct store_memory *)(const void *)s)->why;
}

/* ---- life ---- */

static void memory_destroy(struct store *s)
{
    struct store_memory *m = inside(s);
    struct node *n;
    memory_rollback(s);
    while ((n = m->tree.root) != NULL) {
        tree_link_out(&m->tree, n);
        free(n);
    }
    free(m->changes);
    free(m);
}

struct store *store_memory_create(void)
{
    static const struct store_ops ops = {
        .begin = memory_begin,
        .commit = memory_commit,
        .rollback = memory_rollback,
        .put_session = memory_put_session,
        .delete_session = memory_delete_session,
        .put_run = memory_put_run,
        .put_segment = memory_put_segment,
        .delete_before = memory_delete_before,
        .put_audit = memory_put_audit,
        .delete_audit = memory_delete_audit,
        .put_meta = memory_put_meta,
        .get_meta = memory_get_meta,
        .next_session = memory_next_session,
        .next_run = memory_next_run,
        .next_segment = memory_next_segment,
        .next_audit = memory_next_audit,
        .shrink = memory_shrink,
        .bytes = memory_bytes,
        .why = memory_why,
        .destroy = memory_destroy,
    };
    struct store_memory *m = malloc(sizeof(*m));
    if (!m)
        return NULL;
    *m = (struct store_memory){.base = {&ops}, .random = UINT64_C(0x9e3779b97f4a7c15), .why = ""};
    return &m->base;
}

void store_memory_fail(struct store *s, uint64_t nth)
{
    inside(s)->fail_at = nth;
    inside(s)->asked = 0;
}
