/* SPDX-License-Identifier: MIT */
/*
 * The journal is short: what is in it is sealed as soon as it makes a segment. So all that has to
 * be known of a session here is how many of its records are in runs, and that is counted from the
 * rows themselves the first time it is needed. Sealing is a transaction of its own, between two
 * commits, and reads the runs back instead of keeping them: memory does not grow with what trainers
 * send, and a crash in between leaves either the runs or the segment.
 */
#include "streamd/store/archive.h"

#include "streamd/log.h"
#include "streamd/store/run.h"

#include <stdlib.h>

enum {
    ROW_BYTES_MAX = 64 << 20,
    SEAL_AT = SEGMENT_ROWS_MAX, /* records in runs that make a segment */
};

/* What a session has in runs. */
struct journal_of {
    struct list due;
    uint64_t session;
    uint64_t records;
    uint64_t readable_from; /* what is before is sealed, or damaged */
    uint64_t counted_at;    /* the commit after which its runs were counted */
    bool ended;             /* seal all of it */
};

enum status archive_init(struct archive *a, struct store *store, uint64_t seed)
{
    *a = (struct archive){.store = store, .writer = segment_writer_create()};
    strmap_init(&a->journal, seed);
    list_init(&a->due);
    line_decoder_init(&a->decoder, seed);
    buf_init(&a->head, ROW_BYTES_MAX);
    buf_init(&a->body, ROW_BYTES_MAX);
    return a->writer ? OK : E_NOMEM;
}

static struct span key_of(const uint64_t *session)
{
    return (struct span){(const char *)session, sizeof(*session)};
}

static void forget(struct archive *a, struct journal_of *j)
{
    strmap_take(&a->journal, key_of(&j->session));
    list_remove(&j->due);
    free(j);
}

void archive_fini(struct archive *a)
{
    size_t at = 0;
    struct span key;
    void *journal;
    while (strmap_next(&a->journal, &at, &key, &journal))
        free(journal);
    strmap_fini(&a->journal);
    line_decoder_fini(&a->decoder);
    segment_writer_destroy(a->writer);
    buf_fini(&a->head);
    buf_fini(&a->body);
}

/* Counts what the store has in runs of that session, as far as they can be read. */
static enum status count_runs(struct archive *a, uint64_t session, uint64_t *out)
{
    struct store_run run;
    uint64_t offset = 0;
    uint64_t records = 0;
    enum status status;
    while ((status = a->store->ops->next_run(a->store, session, offset, &run)) == OK ||
           status == E_MALFORMED) {
        records += status == OK ? run.count : 0;
        offset = run.first + run.count;
    }
    if (status != E_NOT_FOUND)
        return status;
    *out = records;
    return OK;
}

static struct journal_of *find(struct archive *a, uint64_t session)
{
    return strmap_find(&a->journal, key_of(&session));
}

/* The session's; counted when it is new. NULL when that cannot be had: sealing is then put off. */
static struct journal_of *enter(struct archive *a, uint64_t session)
{
    struct journal_of *j = find(a, session);
    if (j)
        return j;
    j = calloc(1, sizeof(*j));
    if (!j)
        return NULL;
    j->session = session;
    j->counted_at = a->commits;
    list_init(&j->due);
    if (count_runs(a, session, &j->records) == OK &&
        strmap_put(&a->journal, key_of(&j->session), j) == OK)
        return j;
    free(j);
    return NULL;
}

static void note_due(struct archive *a, struct journal_of *j)
{
    bool due = j->records >= SEAL_AT || (j->ended && j->records > 0);
    if (due && list_empty(&j->due))
        list_add_tail(&a->due, &j->due);
}

