/* SPDX-License-Identifier: MIT */
/*
 * The rows. Each verb is one prepared statement, bound, stepped and reset; the spans that a read
 * answers stand in its statement, which is therefore reset only by the next call.
 *
 * A change that fails may have ended SQLite's transaction, and the next change would then be
 * kept at once: so it dooms ours, and nothing more is asked of SQLite until it is rolled back.
 */
#include "streamd/store/store_sqlite_parts.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static struct store_sqlite *inside(struct store *s)
{
    return (struct store_sqlite *)(void *)s;
}

/* ---- transactions ---- */

static enum status sqlite_begin(struct store *base)
{
    struct store_sqlite *s = inside(base);
    assert(!s->open && !s->readonly);
    store_sqlite_forget_read(s);
    enum status status = store_sqlite_same_file(s);
    if (status == OK)
        status = store_sqlite_ready(s);
    if (status != OK)
        return status;
    sqlite3_stmt *begin = s->statement[S_BEGIN];
    int code = sqlite3_step(begin);
    (void)sqlite3_reset(begin);
    if (code != SQLITE_DONE)
        return store_sqlite_fail(s, code, "begin");
    s->open = true;
    s->doomed = OK;
    code = s->unmarked ? store_schema_mark(s->db, STORE_SCHEMA) : SQLITE_OK;
    if (code == SQLITE_OK)
        return OK;
    status = store_sqlite_fail(s, code, "begin");
    base->ops->rollback(base);
    return status;
}

enum status store_sqlite_hold(struct store *base)
{
    struct store_sqlite *s = inside(base);
    assert(s->readonly);
    store_sqlite_forget_read(s);
    enum status status = store_sqlite_ready(s);
    if (status != OK)
        return status;
    int code = sqlite3_exec(s->db, "BEGIN", NULL, NULL, NULL);
    return code == SQLITE_OK ? OK : store_sqlite_fail(s, code, "begin");
}

void store_sqlite_release(struct store *base)
{
    struct store_sqlite *s = inside(base);
    store_sqlite_forget_read(s);
    if (s->db && !sqlite3_get_autocommit(s->db) &&
        sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
        s->stale = true;
}

static void sqlite_rollback(struct store *base)
{
    struct store_sqlite *s = inside(base);
    store_sqlite_forget_read(s);
    if (s->open && s->db && !sqlite3_get_autocommit(s->db) &&
        sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL) != SQLITE_OK)
        s->stale = true;
    s->runs.stale = s->runs.stale || s->runs.changed;
    s->runs.changed = false;
    s->open = false;
    s->doomed = OK;
}

static enum status sqlite_commit(struct store *base)
{
    struct store_sqlite *s = inside(base);
    assert(s->open);
    store_sqlite_forget_read(s);
    enum status status = s->doomed;
    if (status == OK)
        status = store_sqlite_same_file(s);
    if (status == OK) {
        sqlite3_stmt *commit = s->statement[S_COMMIT];
        int code = sqlite3_step(commit);
        (void)sqlite3_reset(commit);
        if (code != SQLITE_DONE)
            status = store_sqlite_fail(s, code, "commit");
        else
            s->unmarked = s->runs.changed = false;
    }
    sqlite_rollback(base); /* what is left of it: nothing, if all went well */
    if (status == OK)
        store_sqlite_checkpoint(s);
    return status;
}

/* ---- changing ---- */

static enum status may_change(struct store_sqlite *s)
{
    assert(s->open);
    store_sqlite_forget_read(s);
    return s->doomed;
}

static enum status doom(struct store_sqlite *s, int code, const char *what)
{
    s->doomed = store_sqlite_fail(s, code, what);
    return s->doomed;
}

/* Runs a bound statement. What it answers is the row id that RETURNING gives, else 0. */
static enum status run(struct store_sqlite *s, enum statement which, int bound, int64_t *out_id)
{
    sqlite3_stmt *statement = s->statement[which];
    int code = bound == SQLITE_OK ? sqlite3_step(statement) : bound;
    if (code == SQLITE_ROW && out_id) {
        *out_id = sqlite3_column_int64(statement, 0);
        code = sqlite3_step(statement);
    }
    (void)sqlite3_reset(statement);
    return code == SQLITE_DONE ? OK : doom(s, code, "write");
}

