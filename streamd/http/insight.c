/* SPDX-License-Identifier: MIT */
#include "streamd/http/insight.h"

#include "proto/json_write.h"
#include "streamd/app.h"
#include "streamd/http/appraisal.h"
#include "streamd/session/insight_json.h"
#include "streamd/session/interpreter.h"

static void write_answer(struct app *app, struct session *s, struct reply *reply)
{
    struct buf *out = &reply->body;
    (void)app;
    reply_open_data(reply);
    buf_add_char(out, '{');
    json_write_pair_string(out, "sessionId", session_id(s));
    json_write_pair_string(out, "status", span_of(session_state_name(s->state)));
    if (s->interpreter)
        insight_write_interpreter(out, s->interpreter);
    else
        insight_write_brief(out, NULL);
    buf_add_char(out, '}');
    reply_close_data(reply);
}

void insight_answer(struct app *app, const struct request *req, struct reply *reply)
{
    struct session *s = registry_find(&app->registry, req->tail);
    if (s)
        appraise(app, s, write_answer, reply);
    else
        reply_error(reply, 404, "Session not found");
}