/* The runs of an item that has been committed are there to be sealed. */
static void note_item(struct archive *a, const struct batch_item *item)
{
    struct journal_of *j;
    switch (item->kind) {
    case BATCH_RUN:
        j = enter(a, item->session);
        if (!j)
            return;
        /* One that was counted after this commit has all runs of it already. */
        j->records += j->counted_at < a->commits ? item->count : 0;
        j->ended = false;
        note_due(a, j);
        return;
    case BATCH_SEAL:
        j = enter(a, item->session);
        if (!j)
            return;
        j->ended = true;
        note_due(a, j);
        if (j->records == 0)
            forget(a, j);
        return;
    case BATCH_DELETE:
        j = find(a, item->session);
        if (j)
            forget(a, j);
        return;
    default:
        return;
    }
}

static enum status put_item(struct store *store, const struct batch_item *item)
{
    switch (item->kind) {
    case BATCH_SESSION:
        return store->ops->put_session(store, &item->row);
    case BATCH_RUN:
        return store->ops->put_run(store, &(struct store_run){.session = item->session,
                                                              .first = item->first,
                                                              .count = item->count,
                                                              .bytes = buf_span(&item->bytes)});
    case BATCH_TRIM:
        return store->ops->delete_before(store, item->session, item->first);
    case BATCH_DELETE:
        return store->ops->delete_session(store, item->session);
    case BATCH_AUDIT:
        return store->ops->put_audit(store, &(struct store_audit){.id = item->first,
                                                                  .session = item->session,
                                                                  .entry = buf_span(&item->bytes)});
    case BATCH_DROP:
        return store->ops->delete_audit(store, item->first);
    case BATCH_META:
        return store->ops->put_meta(store, item->name, buf_span(&item->bytes));
    default:
        return OK;
    }
}

static const struct batch *batch_at(const struct list *link)
{
    return LIST_ENTRY(link, const struct batch, letter.link);
}

static enum status put_batches(struct store *store, const struct list *batches)
{
    enum status status = OK;
    for (const struct list *at = batches->next; at != batches; at = at->next) {
        for (size_t i = 0; i < batch_at(at)->count && status == OK; i++)
            status = put_item(store, &batch_at(at)->items[i]);
    }
    return status;
}

enum status archive_commit(struct archive *a, const struct list *batches)
{
    const struct store_ops *ops = a->store->ops;
    enum status status = ops->begin(a->store);
    if (status != OK)
        return status;
    status = put_batches(a->store, batches);
    if (status == OK)
        status = ops->commit(a->store);
    if (status != OK) {
        ops->rollback(a->store);
        return status;
    }
    a->commits++;
    for (const struct list *at = batches->next; at != batches; at = at->next) {
        for (size_t i = 0; i < batch_at(at)->count; i++)
            note_item(a, &batch_at(at)->items[i]);
    }
    return OK;
}

/* A segment being collected from runs, oldest first. */
struct collection {
    uint64_t most; /* records that go in */
    uint64_t first;
    uint64_t count;
    uint64_t next; /* offset to look for the next run at */
    uint64_t axis; /* of the last entry taken */
};

/* Whole runs only, since a segment takes the place of those that begin within it; without a hole,
 * and without a fall of the axis (a rewind, which always begins a run). */
static bool fits(struct archive *a, const struct collection *c, const struct store_run *row)
{
    struct run_reader run;
    struct series_entry entry;
    if (c->count == 0)
        return true;
    return c->count + row->count <= c->most && row->first == c->first + c->count &&
           run_open(&run, row->bytes, row->first, &a->decoder) == OK &&
           run_next(&run, &entry) == OK && entry.axis >= c->axis;
}

/* One run's records into the writer. */
static enum status add_run(struct archive *a, struct collection *c, const struct store_run *row)
{
    struct run_reader run;
    struct series_entry entry;
    enum status status = run_open(&run, row->bytes, row->first, &a->decoder);
    while (status == OK && (status = run_next(&run, &entry)) == OK) {
        status = segment_writer_add(a->writer, &entry);
        c->axis = entry.axis;
    }
    return status == E_NOT_FOUND ? OK : status;
}

