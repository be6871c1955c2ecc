/* SPDX-License-Identifier: MIT */
/*
 * Times are whole milliseconds from the start on, so that sums are exact. The monotonic clock of an
 * import goes with them and ends at the same moment for every run: for the daemon that comes next
 * the run is as old as the import, and not as its first record, which might be too old to be kept.
 * No timer runs in it, since no time passes.
 */
#include "streamd/tools/import_file.h"

#include "proto/json_write.h"
#include "streamd/ingest/intake.h"

#include <math.h>

enum { MS_PER_S = 1000, US_PER_MS = 1000, FLUSH_RECORDS = 1000, ANSWERS_MAX = 1 << 20 };

static int64_t ms_of(double time_s)
{
    return (int64_t)llround(time_s * MS_PER_S);
}

/* ---- looking ---- */

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static void note_times(struct import_facts *f, const struct source_row *row)
{
    if (!isnan(row->wall_s)) {
        int64_t ms = ms_of(row->wall_s);
        f->first_wall_ms = f->has_wall ? f->first_wall_ms : ms;
        f->last_wall_ms = f->has_wall ? larger(f->last_wall_ms, ms) : ms;
        f->has_wall = true;
    }
    if (!isnan(row->since_s)) {
        int64_t ms = ms_of(row->since_s);
        f->first_since_ms = f->has_since ? f->first_since_ms : ms;
        f->last_since_ms = f->has_since ? larger(f->last_since_ms, ms) : ms;
        f->has_since = true;
    }
}

static void note_row(struct import_facts *f, const struct source_row *row)
{
    f->records++;
    f->has_steps = f->has_steps || row->has_step;
    f->has_epochs = f->has_epochs || row->epoch.kind != NUM_NONE;
    note_times(f, row);
}

/* When the run began and ended, from what its records say. */
static void find_span(struct import_facts *f, int64_t modified_ms)
{
    f->start_ms = f->end_ms = modified_ms;
    if (f->has_wall) {
        f->start_ms = f->first_wall_ms;
        f->end_ms = f->last_wall_ms;
    }
    if (f->has_wall && f->has_since)
        f->start_ms -= f->first_since_ms < f->start_ms ? f->first_since_ms : 0;
    else if (f->has_since)
        f->start_ms -= f->last_since_ms;
}

/* Would a trainer's line like this be taken? */
static enum status check_line(struct import_file *f, const struct source_row *row)
{
    struct line line;
    struct line_error error;
    enum status status = line_decode(&f->app->decoder, buf_span(&row->line), &line, &error);
    if (status != OK)
        f->source.why = error.why;
    return status;
}

/* The next record that counts, complete but for a step that has to be given to it. */
static enum status next_row(struct import_file *f, bool looking)
{
    enum status status;
    while ((status = f->source.ops->next(&f->source, &f->row)) == OK) {
        if (!source_row_is_empty(&f->row))
            return OK;
        f->facts.blank += looking;
    }
    return status;
}

static void show(struct import_file *f, bool looking)
{
    uint64_t done = f->source.file.len - f->source.rest.len;
    progress_set(f->progress, done + (looking ? 0 : f->source.file.len));
}

static enum status look_at_next(struct import_file *f)
{
    enum status status = next_row(f, true);
    if (status != OK)
        return status;
    status = source_row_end(&f->row);
    if (status == E_LIMIT)
        f->source.why = "the record is longer than 65536 bytes";
    if (status == OK)
        status = check_line(f, &f->row);
    if (status == OK)
        note_row(&f->facts, &f->row);
    show(f, true);
    return status;
}

enum status import_look(struct import_file *f)
{
    f->facts = (struct import_facts){.records = 0};
    f->source.why = NULL;
    enum status status = f->source.ops->open(&f->source);
    while (status == OK)
        status = look_at_next(f);
    find_span(&f->facts, f->modified_ms);
    bool damaged = status == E_MALFORMED || status == E_LIMIT;
    if (status == E_NOT_FOUND || (damaged && f->partial && f->facts.records > 0))
        return OK;
    return status;
}

/* ---- feeding ---- */

struct feed {
    struct import_file *file;
    struct intake intake;
    struct buf answers;
    struct buf line;
    int64_t now_ms;
    uint64_t fed;
    const char *why;
};

