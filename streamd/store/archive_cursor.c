/* SPDX-License-Identifier: MIT */
/*
 * The cursor has a copy of the row at hand, because what the store lends is gone with its next
 * call. A run is read through to its end although it may be sealed meanwhile: the entries are the
 * same ones. Where a segment and a run overlap (they should not: sealing deletes the runs) the
 * segment counts.
 *
 * Heads are looked up without their bodies when columns are read: a zoomed-out chart passes over
 * most bodies, and of those a byte not read is a page not fetched.
 */
#include "streamd/store/archive_cursor.h"

#include "streamd/log.h"

#include <inttypes.h>

/* Far beyond what a segment or a run has; a limit only against a damaged length. */
enum { ROW_BYTES_MAX = 1 << 30 };

void archive_cursor_init(struct archive_cursor *c, struct store *store,
                         struct line_decoder *decoder, uint64_t session, uint64_t from_offset)
{
    *c = (struct archive_cursor){
        .store = store, .decoder = decoder, .session = session, .next = from_offset};
    buf_init(&c->head, ROW_BYTES_MAX);
    buf_init(&c->body, ROW_BYTES_MAX);
}

/* Lets go of the row at hand. */
static void leave(struct archive_cursor *c)
{
    if (c->place == PLACE_SEGMENT)
        segment_close(&c->segment);
    c->place = PLACE_NONE;
    c->whole = false;
}

void archive_cursor_fini(struct archive_cursor *c)
{
    leave(c);
    buf_fini(&c->head);
    buf_fini(&c->body);
}

bool archive_cursor_has(const struct archive_cursor *c, uint64_t offset)
{
    if (c->place == PLACE_NONE || offset < c->first || offset > c->last)
        return false;
    return c->place == PLACE_SEGMENT || offset >= c->run.offset;
}

void archive_cursor_seek(struct archive_cursor *c, uint64_t offset)
{
    if (!archive_cursor_has(c, offset))
        leave(c);
    c->next = offset;
}

/* Goes behind the row at hand. */
static void pass(struct archive_cursor *c)
{
    leave(c);
    c->next = c->last + 1;
}

static void pass_damaged(struct archive_cursor *c)
{
    c->damaged++;
    log_warn("archive", "damaged session=%" PRIu64 " offsets=%" PRIu64 "-%" PRIu64 ", ignoring",
             c->session, c->first, c->last);
    pass(c);
}

/* A row holds `next` or comes after it. Should one not, the cursor must get past it all the same.
 */
static void set_bounds(struct archive_cursor *c, uint64_t first, uint64_t count)
{
    uint64_t last = count > 0 && count < UINT64_MAX - first ? first + count - 1 : first;
    c->first = first;
    c->last = last > c->next ? last : c->next;
    c->next = first > c->next ? first : c->next;
}

static enum status copy(struct buf *to, struct span from)
{
    buf_reset(to);
    buf_add_span(to, from);
    return buf_status(to);
}

/* Of a damaged row OK too, but the cursor then stands behind it, in PLACE_NONE. */
static enum status take_segment(struct archive_cursor *c, const struct store_segment *row,
                                bool with_body)
{
    leave(c);
    if (copy(&c->head, row->head) != OK || copy(&c->body, row->body) != OK)
        return E_NOMEM;
    enum status status = segment_open(&c->segment, buf_span(&c->head), buf_span(&c->body));
    if (status == E_NOMEM)
        return status;
    set_bounds(c, row->first, row->count);
    c->begun = true;
    c->place = status == OK ? PLACE_SEGMENT : PLACE_NONE;
    c->whole = with_body;
    if (status != OK || c->segment.first_offset != c->first || c->segment.rows != row->count)
        pass_damaged(c);
    return OK;
}

/* As take_segment. */
static enum status take_run(struct archive_cursor *c, const struct store_run *row)
{
    leave(c);
    if (copy(&c->body, row->bytes) != OK)
        return E_NOMEM;
    set_bounds(c, row->first, row->count);
    c->begun = true;
    c->place = PLACE_RUN;
    if (run_open(&c->run, buf_span(&c->body), c->first, c->decoder) != OK)
        pass_damaged(c);
    return OK;
}

/* Takes the segment that begins at or after `from`, with its body or without. */
static enum status look_up_segment(struct archive_cursor *c, uint64_t from, bool with_body)
{
    struct store_segment row;
    enum status status = c->store->ops->next_segment(c->store, c->session, from, with_body, &row);
    return status == OK ? take_segment(c, &row, with_body) : status;
}

static bool is_failure(enum status status)
{
    return status != OK && status != E_NOT_FOUND && status != E_MALFORMED;
}

/* From where on rows of that kind can be read, as the store has said. */
static uint64_t readable_from(enum status status, uint64_t first, uint64_t count)
{
    if (status == E_NOT_FOUND)
        return UINT64_MAX;
    return status == E_MALFORMED ? first + count : first;
}

/* Passes what nothing can be read of, up to where one of both kinds of rows can. */
static enum status pass_lost(struct archive_cursor *c, uint64_t sealed_from, uint64_t run_from)
{
    uint64_t from = run_from < sealed_from ? run_from : sealed_from;
    c->first = c->next;
    c->last = from > c->next ? from - 1 : c->next;
    pass_damaged(c);
    return OK;
}