/* A statement being bound: the place of the next column, the check of all so far. */
struct binding {
    sqlite3_stmt *statement;
    struct check check;
    int at;
    int code;
};

static struct binding bind(struct store_sqlite *s, enum statement which)
{
    struct binding b = {.statement = s->statement[which], .code = SQLITE_OK};
    check_init(&b.check);
    return b;
}

static void add_int(struct binding *b, uint64_t value)
{
    assert(value <= INT64_MAX);
    check_int(&b->check, (int64_t)value);
    b->code |= sqlite3_bind_int64(b->statement, ++b->at, (int64_t)value);
}

static void add_real(struct binding *b, double value)
{
    assert(!isnan(value));
    check_real(&b->check, value);
    b->code |= sqlite3_bind_double(b->statement, ++b->at, value);
}

static void add_span(struct binding *b, struct span bytes, bool text)
{
    check_span(&b->check, bytes);
    b->code |= bind_span(b->statement, ++b->at, bytes, text);
}

static int add_check(struct binding *b)
{
    b->code |= sqlite3_bind_int64(b->statement, ++b->at, (int64_t)b->check.crc);
    return b->code;
}

static enum status sqlite_put_session(struct store *base, const struct store_session *row)
{
    struct store_sqlite *s = inside(base);
    enum status status = may_change(s);
    if (status != OK)
        return status;
    struct binding b = bind(s, S_PUT_SESSION);
    add_int(&b, row->key);
    add_span(&b, row->id, true);
    add_span(&b, row->project, true);
    add_span(&b, row->name, true);
    add_span(&b, row->status, true);
    add_real(&b, row->start_time_s);
    add_real(&b, row->last_update_s);
    add_int(&b, row->pinned);
    add_span(&b, row->state, false);
    status = run(s, S_PUT_SESSION, add_check(&b), NULL);
    if (status != OK)
        return status;
    b = bind(s, S_PUT_CONFIG);
    add_int(&b, row->key);
    add_span(&b, row->config, true);
    return run(s, S_PUT_CONFIG, add_check(&b), NULL);
}

/* Its number is that of the run it replaces, else one more than all. */
static enum status sqlite_put_run(struct store *base, const struct store_run *row)
{
    struct store_sqlite *s = inside(base);
    enum status status = may_change(s);
    if (status != OK)
        return status;
    const struct run_place *old = run_map_find(&s->runs, row->session, row->first);
    bool replaces = old && old->first == row->first;
    struct run_place place = {row->first, row->count, replaces ? old->id : s->runs.last_id + 1};
    struct binding b = bind(s, S_PUT_RUN);
    add_int(&b, (uint64_t)place.id);
    add_int(&b, row->session);
    add_int(&b, row->first);
    add_int(&b, row->count);
    add_span(&b, row->bytes, false);
    status = run(s, S_PUT_RUN, add_check(&b), NULL);
    if (status == OK && run_map_put(&s->runs, row->session, place) != OK)
        status = doom(s, SQLITE_NOMEM, "write");
    return status;
}

/* Runs a statement of one number, or of two. */
static enum status run_numbered(struct store_sqlite *s, enum statement which, uint64_t first,
                                const uint64_t *second)
{
    struct binding b = bind(s, which);
    add_int(&b, first);
    if (second)
        add_int(&b, *second);
    return run(s, which, b.code, NULL);
}

/* Of those that begin from `first` until before `end`. */
static enum status delete_runs(struct store_sqlite *s, uint64_t session, uint64_t first,
                               uint64_t end)
{
    size_t count;
    const struct run_place *each = run_map_range(&s->runs, session, first, end, &count);
    enum status status = OK;
    for (size_t i = 0; status == OK && i < count; i++)
        status = run_numbered(s, S_DELETE_RUN, (uint64_t)each[i].id, NULL);
    if (status == OK)
        run_map_cut(&s->runs, session, first, end);
    return status;
}

static enum status put_head(struct store_sqlite *s, const struct store_segment *row,
                            int64_t *out_id)
{
    struct binding b = bind(s, S_PUT_SEGMENT);
    add_int(&b, row->session);
    add_int(&b, row->first);
    add_int(&b, row->count);
    add_span(&b, row->head, false);
    return run(s, S_PUT_SEGMENT, add_check(&b), out_id);
}

