/* SPDX-License-Identifier: MIT */
/*
 * events: TensorBoard's event files. A writer says each number of a step in an event of its own;
 * those that come one after the other with one step are one record, until a tag comes again.
 */
#include "proto/logs/source.h"
#include "proto/logs/tfevent.h"
#include "proto/logs/tfrecord.h"

enum { TAGS_MAX = 256 };

/* The record that is being gathered. */
struct gathering {
    struct source_row *row;
    int64_t step;
    size_t at; /* of its first event in the file */
    size_t count;
    struct span tags[TAGS_MAX]; /* borrow from the file */
};

static bool events_fits(struct span file)
{
    return tfrecord_fits(file);
}

static enum status events_open(struct source *s)
{
    s->rest = s->file;
    return OK;
}

static bool has_tag(const struct gathering *g, struct span tag)
{
    for (size_t i = 0; i < g->count; i++) {
        if (span_eq(g->tags[i], tag))
            return true;
    }
    return false;
}

/* Do all its numbers belong to the record so far? */
static enum status belongs(const struct gathering *g, const struct tfevent *event, bool *out)
{
    struct span values = event->summary;
    struct span tag;
    struct num value;
    size_t count = g->count;
    enum status status;
    *out = true;
    while ((status = tfevent_next(&values, &tag, &value)) == OK) {
        bool fresh = count == 0 || (event->step == g->step && count < TAGS_MAX && !has_tag(g, tag));
        *out = *out && (fresh || g->count == 0);
        count++;
    }
    return status == E_NOT_FOUND ? OK : status;
}

static void add(struct gathering *g, const struct tfevent *event)
{
    struct span values = event->summary;
    struct span tag;
    struct num value;
    while (tfevent_next(&values, &tag, &value) == OK) {
        if (g->count == 0) {
            g->step = event->step;
            source_row_set_step(g->row, event->step);
        }
        if (g->count < TAGS_MAX)
            g->tags[g->count++] = tag;
        source_row_add_metric(g->row, tag, value);
        source_row_set_wall(g->row, event->wall_s);
    }
}

/* Takes the next event into the record. E_NOT_FOUND: it is another one's, or there is none. */
static enum status take_event(struct source *s, struct gathering *g)
{
    struct span rest = s->rest;
    struct span data;
    struct tfevent event;
    const char *why = "";
    bool here;
    enum status status = tfrecord_next(&rest, &data, &why);
    if (status == E_NOT_FOUND)
        return status;
    if (status != OK)
        return source_refuse(s, status, s->rest.ptr, why);
    if (tfevent_read(data, &event) != OK || belongs(g, &event, &here) != OK)
        return source_refuse(s, E_MALFORMED, s->rest.ptr, "a record is no event");
    if (!here)
        return E_NOT_FOUND;
    if (g->count == 0)
        g->at = (size_t)(s->rest.ptr - s->file.ptr);
    add(g, &event);
    s->rest = rest;
    return OK;
}

static enum status events_read(struct source *s, struct source_row *row)
{
    struct gathering g = {.row = row};
    enum status status = OK;
    source_row_begin(row);
    while (status == OK)
        status = take_event(s, &g);
    if (g.count == 0)
        return status;
    s->at = g.at; /* what is damaged behind it is met again by who comes for the next */
    return OK;
}

const struct source_ops source_events = {
    .name = "tensorboard",
    .what = "TensorBoard",
    .whole = true,
    .fits = events_fits,
    .open = events_open,
    .next = events_read,
};
