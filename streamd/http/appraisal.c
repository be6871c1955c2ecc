/* SPDX-License-Identifier: MIT */
#include "streamd/http/appraisal.h"

#include "streamd/app.h"
#include "streamd/http/inquiry.h"
#include "streamd/session/ask.h"
#include "streamd/session/interpreter.h"

#include <stdlib.h>
#include <string.h>

struct appraisal {
    struct inquiry inquiry;
    appraisal_fn *write;
};

/* How its records end is not among them. */
static void conclude(const struct session *s, struct reckoning *r)
{
    if (s->state == SESSION_COMPLETED)
        (void)reckoning_event(r, INSIGHT_COMPLETED, NULL);
    else if (s->state == SESSION_FAILED)
        (void)reckoning_event(r, INSIGHT_CRASHED, s->error);
}

static void ask(struct inquiry *q, const struct session *s, struct reading_request *out)
{
    (void)q;
    ask_of_reckoning(s, out);
}

static enum status take(struct inquiry *q, struct span piece)
{
    struct session *s = inquiry_session(q, 0);
    struct reckoning *r;
    if (!s || s->interpreter || piece.len != sizeof(*r))
        return OK;
    r = malloc(sizeof(*r)); /* too large for a stack */
    if (!r)
        return E_NOMEM;
    memcpy(r, piece.ptr, sizeof(*r));
    conclude(s, r);
    enum status status = interpreter_adopt(s, r, q->app->now) ? OK : E_NOMEM;
    free(r);
    return status;
}

static void write_answer(struct inquiry *q, enum status status, struct reply *reply)
{
    if (status == E_NOT_FOUND)
        reply_error(reply, 404, "Session not found");
    else if (status != OK)
        reply_error(reply, 503, "History cannot be read at present");
    else
        LIST_ENTRY(q, struct appraisal, inquiry)->write(q->app, inquiry_session(q, 0), reply);
}

static void destroy(struct inquiry *q)
{
    free(LIST_ENTRY(q, struct appraisal, inquiry));
}

static const struct inquiry_ops ops_appraisal = {
    .ask = ask, .take = take, .write = write_answer, .destroy = destroy};

/* Not from a disk in trouble, which lacks the newest: what was made of it would stay. */
static bool must_read(const struct app *app, const struct session *s)
{
    const struct registry *r = &app->registry;
    return !s->interpreter && r->interpreters.max > 0 && inquiry_possible(app) &&
           !r->keeping.troubled && series_newest(s->series) > 0;
}

void appraise(struct app *app, struct session *s, appraisal_fn *write, struct reply *reply)
{
    struct appraisal *a = must_read(app, s) ? malloc(sizeof(*a)) : NULL;
    if (!a) {
        write(app, s, reply);
        return;
    }
    inquiry_init(&a->inquiry, &ops_appraisal, app);
    inquiry_add(&a->inquiry, s);
    a->write = write;
    inquiry_leave(&a->inquiry, reply);
}
