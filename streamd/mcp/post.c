/* SPDX-License-Identifier: MIT */
#include "streamd/mcp/post.h"

#include "streamd/app.h"
#include "streamd/mcp/stream.h"

#include <assert.h>
#include <stdlib.h>

struct mcp_post {
    struct mcp_work work;
    struct mcp_session *session; /* borrows; NULL: modern */
    struct reply *reply;         /* borrows; while the route has not returned, else NULL */
    struct mcp_wire *wire;       /* borrows; where the answer is awaited, or NULL */
    struct mcp_stream *stream;   /* once it streams; owned by us if modern, else by the session */
    bool takes_events;
};

static struct mcp_post *post_of(struct mcp_work *w)
{
    return LIST_ENTRY(w, struct mcp_post, work);
}

void mcp_reply_json(struct reply *reply, int http_status, struct span text)
{
    reply->status = http_status;
    buf_reset(&reply->body);
    buf_add_span(&reply->body, text);
}

/* Makes the wire that the route's reply becomes. False when out of memory. */
static bool take_wire(struct mcp_post *post)
{
    if (post->wire)
        return true;
    assert(post->reply);
    post->wire = mcp_wire_create(post->work.mcp);
    if (!post->wire)
        return false;
    post->wire->post = post;
    mcp_wire_hand_over(post->wire, post->reply);
    return true;
}

/* From now on the wire is the stream's; only a modern one tells us that it is gone. */
static void begin_stream(struct mcp_post *post)
{
    post->stream = mcp_stream_create(post->session, post->wire);
    if (!post->stream)
        return;
    if (post->session)
        post->wire->post = NULL;
    post->wire = NULL;
}

static void notify(struct mcp_work *w, struct span text)
{
    struct mcp_post *post = post_of(w);
    if (!post->takes_events || (!post->stream && !take_wire(post)))
        return;
    if (!post->stream)
        begin_stream(post);
    if (post->stream)
        mcp_stream_send(post->stream, text);
}

static void answer_later(struct mcp_post *post, int http_status, struct span text)
{
    struct reply reply;
    reply_init(&reply, REPLY_BODY_MAX);
    mcp_reply_json(&reply, http_status, text);
    mcp_wire_answer(post->wire, &reply);
    post->wire = NULL;
    reply_fini(&reply);
}

static void answer(struct mcp_work *w, struct span text, int http_status)
{
    struct mcp_post *post = post_of(w);
    if (post->stream) {
        mcp_stream_send(post->stream, text);
        mcp_stream_end(post->stream);
        post->stream = NULL;
    } else if (post->reply) {
        mcp_reply_json(post->reply, http_status, text);
    } else if (post->wire) {
        answer_later(post, http_status, text);
    }
}

/* One that is dropped leaves its connection without an answer: it is wanted no more. */
static void over(struct mcp_work *w)
{
    struct mcp_post *post = post_of(w);
    if (post->stream)
        mcp_stream_end(post->stream);
    else if (post->wire)
        answer_later(post, 202, (struct span){0});
    mcp_work_fini(w);
    free(post);
}

static const struct mcp_work_ops ops = {.notify = notify, .answer = answer, .over = over};

/* The route returns: what is not answered yet waits for a connection. */
static void leave_route(struct mcp_post *post)
{
    if (post->stream || take_wire(post)) {
        post->reply = NULL;
        return;
    }
    reply_error(post->reply, 503, "Out of memory");
    post->reply = NULL;
    mcp_work_drop(&post->work);
}

void mcp_post_answer(const struct mcp_post_params *params, const char *method, struct reply *reply)
{
    struct mcp_post *post = calloc(1, sizeof(*post));
    if (!post) {
        fields_destroy(params->params);
        reply_error(reply, 503, "Out of memory");
        return;
    }
    post->session = params->session;
    post->reply = reply;
    post->takes_events = params->takes_events;
    mcp_work_init(&post->work, &(struct mcp_work_params){
                                   .mcp = params->mcp,
                                   .set = params->set,
                                   .party = params->session ? &params->session->party : NULL,
                                   .ops = &ops,
                                   .caller = params->caller,
                                   .id = params->id,
                                   .params = params->params,
                                   .version = params->version,
                               });
    if (mcp_work_run(&post->work, method))
        leave_route(post);
}

void mcp_post_wire_gone(struct mcp_post *post)
{
    post->wire = NULL;
    mcp_work_drop(&post->work);
}
