/* SPDX-License-Identifier: MIT */
/*
 * Fixed-size numbers in the machine's order, then texts with their lengths. What a session
 * remembers of its records is kept as an empty run, since that is what the head of a run is, and
 * its newest record as a run of one: their forms are versioned and guarded there.
 */
#include "streamd/session/session_state.h"

#include "streamd/session/registry.h"
#include "streamd/session/session_life.h"

#include <stdlib.h>
#include <string.h>

enum { STATE_VERSION = 1 };

/* The part of fixed size, first in `state`. */
struct fixed {
    uint32_t version;
    uint32_t bytes;  /* of this struct: more may come in a later version */
    uint64_t age_us; /* of the last update, on the store's clock */
    uint64_t elapsed_us;
    uint64_t last_seq;
    uint64_t newest_offset;
    uint64_t series_newest;
    uint64_t epoch; /* in which the row was written, and `floor` is meant */
    uint64_t floor;
    uint64_t axis_x;
    double axis_step;
    double axis_model;
    uint32_t rewind_count;
    uint16_t sent;
    uint8_t life; /* enum session_state */
    uint8_t axis_begun;
    uint8_t resumed;
    uint8_t may_rewind;
    uint8_t summary_stale;
    uint8_t given_up;      /* a hole in earlier rows: zero */
    uint64_t summary_from; /* from here on rows may have less: zeros, then */
    uint64_t parts;        /* that follow the rewinds */
    uint64_t life_begins;
};

static void put_bytes(struct buf *out, struct span bytes)
{
    uint32_t len = bytes.ptr ? (uint32_t)bytes.len : UINT32_MAX;
    buf_add(out, &len, sizeof(len));
    if (bytes.ptr)
        buf_add_span(out, bytes);
}

/* False when the rest is too short for what it says. */
static bool take(struct span *rest, void *out, size_t n)
{
    if (rest->len < n)
        return false;
    memcpy(out, rest->ptr, n);
    *rest = (struct span){rest->ptr + n, rest->len - n};
    return true;
}

static bool take_bytes(struct span *rest, struct span *out)
{
    uint32_t len;
    *out = (struct span){NULL, 0};
    if (!take(rest, &len, sizeof(len)))
        return false;
    if (len == UINT32_MAX)
        return true;
    if (rest->len < len)
        return false;
    *out = (struct span){rest->ptr, len};
    *rest = (struct span){rest->ptr + len, rest->len - len};
    return true;
}

/* A part that was made in a buf of its own, which ends here. */
static void put_part(struct buf *out, struct buf *part)
{
    if (buf_status(part) != OK)
        out->failed = E_NOMEM;
    put_bytes(out, part->ptr ? buf_span(part) : SPAN(""));
    buf_fini(part);
}

static void put_memory(struct buf *out, const struct record_memory *memory)
{
    struct buf run;
    buf_init(&run, LINE_BYTES_MAX);
    run_begin(&run, memory);
    run_end(&run);
    put_part(out, &run);
}

static void put_summary(struct buf *out, const struct summary *summary)
{
    struct buf bytes;
    buf_init(&bytes, SUMMARY_BYTES_MAX);
    summary_write(summary, &bytes);
    put_part(out, &bytes);
}

static void put_epochs(struct buf *out, const struct epochs *epochs)
{
    struct buf bytes;
    buf_init(&bytes, sizeof(*epochs) + EPOCHS_BYTES_MAX);
    epochs_write(epochs, &bytes);
    put_part(out, &bytes);
}

static void put_operation(struct buf *out, const struct operation *operation)
{
    struct buf bytes;
    buf_init(&bytes, (size_t)2 * LINE_BYTES_MAX);
    operation_write(operation, &bytes);
    put_part(out, &bytes);
}

static void put_knobs(struct buf *out, const struct knobs *knobs)
{
    struct buf bytes;
    buf_init(&bytes, KNOBS_BYTES_MAX);
    if (knobs->count > 0)
        knobs_write(knobs, &bytes);
    put_part(out, &bytes);
}

static void put_rules(struct buf *out, const struct alert_rules *rules, uint64_t age_base_us)
{
    struct buf bytes;
    buf_init(&bytes, ALERT_RULES_BYTES_MAX);
    alert_rules_write(rules, age_base_us, &bytes);
    put_part(out, &bytes);
}

static uint64_t epoch_of(const struct session *s)
{
    return strtoull(s->registry->epoch, NULL, 16);
}