static enum status put_body(struct store_sqlite *s, int64_t id, struct span body)
{
    struct binding b = bind(s, S_PUT_BODY);
    add_int(&b, (uint64_t)id);
    add_span(&b, body, false);
    return run(s, S_PUT_BODY, add_check(&b), NULL);
}

static enum status sqlite_put_segment(struct store *base, const struct store_segment *row)
{
    struct store_sqlite *s = inside(base);
    int64_t id = 0;
    assert(row->count > 0);
    enum status status = may_change(s);
    if (status == OK)
        status = put_head(s, row, &id);
    if (status == OK)
        status = put_body(s, id, row->body);
    return status == OK ? delete_runs(s, row->session, row->first, row->first + row->count)
                        : status;
}

static enum status sqlite_delete_session(struct store *base, uint64_t key)
{
    static const enum statement each[] = {S_DELETE_BODIES, S_DELETE_SEGMENTS, S_DELETE_SESSION,
                                          S_DELETE_CONFIG, S_DELETE_AUDITS};
    struct store_sqlite *s = inside(base);
    enum status status = may_change(s);
    if (status == OK)
        status = delete_runs(s, key, 0, UINT64_MAX);
    for (size_t i = 0; status == OK && i < sizeof(each) / sizeof(each[0]); i++)
        status = run_numbered(s, each[i], key, NULL);
    return status;
}

static enum status sqlite_delete_before(struct store *base, uint64_t session, uint64_t offset)
{
    static const enum statement each[] = {S_DELETE_BODIES_BEFORE, S_DELETE_SEGMENTS_BEFORE};
    struct store_sqlite *s = inside(base);
    enum status status = may_change(s);
    for (size_t i = 0; status == OK && i < sizeof(each) / sizeof(each[0]); i++)
        status = run_numbered(s, each[i], session, &offset);
    return status;
}

static enum status sqlite_put_audit(struct store *base, const struct store_audit *row)
{
    struct store_sqlite *s = inside(base);
    enum status status = may_change(s);
    if (status != OK)
        return status;
    struct binding b = bind(s, S_PUT_AUDIT);
    add_int(&b, row->id);
    add_int(&b, row->session);
    add_span(&b, row->entry, false);
    return run(s, S_PUT_AUDIT, add_check(&b), NULL);
}

static enum status sqlite_delete_audit(struct store *base, uint64_t id)
{
    struct store_sqlite *s = inside(base);
    enum status status = may_change(s);
    return status == OK ? run_numbered(s, S_DELETE_AUDIT, id, NULL) : status;
}

static enum status sqlite_put_meta(struct store *base, const char *name, struct span value)
{
    struct store_sqlite *s = inside(base);
    enum status status = may_change(s);
    if (status != OK)
        return status;
    struct binding b = bind(s, S_PUT_META);
    add_span(&b, span_of(name), true);
    add_span(&b, value, false);
    return run(s, S_PUT_META, add_check(&b), NULL);
}

/* ---- reading ---- */

/* The one row that a bound statement answers, which stays until it is forgotten. E_NOT_FOUND. */
static enum status read_row(struct store_sqlite *s, enum statement which, int bound,
                            sqlite3_stmt **out)
{
    sqlite3_stmt *statement = s->statement[which];
    int code = bound == SQLITE_OK ? sqlite3_step(statement) : bound;
    s->read = statement;
    if (code == SQLITE_ROW) {
        *out = statement;
        return OK;
    }
    store_sqlite_forget_read(s);
    return code == SQLITE_DONE ? E_NOT_FOUND : store_sqlite_fail(s, code, "read");
}

/* A reader too may find that the disk failed and the connection is to be opened anew. Damage found
 * by that is not one of the row that is asked for. */
static enum status may_read(struct store_sqlite *s)
{
    store_sqlite_forget_read(s);
    enum status status = s->open ? s->doomed : store_sqlite_ready(s);
    return status == E_MALFORMED ? E_IO : status;
}

static enum status altered(struct store_sqlite *s, const char *table, uint64_t session)
{
    store_sqlite_forget_read(s);
    (void)snprintf(s->why, sizeof(s->why), "%s: damaged: a %s of session %llu was altered", s->path,
                   table, (unsigned long long)session);
    return E_MALFORMED;
}

