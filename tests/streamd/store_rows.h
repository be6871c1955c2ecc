/* SPDX-License-Identifier: MIT */
/*
 * store_rows: rows to put into a store, the whole of a store as text to compare, and a directory
 * for one that stands in a file.
 */
#ifndef TESTS_STREAMD_STORE_ROWS_H
#define TESTS_STREAMD_STORE_ROWS_H

#include "streamd/store/store.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { ROWS_SESSIONS = 16 }; /* keys that rows_text looks at, beside the sessions that are there */

static inline struct store_session session_row(uint64_t key, const char *id, const char *state)
{
    return (struct store_session){.key = key,
                                  .id = span_of(id),
                                  .config = SPAN("{\"lr\":0.1}"),
                                  .status = SPAN("running"),
                                  .state = span_of(state),
                                  .start_time_s = 1700000000.25,
                                  .last_update_s = 1700000001};
}

static inline enum status put_session(struct store *s, uint64_t key, const char *state)
{
    struct store_session row = session_row(key, "id", state);
    return s->ops->put_session(s, &row);
}

static inline enum status put_run(struct store *s, uint64_t session, uint64_t first, uint64_t count,
                                  const char *bytes)
{
    return s->ops->put_run(s, &(struct store_run){session, first, count, span_of(bytes)});
}

static inline enum status put_segment(struct store *s, uint64_t session, uint64_t first,
                                      uint64_t count, const char *head, const char *body)
{
    return s->ops->put_segment(
        s, &(struct store_segment){session, first, count, span_of(head), span_of(body)});
}

static inline enum status put_audit(struct store *s, uint64_t id, uint64_t session,
                                    const char *entry)
{
    return s->ops->put_audit(s, &(struct store_audit){id, session, span_of(entry)});
}

static inline void must(enum status status)
{
    assert_string_equal(status_name(status), "OK");
}

static inline void begin(struct store *s)
{
    must(s->ops->begin(s));
}

static inline void commit(struct store *s)
{
    must(s->ops->commit(s));
}

/* Long bytes by their end and length, so that texts stay readable. */
static inline void rows_span(struct buf *out, const char *name, struct span bytes)
{
    if (!bytes.ptr)
        return;
    size_t from = bytes.len > 40 ? bytes.len - 40 : 0;
    buf_addf(out, " %s=%zu:%.*s", name, bytes.len, (int)(bytes.len - from), bytes.ptr + from);
}

static inline void rows_session(struct buf *out, const struct store_session *r)
{
    buf_addf(out, "session %" PRIu64, r->key);
    rows_span(out, "id", r->id);
    rows_span(out, "project", r->project);
    rows_span(out, "name", r->name);
    rows_span(out, "config", r->config);
    rows_span(out, "status", r->status);
    rows_span(out, "state", r->state);
    buf_addf(out, " %.17g %.17g%s\n", r->start_time_s, r->last_update_s,
             r->pinned ? " pinned" : "");
}

/* Damaged places are "lost". */
static inline void rows_of(struct store *s, uint64_t key, struct buf *out)
{
    enum status status;
    struct store_run run;
    struct store_segment segment;
    for (uint64_t at = 0; (status = s->ops->next_run(s, key, at, &run)) != E_NOT_FOUND;
         at = run.first + run.count) {
        buf_addf(out, "run %" PRIu64 " %" PRIu64 " %" PRIu64, run.session, run.first, run.count);
        rows_span(out, "bytes", run.bytes);
        buf_add_str(out, status == OK ? "\n" : " lost\n");
    }
    for (uint64_t at = 0;
         (status = s->ops->next_segment(s, key, at, true, &segment)) != E_NOT_FOUND;
         at = segment.first + segment.count) {
        buf_addf(out, "segment %" PRIu64 " %" PRIu64 " %" PRIu64, segment.session, segment.first,
                 segment.count);
        rows_span(out, "head", segment.head);
        rows_span(out, "body", segment.body);
        buf_add_str(out, status == OK ? "\n" : " lost\n");
    }
}

/* All of the store; the caller frees. */
static inline char *rows_text(struct store *s)
{
    struct buf out;
    struct buf meta;
    struct store_session session;
    buf_init(&out, 1 << 28);
    buf_init(&meta, 1 << 20);
    enum status status;
    uint64_t seen = 0;
    for (uint64_t at = 0; (status = s->ops->next_session(s, at, &session)) != E_NOT_FOUND;
         at = seen) {
        assert_true(status == OK || status == E_MALFORMED);
        seen = session.key;
        if (status == OK)
            rows_session(&out, &session);
        else
            buf_add_str(&out, "session lost\n");
        if (seen >= ROWS_SESSIONS && status == OK)
            rows_of(s, seen, &out);
    }
    for (uint64_t key = 0; key < ROWS_SESSIONS; key++)
        rows_of(s, key, &out);
    struct store_audit order = {.id = 0};
    while ((status = s->ops->next_audit(s, order.id, &order)) != E_NOT_FOUND) {
        buf_addf(&out, "order %" PRIu64 " %" PRIu64, order.id, order.session);
        rows_span(&out, "entry", order.entry);
        buf_add_str(&out, status == OK ? "\n" : " lost\n");
    }
    if (s->ops->get_meta(s, "m", &meta) == OK)
        rows_span(&out, "m", buf_span(&meta));
    buf_add_char(&out, '\0');
    must(buf_status(&out));
    buf_fini(&meta);
    return out.ptr;
}

/* A directory of its own for each test; in memory where there is one, as an fsync costs nothing
 * there. */
struct store_dir {
    char path[64];
};

static inline void store_dir_make(struct store_dir *d)
{
    const char *root = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    (void)snprintf(d->path, sizeof(d->path), "%s/streamd-store-XXXXXX", root);
    assert_non_null(mkdtemp(d->path));
}

static inline void store_dir_name(char out[384], const struct store_dir *d, const char *name)
{
    (void)snprintf(out, 384, "%s/%s", d->path, name);
}

static inline void store_dir_empty(const struct store_dir *d)
{
    DIR *dir = opendir(d->path);
    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        char path[384];
        store_dir_name(path, d, e->d_name);
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            (void)remove(path);
    }
    (void)closedir(dir);
}

static inline void store_dir_remove(const struct store_dir *d)
{
    store_dir_empty(d);
    (void)rmdir(d->path);
}

/* For cmocka: the state is the directory. */
static inline int store_dir_setup(void **state)
{
    static struct store_dir dir;
    store_dir_make(&dir);
    *state = &dir;
    return 0;
}

static inline int store_dir_teardown(void **state)
{
    store_dir_remove(*state);
    return 0;
}

static inline bool store_dir_has(const struct store_dir *d, const char *name)
{
    char path[384];
    store_dir_name(path, d, name);
    return access(path, F_OK) == 0;
}

#endif
