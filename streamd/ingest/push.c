/* SPDX-License-Identifier: MIT */
/*
 * A POST is a trainer that lives for one request: it has its own intake and a framer, so that line
 * ends, byte order mark and limits are those of the socket. What was taken before a bad line stays
 * taken, and the answer says how much, so the sender knows where to go on; the rest is not looked
 * at, for a sender that is wrong once may mean something else by every line after.
 *
 * The answer is an acknowledgement, so it waits until all of it is on disk; while the disk is in
 * trouble it is a 503, after which the same lines with the same seq may be sent again.
 */
#include "streamd/ingest/push.h"

#include "proto/framer.h"
#include "proto/json_write.h"
#include "streamd/http/media.h"
#include "streamd/ingest/kept_answer.h"
#include "streamd/ingest/refusal.h"

#include <stdio.h>

enum { ANSWER_LIMIT = 4096 };

struct push {
    struct intake intake;
    struct buf answers; /* what a connection would have been sent; not looked at */
    struct line_error error;
    struct now now;
};

static bool take_line(struct push *p, struct span line)
{
    buf_reset(&p->answers);
    return intake_line(&p->intake, line, p->now, &p->error) == OK;
}

static bool refuse_line(struct push *p, const struct line_error *error)
{
    p->error = *error;
    intake_refuse(&p->intake, error);
    return false;
}

/* False at the first bad line. */
static bool take_lines(struct push *p, struct framer *framer, struct span body)
{
    struct span line;
    framer_push(framer, body);
    for (;;) {
        switch (framer_next(framer, &line)) {
        case FRAMER_LINE:
            if (!take_line(p, line))
                return false;
            break;
        case FRAMER_TOO_LONG:
            return refuse_line(p, &refusal_too_long);
        case FRAMER_NOMEM:
            return refuse_line(p, &refusal_no_memory);
        case FRAMER_NEED_MORE:
            return !framer_rest(framer, &line) || take_line(p, line);
        }
    }
}

static bool take_body(struct push *p, struct span body, bool one_line, size_t max_line)
{
    if (one_line)
        return body.len <= max_line ? take_line(p, body) : refuse_line(p, &refusal_too_long);
    struct framer framer;
    framer_init(&framer, max_line);
    bool good = take_lines(p, &framer, body);
    framer_fini(&framer);
    return good;
}

static void write_error(const struct push *p, struct buf *out)
{
    char why[256];
    (void)snprintf(why, sizeof(why), "line %llu: %s", (unsigned long long)p->intake.line_number,
                   p->error.why);
    json_write_pair_string(out, "error", span_of(why));
    json_write_pair_string(out, "code", span_of(p->error.code));
    json_write_pair_u64(out, "line", p->intake.line_number);
    json_write_pair_u64(out, "at", p->error.at);
}

static void write_answer(const struct push *p, bool good, struct reply *reply)
{
    struct buf *out = &reply->body;
    const struct session *s = p->intake.last.session;
    reply->status = good ? 200 : p->error.code == refusal_no_memory.code ? 503 : 400;
    buf_add_char(out, '{');
    json_write_pair_bool(out, "success", good);
    if (!good)
        write_error(p, out);
    json_write_pair_u64(out, "accepted", p->intake.taken);
    if (s)
        json_write_pair_string(out, "sessionId", session_id(s));
    json_write_pair_u64(out, "lastSeq", s ? s->last_seq : 0);
    buf_add_char(out, '}');
}

void push_answer(struct registry *registry, struct line_decoder *decoder, const struct request *req,
                 struct reply *reply)
{
    bool one_line = media_type_is(req->content_type, "application/json");
    if (!one_line && !media_type_is(req->content_type, "application/x-ndjson")) {
        reply_error(reply, 415, "Content-Type must be application/x-ndjson or application/json");
        return;
    }
    if (keeping_full(&registry->keeping) && !registry->keeping.troubled) {
        reply_error(reply, 503, "As much waits for the disk as may: send again later");
        return;
    }
    struct push p = {.now = req->now};
    buf_init(&p.answers, ANSWER_LIMIT);
    intake_init(&p.intake, registry, decoder, &p.answers);
    bool good = take_body(&p, req->body, one_line, registry->config->max_line);
    write_answer(&p, good, reply);
    if (p.intake.taken > 0)
        answer_when_kept(&registry->keeping, reply);
    intake_fini(&p.intake);
    buf_fini(&p.answers);
}