static enum status sqlite_get_meta(struct store *base, const char *name, struct buf *out)
{
    struct store_sqlite *s = inside(base);
    sqlite3_stmt *row = NULL;
    enum status status = may_read(s);
    if (status != OK)
        return status;
    status =
        read_row(s, S_GET_META, bind_span(s->statement[S_GET_META], 1, span_of(name), true), &row);
    if (status != OK)
        return status;
    if (!check_columns(row, 1, 3))
        return altered(s, "value", 0);
    struct span value = column_span(row, 2);
    status = buf_reserve(out, value.len);
    if (status == OK)
        buf_add_span(out, value);
    store_sqlite_forget_read(s);
    return status;
}

/* Where to go on after something that cannot be read: UINT64_MAX when nothing is left, or nothing
 * else can be read. */
static uint64_t next_place(struct store_sqlite *s, enum statement which, const uint64_t at[2],
                           int64_t but)
{
    char why[STORE_WHY_MAX];
    sqlite3_stmt *row = NULL;
    struct binding b = bind(s, which);
    memcpy(why, s->why, sizeof(why)); /* the first reason is the one to tell */
    add_int(&b, at[0]);
    if (which == S_NEXT_SEGMENT_AT) {
        add_int(&b, at[1]);
        b.code |= sqlite3_bind_int64(b.statement, 3, but);
    }
    uint64_t place = UINT64_MAX;
    if (read_row(s, which, b.code, &row) == OK)
        place = (uint64_t)sqlite3_column_int64(row, 0);
    store_sqlite_forget_read(s);
    memcpy(s->why, why, sizeof(why));
    return place;
}

/* Has the last call answered session `after`? Then its statement has only to go on. */
static bool goes_on(const struct store_sqlite *s, uint64_t after)
{
    sqlite3_stmt *row = s->statement[S_NEXT_SESSION];
    return s->read && s->read == row && (uint64_t)sqlite3_column_int64(row, 0) == after;
}

static enum status sqlite_next_session(struct store *base, uint64_t after,
                                       struct store_session *out)
{
    struct store_sqlite *s = inside(base);
    sqlite3_stmt *row = NULL;
    struct binding b = {.code = SQLITE_OK};
    enum status status = OK;
    if (!goes_on(s, after)) {
        status = may_read(s);
        if (status == OK && after > INT64_MAX)
            status = E_NOT_FOUND;
        if (status != OK)
            return status;
        b = bind(s, S_NEXT_SESSION);
        add_int(&b, after);
    }
    status = read_row(s, S_NEXT_SESSION, b.code, &row);
    if (status == OK && !(check_columns(row, 0, 10) && check_columns(row, 10, 3)))
        status = altered(s, "row", (uint64_t)sqlite3_column_int64(row, 0));
    if (status == E_MALFORMED)
        *out = (struct store_session){
            .key = next_place(s, S_NEXT_KEY, (const uint64_t[2]){after, 0}, 0)};
    if (status != OK)
        return status;
    *out = (struct store_session){
        .key = (uint64_t)sqlite3_column_int64(row, 0),
        .id = column_span(row, 1),
        .project = column_span(row, 2),
        .name = column_span(row, 3),
        .status = column_span(row, 4),
        .start_time_s = sqlite3_column_double(row, 5),
        .last_update_s = sqlite3_column_double(row, 6),
        .pinned = sqlite3_column_int(row, 7) != 0,
        .state = column_span(row, 8),
        .config = column_span(row, 11),
    };
    return OK;
}

static enum status sqlite_next_run(struct store *base, uint64_t session, uint64_t offset,
                                   struct store_run *out)
{
    struct store_sqlite *s = inside(base);
    sqlite3_stmt *row = NULL;
    size_t after;
    enum status status = may_read(s);
    if (status != OK)
        return status;
    const struct run_place *p = run_map_find(&s->runs, session, offset);
    if (!p || offset > INT64_MAX)
        return E_NOT_FOUND;
    struct binding b = bind(s, S_GET_RUN);
    add_int(&b, (uint64_t)p->id);
    status = read_row(s, S_GET_RUN, b.code, &row);
    if (status == E_NOT_FOUND || (status == OK && !check_columns(row, 0, 6)))
        status = altered(s, "run", session);
    const struct run_place *next =
        run_map_range(&s->runs, session, p->first + 1, UINT64_MAX, &after);
    if (status == E_MALFORMED)
        *out = (struct store_run){
            session, offset, (after > 0 ? next->first : UINT64_MAX) - offset, {NULL, 0}};
    if (status == OK)
        *out = (struct store_run){session, p->first, p->count, column_span(row, 4)};
    return status;
}