static void start_over(struct archive *a)
{
    buf_reset(&a->head);
    buf_reset(&a->body);
    segment_writer_reset(a->writer);
}

/* A run that cannot be read stays where it stands, for whoever can, and is never touched again. */
static void pass_over(struct archive *a, const struct store_run *row)
{
    a->damaged++;
    log_error("archive", "damaged run left unsealed session=%llu first=%llu",
              (unsigned long long)row->session, (unsigned long long)row->first);
    start_over(a);
}

/* The next run of a session into the collection. E_NOT_FOUND: there is none that goes in with those
 * before it. E_LIMIT: neither does this one, and what it has left in the writer has to go. */
static enum status collect_run(struct archive *a, uint64_t session, struct collection *c)
{
    struct store_run row;
    if (c->count >= c->most)
        return E_NOT_FOUND;
    enum status status = a->store->ops->next_run(a->store, session, c->next, &row);
    if (status == OK && !fits(a, c, &row))
        return E_NOT_FOUND;
    if (status == OK)
        status = add_run(a, c, &row);
    bool unreadable = status == E_MALFORMED || status == E_LIMIT;
    if (unreadable && c->count > 0)
        return E_LIMIT;
    if (status != OK && !unreadable)
        return status;
    c->next = row.first + row.count;
    if (unreadable) {
        pass_over(a, &row);
        return OK;
    }
    c->first = c->count == 0 ? row.first : c->first;
    c->count += row.count;
    return OK;
}

/* Collects runs from c->next on. E_NOT_FOUND: there was none, and c->next is behind what cannot be
 * read; E_LIMIT: after c->count records the next run cannot be taken. */
static enum status collect(struct archive *a, uint64_t session, struct collection *c)
{
    enum status status = OK;
    start_over(a);
    while (status == OK)
        status = collect_run(a, session, c);
    return status == E_NOT_FOUND && c->count > 0 ? OK : status;
}

static enum status put_segment(struct archive *a, uint64_t session, const struct collection *c)
{
    const struct store_ops *ops = a->store->ops;
    enum status status = ops->begin(a->store);
    if (status != OK)
        return status;
    status = ops->put_segment(a->store, &(struct store_segment){.session = session,
                                                                .first = c->first,
                                                                .count = c->count,
                                                                .head = buf_span(&a->head),
                                                                .body = buf_span(&a->body)});
    if (status == OK)
        status = ops->commit(a->store);
    if (status != OK)
        ops->rollback(a->store);
    return status;
}

static enum status seal(struct archive *a, struct journal_of *j)
{
    struct collection c = {.most = SEGMENT_ROWS_MAX, .next = j->readable_from};
    enum status status = collect(a, j->session, &c);
    if (status == E_LIMIT) {
        c = (struct collection){.most = c.count, .next = c.first};
        status = collect(a, j->session, &c);
    }
    if (status == E_NOT_FOUND) {
        j->records = 0;
        j->readable_from = c.next;
        return OK;
    }
    if (status == OK)
        status = segment_writer_finish(a->writer, &a->head, &a->body);
    if (status == OK)
        status = put_segment(a, j->session, &c);
    if (status != OK)
        return status;
    a->sealed++;
    j->readable_from = c.first + c.count;
    j->records -= c.count < j->records ? c.count : j->records;
    return OK;
}

enum status archive_tidy(struct archive *a)
{
    struct list *first = list_first(&a->due);
    if (!first)
        return E_NOT_FOUND;
    struct journal_of *j = LIST_ENTRY(first, struct journal_of, due);
    list_remove(&j->due);
    enum status status = seal(a, j);
    note_due(a, j);
    if (status == OK && j->ended && j->records == 0)
        forget(a, j);
    return status;
}

uint64_t archive_backlog(const struct archive *a)
{
    uint64_t records = 0;
    for (const struct list *at = a->due.next; at != &a->due; at = at->next)
        records += LIST_ENTRY(at, const struct journal_of, due)->records;
    return records;
}
