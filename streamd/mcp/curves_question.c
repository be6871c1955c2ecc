/* SPDX-License-Identifier: MIT */
#include "streamd/mcp/curves_question.h"

#include "streamd/app.h"
#include "streamd/session/ask.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct curves_question *of(struct inquiry *q)
{
    return LIST_ENTRY(q, struct curves_question, inquiry);
}

static void ask(struct inquiry *q, const struct session *s, struct reading_request *out)
{
    ask_of_reckoning(s, out);
    out->form = READING_CURVES;
    out->curves = of(q)->plan;
}

static enum status take(struct inquiry *q, struct span piece)
{
    struct curves *read = piece.len == sizeof(*read) ? malloc(sizeof(*read)) : NULL;
    if (!read)
        return E_NOMEM;
    memcpy(read, piece.ptr, sizeof(*read));
    of(q)->curves[q->at] = read;
    return OK;
}

static void write_answer(struct inquiry *q, enum status status, struct reply *reply)
{
    if (status == E_NOT_FOUND)
        answer_refuse(reply, "The session has been deleted meanwhile. Call list_sessions.");
    else if (status != OK)
        answer_refuse(reply, "History cannot be read at present; get_status still answers.");
    else
        of(q)->write(of(q), &reply->body);
}

static void destroy(struct inquiry *q)
{
    for (size_t i = 0; i < q->count; i++)
        free(of(q)->curves[i]);
    free(of(q));
}

static const struct inquiry_ops ops_curves = {
    .ask = ask, .take = take, .write = write_answer, .destroy = destroy};

struct curves_question *curves_question_create(struct mcp_call *call, struct reply *reply)
{
    struct curves_question *q = inquiry_possible(call->app) ? calloc(1, sizeof(*q)) : NULL;
    if (!q) {
        answer_refuse(reply, "History cannot be read at present; get_status still answers.");
        return NULL;
    }
    q->plan.from = -(double)INFINITY;
    q->plan.to = (double)INFINITY;
    inquiry_init(&q->inquiry, &ops_curves, call->app);
    return q;
}

void curves_question_leave(struct curves_question *q, struct reply *reply)
{
    inquiry_leave(&q->inquiry, reply);
}

void curves_question_destroy(struct curves_question *q)
{
    inquiry_destroy(&q->inquiry);
}

bool curves_question_name(struct curves_question *q, struct span name)
{
    struct curves_plan *plan = &q->plan;
    if (name.len == 0 || name.len >= METRIC_NAME_MAX || plan->names == CURVES_NAMES_MAX)
        return false;
    memcpy(plan->name[plan->names++].text, name.ptr, name.len);
    return true;
}