static enum status sqlite_next_segment(struct store *base, uint64_t session, uint64_t offset,
                                       bool with_body, struct store_segment *out)
{
    struct store_sqlite *s = inside(base);
    enum statement which = with_body ? S_NEXT_SEGMENT : S_NEXT_HEAD;
    sqlite3_stmt *row = NULL;
    int64_t id = -1;
    enum status status = may_read(s);
    if (status != OK)
        return status;
    if (session > INT64_MAX || offset > INT64_MAX)
        return E_NOT_FOUND;
    struct binding b = bind(s, which);
    add_int(&b, session);
    add_int(&b, offset);
    status = read_row(s, which, b.code, &row);
    if (status == OK) {
        id = sqlite3_column_int64(row, 0);
        if (!check_columns(row, 1, 5) || (with_body && !check_columns(row, 6, 3)))
            status = altered(s, "segment", session);
    }
    if (status == E_MALFORMED) {
        uint64_t next = next_place(s, S_NEXT_SEGMENT_AT, (const uint64_t[2]){session, offset}, id);
        *out = (struct store_segment){.session = session, .first = offset, .count = next - offset};
    }
    if (status != OK)
        return status;
    *out = (struct store_segment){.session = (uint64_t)sqlite3_column_int64(row, 1),
                                  .first = (uint64_t)sqlite3_column_int64(row, 2),
                                  .count = (uint64_t)sqlite3_column_int64(row, 3),
                                  .head = column_span(row, 4)};
    if (with_body)
        out->body = column_span(row, 7);
    return OK;
}

static enum status sqlite_next_audit(struct store *base, uint64_t after, struct store_audit *out)
{
    struct store_sqlite *s = inside(base);
    sqlite3_stmt *row = NULL;
    enum status status = may_read(s);
    if (status == OK && after > INT64_MAX)
        status = E_NOT_FOUND;
    if (status != OK)
        return status;
    struct binding b = bind(s, S_NEXT_AUDIT);
    add_int(&b, after);
    status = read_row(s, S_NEXT_AUDIT, b.code, &row);
    if (status == OK && !check_columns(row, 0, 4))
        status = altered(s, "order", (uint64_t)sqlite3_column_int64(row, 1));
    if (status == E_MALFORMED)
        *out = (struct store_audit){
            .id = next_place(s, S_NEXT_AUDIT_ID, (const uint64_t[2]){after, 0}, 0)};
    if (status == OK)
        *out = (struct store_audit){(uint64_t)sqlite3_column_int64(row, 0),
                                    (uint64_t)sqlite3_column_int64(row, 1), column_span(row, 2)};
    return status;
}

static const char *sqlite_why(const struct store *base)
{
    return ((const struct store_sqlite *)(const void *)base)->why;
}

const struct store_ops store_sqlite_ops = {
    .begin = sqlite_begin,
    .commit = sqlite_commit,
    .shrink = store_sqlite_shrink,
    .rollback = sqlite_rollback,
    .put_session = sqlite_put_session,
    .delete_session = sqlite_delete_session,
    .put_run = sqlite_put_run,
    .put_segment = sqlite_put_segment,
    .delete_before = sqlite_delete_before,
    .put_audit = sqlite_put_audit,
    .delete_audit = sqlite_delete_audit,
    .put_meta = sqlite_put_meta,
    .get_meta = sqlite_get_meta,
    .next_session = sqlite_next_session,
    .next_run = sqlite_next_run,
    .next_segment = sqlite_next_segment,
    .next_audit = sqlite_next_audit,
    .bytes = store_sqlite_bytes,
    .why = sqlite_why,
    .destroy = store_sqlite_destroy,
};