static struct fixed fixed_of(const struct session *s)
{
    struct fixed f;
    memset(&f, 0, sizeof(f)); /* holes in the struct go to disk, too */
    f.version = STATE_VERSION;
    f.bytes = sizeof(f);
    f.age_us = s->registry->age_base_us + s->last_us;
    f.elapsed_us = s->last_us - s->start_us;
    f.last_seq = s->last_seq;
    f.newest_offset = s->newest_offset;
    f.series_newest = series_newest(s->series);
    f.epoch = epoch_of(s);
    f.floor = s->floor;
    f.axis_x = s->axis.x;
    f.axis_step = s->axis.step;
    f.axis_model = s->axis.model;
    f.axis_begun = s->axis.begun;
    f.rewind_count = (uint32_t)s->rewind_count;
    f.sent = s->sent;
    f.life = (uint8_t)s->state;
    f.resumed = s->resumed;
    f.may_rewind = s->may_rewind;
    f.summary_stale = s->summary_stale;
    f.summary_from = s->summary_from;
    f.given_up = s->given_up;
    f.life_begins = s->life_begins;
    f.parts = 4; /* epochs, operation, knobs, rules */
    return f;
}

static struct span text_of(const char *text)
{
    return text ? span_of(text) : (struct span){NULL, 0};
}

void session_state_row(const struct session *s, struct buf *scratch, struct store_session *row)
{
    struct fixed f = fixed_of(s);
    size_t at = scratch->len;
    buf_add(scratch, &f, sizeof(f));
    put_memory(scratch, &s->memory);
    put_bytes(scratch, s->latest.len ? buf_span(&s->latest) : (struct span){NULL, 0});
    put_bytes(scratch, text_of(s->error));
    put_summary(scratch, s->summary);
    if (s->rewind_count)
        buf_add(scratch, s->rewinds, s->rewind_count * sizeof(*s->rewinds));
    put_epochs(scratch, &s->epochs);
    put_operation(scratch, &s->operation);
    put_knobs(scratch, &s->knobs);
    put_rules(scratch, &s->rules, s->registry->age_base_us);
    *row = (struct store_session){
        .key = s->key,
        .id = session_id(s),
        .project = text_of(s->project),
        .name = text_of(s->name),
        .config = s->config ? refbuf_span(s->config) : (struct span){NULL, 0},
        .status = span_of(session_state_name(s->state)),
        .state = {scratch->ptr + at, scratch->len - at},
        .start_time_s = s->start_time_s,
        .last_update_s = s->last_update_s,
        .pinned = s->pinned,
    };
}

static bool read_fixed(struct span *rest, struct fixed *f)
{
    const size_t least = offsetof(struct fixed, summary_from);
    struct span all = *rest;
    if (all.len < least)
        return false;
    memset(f, 0, sizeof(*f));
    memcpy(f, all.ptr, least);
    if (f->version != STATE_VERSION || f->bytes < least || f->bytes > all.len ||
        f->life >= SESSION_STATES || f->rewind_count > REWINDS_MAX)
        return false;
    memcpy(f, all.ptr, f->bytes < sizeof(*f) ? f->bytes : sizeof(*f));
    *rest = (struct span){all.ptr + f->bytes, all.len - f->bytes};
    return true;
}

/* What follows the fixed part; borrows from the state. */
struct parts {
    struct fixed fixed;
    struct span memory, latest, error, summary;
    struct span rewinds; /* whole */
    /* A row of an earlier version has not all of them. */
    struct span epochs, operation, knobs, rules;
};

/* What was added behind the rewinds since. */
static bool read_rest(struct span rest, struct parts *p)
{
    uint64_t bytes = p->fixed.rewind_count * sizeof(struct rewind);
    p->epochs = p->operation = p->knobs = p->rules = (struct span){NULL, 0};
    if (bytes > rest.len)
        return false;
    p->rewinds = (struct span){rest.ptr, (size_t)bytes};
    rest = (struct span){rest.ptr + bytes, rest.len - (size_t)bytes};
    return (p->fixed.parts == 0 ||
            (take_bytes(&rest, &p->epochs) && take_bytes(&rest, &p->operation))) &&
           (p->fixed.parts < 3 || take_bytes(&rest, &p->knobs)) &&
           (p->fixed.parts < 4 || take_bytes(&rest, &p->rules));
}

static bool read_parts(struct span state, struct parts *p)
{
    bool good = read_fixed(&state, &p->fixed) && take_bytes(&state, &p->memory) &&
                take_bytes(&state, &p->latest) && take_bytes(&state, &p->error) &&
                take_bytes(&state, &p->summary);
    return good && read_rest(state, p);
}