static struct now now_of(const struct feed *feed)
{
    int64_t before_ms = feed->file->facts.end_ms - feed->now_ms;
    return (struct now){.us = IMPORT_NOW_US - (uint64_t)before_ms * US_PER_MS,
                        .wall_s = (double)feed->now_ms / MS_PER_S};
}

/* Hands what has gathered to the store, which does its work here. */
static enum status flush(struct feed *feed)
{
    struct keeping *k = &feed->file->app->registry.keeping;
    keeping_flush(k);
    keeping_receive(k);
    if (keeping_is_idle(k) && !k->troubled)
        return OK;
    feed->why = "the store did not take it";
    return E_IO;
}

static enum status feed_line(struct feed *feed, struct span line)
{
    struct line_error error;
    struct now now = now_of(feed);
    keeping_enter(&feed->file->app->registry.keeping, now.us);
    enum status status = intake_line(&feed->intake, line, now, &error);
    buf_reset(&feed->answers);
    if (status != OK)
        feed->why = error.why;
    return status;
}

static enum status feed_start(struct feed *feed, const struct import_names *names)
{
    struct buf *b = &feed->line;
    struct span config = buf_span(&feed->file->source.config);
    buf_reset(b);
    buf_add_char(b, '{');
    json_write_pair_string(b, "type", SPAN("start"));
    json_write_pair_string(b, "sessionId", names->id);
    if (names->project.ptr)
        json_write_pair_string(b, "project", names->project);
    if (names->name.ptr)
        json_write_pair_string(b, "name", names->name);
    if (config.len > 0)
        json_write_pair_raw(b, "config", config);
    buf_add_char(b, '}');
    feed->why = "the names and the config are too long together";
    return buf_status(b) == OK ? feed_line(feed, buf_span(b)) : buf_status(b);
}

/* In a file without steps a record stands at its epoch, or at its place in the file. */
static void give_step(const struct import_facts *f, struct source_row *row, uint64_t place)
{
    if (f->has_steps)
        return;
    if (!f->has_epochs)
        source_row_set_step(row, (int64_t)place);
    else if (row->epoch.kind != NUM_NONE)
        source_row_add_metric(row, SPAN("step"), row->epoch);
}

static int64_t time_of(const struct feed *feed, const struct source_row *row)
{
    const struct import_facts *f = &feed->file->facts;
    int64_t ms = feed->now_ms;
    if (f->has_wall)
        ms = isnan(row->wall_s) ? ms : ms_of(row->wall_s);
    else if (f->has_since && !isnan(row->since_s))
        ms = f->start_ms + ms_of(row->since_s);
    ms = larger(ms, feed->now_ms); /* clocks are set back, time is not */
    return ms < f->end_ms ? ms : f->end_ms;
}

static enum status feed_row(struct feed *feed)
{
    struct import_file *f = feed->file;
    give_step(&f->facts, &f->row, feed->fed + 1);
    enum status status = source_row_end(&f->row);
    feed->why = "the record is longer than 65536 bytes";
    if (status != OK)
        return status;
    feed->now_ms = time_of(feed, &f->row);
    status = feed_line(feed, buf_span(&f->row.line));
    if (status == OK && ++feed->fed % FLUSH_RECORDS == 0)
        status = flush(feed);
    show(f, false);
    return status;
}

static enum status feed_rows(struct feed *feed)
{
    struct import_file *f = feed->file;
    feed->why = "the file has changed meanwhile";
    enum status status = f->source.ops->open(&f->source);
    while (status == OK && feed->fed < f->facts.records) {
        status = next_row(f, false);
        if (status == OK)
            status = feed_row(feed);
    }
    return status;
}

enum status import_feed(struct import_file *f, const struct import_names *names, const char **why)
{
    struct feed feed = {.file = f, .now_ms = f->facts.start_ms};
    buf_init(&feed.answers, ANSWERS_MAX);
    buf_init(&feed.line, LINE_BYTES_MAX);
    intake_init(&feed.intake, &f->app->registry, &f->app->decoder, &feed.answers);
    enum status status = feed_start(&feed, names);
    if (status == OK)
        status = feed_rows(&feed);
    feed.now_ms = f->facts.end_ms;
    if (status == OK)
        status = feed_line(&feed, SPAN("{\"type\":\"complete\"}"));
    if (status == OK)
        status = flush(&feed);
    intake_fini(&feed.intake);
    buf_fini(&feed.line);
    buf_fini(&feed.answers);
    if (status != OK)
        *why = feed.why;
    return status;
}