/* After the last row. Who has read some of a session that is no longer there has not come to its
 * end: it was deleted meanwhile. */
static enum status end_of(const struct archive_cursor *c)
{
    struct store_session row = {.key = 0};
    if (!c->begun)
        return E_NOT_FOUND;
    enum status status = c->store->ops->next_session(c->store, c->session - 1, &row);
    if (status == E_NOT_FOUND || (status == OK && row.key != c->session))
        return E_IO;
    return status == OK || status == E_MALFORMED ? E_NOT_FOUND : status;
}

/* Takes the row that has `next`, or the first one after it. Damage that the store itself has found
 * is passed. */
static enum status look_up(struct archive_cursor *c, bool with_body)
{
    const struct store_ops *ops = c->store->ops;
    struct store_segment segment = {.first = 0};
    struct store_run run = {.first = 0};
    enum status sealed = ops->next_segment(c->store, c->session, c->next, with_body, &segment);
    if (sealed == OK && segment.first <= c->next)
        return take_segment(c, &segment, with_body);
    if (is_failure(sealed))
        return sealed;
    enum status status = ops->next_run(c->store, c->session, c->next, &run);
    if (is_failure(status))
        return status;
    uint64_t sealed_from = readable_from(sealed, segment.first, segment.count);
    uint64_t run_from = readable_from(status, run.first, run.count);
    bool damage = sealed == E_MALFORMED || status == E_MALFORMED;
    if (damage && (status != OK || run_from > c->next))
        return pass_lost(c, sealed_from, run_from);
    if (run_from < sealed_from)
        return take_run(c, &run);
    return sealed == E_NOT_FOUND ? end_of(c) : look_up_segment(c, sealed_from, with_body);
}

/* Goes to the row that has the next entry. */
static enum status enter(struct archive_cursor *c, bool with_body)
{
    enum status status = OK;
    if (c->place != PLACE_NONE && c->next > c->last)
        leave(c);
    while (status == OK && c->place == PLACE_NONE)
        status = look_up(c, with_body);
    return status;
}

/* Reads on in the run at hand until `next` is what comes. */
static enum status advance_run(struct archive_cursor *c)
{
    struct series_entry passed;
    enum status status = OK;
    while (status == OK && c->run.offset < c->next)
        status = run_next(&c->run, &passed);
    return status;
}

/* A row whose bytes are as they were written, and which cannot be read all the same. */
static bool is_damage(enum status status)
{
    return status != OK && status != E_NOMEM;
}

enum status archive_cursor_enter(struct archive_cursor *c)
{
    for (;;) {
        enum status status = enter(c, c->eager);
        if (status != OK || c->place == PLACE_SEGMENT)
            return status;
        status = advance_run(c);
        if (!is_damage(status))
            return status;
        pass_damaged(c);
    }
}

enum status archive_cursor_open(struct archive_cursor *c)
{
    if (c->whole)
        return OK;
    uint64_t first = c->first;
    uint64_t last = c->last;
    enum status status = look_up_segment(c, first, true);
    if (status == E_MALFORMED) {
        pass_damaged(c);
        return OK;
    }
    if (status != OK && status != E_NOT_FOUND)
        return status;
    if (status != OK || c->place == PLACE_NONE || c->first != first || c->last != last) {
        leave(c);
        c->next = last + 1;
    }
    return OK;
}

/* Goes to the row that has the next entry, with all of it; that may have turned out to be damaged.
 */
static enum status enter_whole(struct archive_cursor *c)
{
    enum status status = enter(c, true);
    if (status == OK && c->place == PLACE_SEGMENT)
        status = archive_cursor_open(c);
    return status;
}

/* `wanted` is NULL for who reads on. */
static enum status read_entry(struct archive_cursor *c, const struct segment_wanted *wanted,
                              struct series_entry *out)
{
    uint32_t row = (uint32_t)(c->next - c->first);
    if (c->place == PLACE_SEGMENT)
        return wanted ? segment_pick(&c->segment, row, wanted, out)
                      : segment_row(&c->segment, row, out);
    enum status status = advance_run(c);
    return status == OK ? run_next(&c->run, out) : status;
}

enum status archive_cursor_next(struct archive_cursor *c, struct series_entry *out)
{
    for (;;) {
        enum status status = enter_whole(c);
        if (status != OK)
            return status;
        if (c->place == PLACE_NONE)
            continue;
        status = read_entry(c, NULL, out);
        if (!is_damage(status)) {
            c->next += status == OK;
            return status;
        }
        pass_damaged(c);
    }
}

enum status archive_cursor_pick(struct archive_cursor *c, uint64_t offset,
                                const struct segment_wanted *wanted, struct series_entry *out)
{
    archive_cursor_seek(c, offset);
    enum status status = enter_whole(c);
    if (status != OK)
        return status;
    if (c->place == PLACE_NONE || c->next != offset)
        return E_NOT_FOUND;
    status = read_entry(c, wanted, out);
    if (is_damage(status)) {
        pass_damaged(c);
        return E_NOT_FOUND;
    }
    c->next += status == OK;
    return status;
}