uint64_t session_state_age_us(const struct store_session *row)
{
    struct fixed f;
    struct span rest = row->state;
    return read_fixed(&rest, &f) ? f.age_us : 0;
}

static void restore_fixed(struct session *s, const struct fixed *f)
{
    s->last_us = f->age_us - s->registry->age_base_us;
    s->start_us = s->last_us - f->elapsed_us;
    s->last_seq = f->last_seq;
    s->newest_offset = f->newest_offset;
    /* Of an earlier epoch all stands that was kept. */
    s->floor = f->epoch == epoch_of(s) ? f->floor : f->series_newest;
    s->axis = (struct axis){f->axis_x, f->axis_step, f->axis_model, f->axis_begun != 0};
    s->sent = f->sent;
    s->resumed = f->resumed != 0;
    s->may_rewind = f->may_rewind != 0;
    s->summary_stale = f->summary_stale != 0;
    s->summary_from = f->summary_from;
    s->given_up = f->given_up != 0;
    s->life_begins = f->life_begins;
}

static enum status restore_memory(struct session *s, struct span run, struct line_decoder *decoder)
{
    struct run_reader reader;
    enum status status = run_open(&reader, run, 1, decoder);
    if (status == OK)
        s->memory = reader.memory;
    return status;
}

static enum status restore_rewinds(struct session *s, struct span rest, size_t count)
{
    s->rewind_count = 0;
    if (rest.len < count * sizeof(*s->rewinds))
        return E_MALFORMED;
    for (size_t i = 0; i < count; i++) {
        struct rewind r = {0};
        (void)take(&rest, &r, sizeof(r));
        if (!session_add_rewind(s, r))
            return E_NOMEM;
    }
    return OK;
}

/* What both a new session and one that goes back take from the state. */
static enum status restore_parts(struct session *s, const struct parts *p,
                                 struct line_decoder *decoder)
{
    restore_fixed(s, &p->fixed);
    buf_reset(&s->latest);
    if (p->latest.ptr)
        buf_add_span(&s->latest, p->latest);
    enum status status = buf_status(&s->latest);
    if (status == OK)
        status = restore_memory(s, p->memory, decoder);
    if (status == OK)
        status = summary_read(s->summary, p->summary);
    if (status == OK)
        status = restore_rewinds(s, p->rewinds, p->fixed.rewind_count);
    if (status == OK)
        status = epochs_read(&s->epochs, p->epochs);
    if (status == OK)
        status = operation_read(&s->operation, p->operation);
    if (status == OK)
        status = knobs_read(&s->knobs, p->knobs);
    session_count_models(s);
    return status;
}

enum status session_state_return(struct session *s, struct span state, struct line_decoder *decoder)
{
    struct parts parts;
    if (!read_parts(state, &parts))
        return E_MALFORMED;
    enum session_state life = (enum session_state)parts.fixed.life;
    series_cut(s->series, parts.fixed.series_newest);
    if (session_may_enter(s->state, life))
        session_enter(s, life);
    enum status status = restore_parts(s, &parts, decoder);
    session_recall(s);
    s->version++;
    return status;
}

static enum status restore_texts(struct session *s, const struct store_session *row,
                                 struct span error)
{
    bool good = session_copy_text(row->project, &s->project) &&
                session_copy_text(row->name, &s->name) && session_copy_text(error, &s->error);
    if (row->config.ptr)
        s->config = refbuf_create(row->config);
    return good && (!row->config.ptr || s->config) ? OK : E_NOMEM;
}

enum status session_state_restore(struct session *s, const struct store_session *row,
                                  struct line_decoder *decoder)
{
    struct parts parts;
    if (!read_parts(row->state, &parts))
        return E_MALFORMED;
    s->key = row->key;
    s->start_time_s = row->start_time_s;
    s->last_update_s = row->last_update_s;
    s->pinned = row->pinned;
    s->state = (enum session_state)parts.fixed.life;
    series_begin_at(s->series, parts.fixed.series_newest);
    enum status status = restore_parts(s, &parts, decoder);
    s->durable_seq = s->last_seq;
    if (status == OK) /* rules are their users': one that goes back keeps those it has */
        status = alert_rules_read(&s->rules, s->registry->age_base_us, parts.rules);
    return status == OK ? restore_texts(s, row, parts.error) : status;
}
