/* SPDX-License-Identifier: MIT */
/* Each step looks at how things stand, and waits or answers; nothing calls back. */
#include "streamd/relay/posting.h"

#include "proto/json_write.h"
#include "streamd/http/operation_reply.h"
#include "streamd/http/operations.h"
#include "streamd/ingest/epoch_line.h"
#include "streamd/relay/carrier.h"
#include "streamd/relay/relay.h"
#include "streamd/relay/relay_line.h"

static const char too_many[] = "as many runs are on their way as the relay may have";

/* Is nothing to be learnt from the hub now? */
static bool is_away(const struct relay *r, const struct carrier *c)
{
    return !r->reached || c->failures > 0;
}

/* ---- metrics ---- */

static void write_report(struct buf *b, struct span id, struct span object)
{
    relay_line_head(b, LINE_REPORT, id);
    json_write_pair_raw(b, "report", object);
    buf_add_char(b, '}');
}

/* The line that it becomes; as epoch_line_read. */
static enum status make_line(struct epoch_line *e, const struct carrier *c,
                             const struct posting_ask *ask)
{
    if (c->job == JOB_TRAINING || c->job == JOB_NONE)
        return epoch_line_read(e, ask->id, ask->object);
    write_report(&e->text, ask->id, ask->object);
    return epoch_line_judge(e);
}

static void write_told(const struct posting_ask *ask, struct buf *out)
{
    if (ask->kind == POSTING_HOST)
        buf_add_str(out, "{\"success\":true}");
    else
        operation_write_added(ask->id, out);
}

static void tell(struct relay *r, struct carrier *c, const struct posting_ask *ask,
                 struct reply *reply)
{
    struct epoch_line e;
    epoch_line_init(&e, r->params.config->max_line);
    const char *why = NULL;
    enum status status = make_line(&e, c, ask);
    if (status == OK)
        status = relay_post(r, c, buf_span(&e.text), &why);
    else
        why = e.why;
    if (status == E_IO || status == E_NOMEM)
        reply_error(reply, 503, why);
    else if (status != OK)
        operation_refuse(reply, 400, OPERATION_BAD_METRICS, span_of(why));
    else
        write_told(ask, &reply->body);
    if (status == OK && c->job == JOB_NONE)
        c->job = JOB_TRAINING;
    epoch_line_fini(&e);
}

/* False: it has to wait. */
static bool add_metrics(struct relay *r, const struct posting_ask *ask, bool late,
                        struct reply *reply)
{
    struct carrier *c = relay_run(r, ask->id, true);
    if (!c)
        reply_error(reply, 503, too_many);
    else if (c->job == JOB_NOT_KNOWN && !is_away(r, c) && !late)
        return false;
    else if (c->job == JOB_NONE && ask->kind == POSTING_METRICS)
        operation_refuse(reply, 404, "Operation not found: ", ask->id);
    else
        tell(r, c, ask, reply);
    return true;
}

/* ---- a new operation ---- */

/* A first line, which says nothing, so that the `start` before it is on the disk, and acknowledged.
 * False: *out_why says why not, NULL: out of memory. */
static bool say_start(struct relay *r, struct carrier *c, struct span id, struct buf *b,
                      const char **out_why)
{
    if ((*out_why = carrier_start(c, buf_span(b), true)) != NULL)
        return false;
    buf_reset(b);
    write_report(b, id, SPAN("{}"));
    return buf_status(b) == OK && relay_post(r, c, buf_span(b), out_why) == OK;
}

/* So that it may be said again: the hub is only asked for the run, as before. */
static void unsay_start(struct carrier *c, struct buf *b)
{
    buf_reset(b);
    relay_line_implied(b, carrier_id(c));
    c->implied = true; /* so what was said makes place, instead of this becoming a line behind it */
    c->implied = buf_status(b) == OK && carrier_start(c, buf_span(b), true) == NULL;
}

/* False, and the reply says why not. */
static bool start(struct relay *r, struct carrier *c, const struct posting_ask *ask,
                  struct reply *reply)
{
    struct buf b;
    const char *why = NULL;
    buf_init(&b, RELAY_START_MAX);
    relay_line_head(&b, LINE_START, ask->id);
    json_write_pair_raw(&b, "config", ask->object);
    bool too_long = buf_status(&b) == E_LIMIT;
    bool good = buf_status(&b) == OK && say_start(r, c, ask->id, &b, &why);
    if (!good && !c->implied)
        unsay_start(c, &b);
    buf_fini(&b);
    if (too_long)
        operation_invalid(reply, "body", "Input should be of at most 63000 bytes at a relay",
                          "dict_type");
    else if (!good)
        reply_error(reply, 503, why ? why : "Out of memory");
    return good;
}

static void write_begun(const struct posting_ask *ask, struct reply *reply)
{
    struct span type = ask->type.len > 0 ? ask->type : SPAN("training");
    reply_open_data(reply);
    buf_add_char(&reply->body, '{');
    json_write_pair_string(&reply->body, "operation_id", ask->id);
    json_write_pair_string(&reply->body, "operation_type", type);
    json_write_pair_string(&reply->body, "status", SPAN("pending"));
    buf_add_char(&reply->body, '}');
    reply_close_data(reply);
}

enum begins { BEGINS_NOW, BEGINS_LATER, BEGINS_NEVER };

/* BEGINS_NEVER: the reply says why. */
static enum begins may_begin(struct relay *r, const struct carrier *c,
                             const struct posting_ask *ask, bool late, struct reply *reply)
{
    bool asked = c->implied && c->job == JOB_NOT_KNOWN;
    if (asked && !is_away(r, c) && !late)
        return BEGINS_LATER;
    if (c->implied && (asked || c->job == JOB_NONE))
        return BEGINS_NOW;
    operation_refuse(reply, 409, "Operation exists: ", ask->id);
    return BEGINS_NEVER;
}

/* False: it has to wait. *begun stays 0 when the reply says why it has not begun. */
static bool begin(struct relay *r, const struct posting_ask *ask, bool late, uint64_t *begun,
                  struct reply *reply)
{
    struct carrier *c = relay_run(r, ask->id, true);
    if (!c) {
        reply_error(reply, 503, too_many);
        return true;
    }
    enum begins when = may_begin(r, c, ask, late, reply);
    if (when != BEGINS_NOW || !start(r, c, ask, reply))
        return when != BEGINS_LATER;
    *begun = c->backlog.last_seq;
    bool trains = ask->type.len == 0 || span_is(ask->type, "training");
    c->job = trains ? JOB_TRAINING : JOB_OTHER;
    return true;
}

/* Whoever hears that it is begun may look at it: the hub has it, if it is there. */
static bool has_arrived(struct relay *r, const struct posting_ask *ask, bool late, uint64_t begun)
{
    const struct carrier *c = relay_find(r, ask->id);
    return !c || c->backlog.acked >= begun || is_away(r, c) || late;
}

static bool begin_and_arrive(struct relay *r, const struct posting_ask *ask, bool late,
                             uint64_t *begun, struct reply *reply)
{
    if (*begun == 0 && !begin(r, ask, late, begun, reply))
        return false;
    if (*begun == 0)
        return true;
    if (!has_arrived(r, ask, late, *begun))
        return false;
    write_begun(ask, reply);
    return true;
}

/* ---- what only the hub can do ---- */

/* False: it has to wait. */
static bool send_on(struct relay *r, const struct posting_ask *ask, bool late, struct reply *reply)
{
    const struct carrier *c = relay_find(r, ask->id);
    bool delivered = !c || backlog_empty(&c->backlog);
    if (!delivered && !is_away(r, c) && !late)
        return false;
    if (delivered)
        relay_redirect(r, ask->path, ask->query, reply);
    else
        reply_error(reply, 503, "what was said of it before is still on its way to the hub");
    return true;
}

bool posting_step(struct relay *r, const struct posting_ask *ask, bool late, uint64_t *begun,
                  struct reply *reply)
{
    switch (ask->kind) {
    case POSTING_BEGIN:
        return begin_and_arrive(r, ask, late, begun, reply);
    case POSTING_ONWARD:
        return send_on(r, ask, late, reply);
    default:
        return add_metrics(r, ask, late, reply);
    }
}
