/* SPDX-License-Identifier: MIT */
/*
 * A chunk is read only when the last one is used up, and its lines are taken only while few answers
 * wait: so an agent that sends a hundred requests ahead costs a chunk and the answers to a few.
 *
 * As with trainers, nothing ends from inside: pipe_settle is the last thing a callback does. An
 * answer that comes from elsewhere (a method that took its time) feeds an event to get there.
 */
#include "streamd/mcp/pipe.h"

#include "proto/framer.h"
#include "streamd/app.h"
#include "streamd/auth/caller.h"
#include "streamd/ingest/unix.h"
#include "streamd/mcp/method.h"
#include "streamd/mcp/session.h"

#include <errno.h>
#include <ev.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CHUNK_BYTES = 16 * 1024, GREETING_MAX = 256 };

struct mcp_pipe {
    struct mcp_party party;
    struct mcp *mcp;           /* borrows */
    const struct mcp_set *set; /* borrows */
    struct ev_loop *loop;      /* borrows */
    struct list link;          /* in mcp.pipes */
    ev_io in;
    ev_io out;
    int fd; /* owns */
    struct framer framer;
    struct buf queue;
    bool unused;   /* lines of the chunk wait until the queue is shorter */
    bool ended;    /* nothing more is read */
    bool broken;   /* nothing more can be written */
    char *carried; /* owns; what came in one piece with the greeting, until it is used up */
    char chunk[CHUNK_BYTES];
};

/* One request of it. */
struct pipe_work {
    struct mcp_work work;
    struct mcp_pipe *pipe; /* borrows */
};

static size_t outbox_bytes(const struct mcp_pipe *p)
{
    return p->mcp->app->config->max_outbox_bytes;
}

/* ---- writing ---- */

static void write_queue(struct mcp_pipe *p)
{
    if (p->broken || p->queue.len == 0)
        return;
    ssize_t n = send(p->fd, p->queue.ptr, p->queue.len, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n >= 0)
        buf_consume(&p->queue, (size_t)n);
    else if (errno != EAGAIN && errno != EINTR)
        p->broken = true;
}

/* Its state may have changed: on_event settles it, in a call of its own. */
static void nudge(struct mcp_pipe *p)
{
    ev_feed_event(p->loop, &p->out, EV_WRITE);
}

static void write_line(struct mcp_pipe *p, struct span text)
{
    if (p->queue.len > outbox_bytes(p))
        p->broken = true;
    if (!p->broken) {
        buf_add_span(&p->queue, text);
        buf_add_char(&p->queue, '\n');
        p->broken = buf_status(&p->queue) != OK;
    }
    write_queue(p);
    nudge(p);
}

/* What belongs to no request. */
static void tell(struct mcp_listener *l, const char *method, struct span members)
{
    struct mcp_pipe *p = LIST_ENTRY(l, struct mcp_pipe, party.listener);
    struct buf text;
    buf_init(&text, MCP_MESSAGE_MAX);
    mcp_write_notification(&text, method, members);
    write_line(p, buf_span(&text));
    buf_fini(&text);
}

/* ---- works ---- */

static struct mcp_pipe *pipe_of(struct mcp_work *w)
{
    return LIST_ENTRY(w, struct pipe_work, work)->pipe;
}

static void notify(struct mcp_work *w, struct span text)
{
    write_line(pipe_of(w), text);
}

static void answer(struct mcp_work *w, struct span text, int http_status)
{
    (void)http_status;
    write_line(pipe_of(w), text);
}

static void over(struct mcp_work *w)
{
    nudge(pipe_of(w));
    mcp_work_fini(w);
    free(LIST_ENTRY(w, struct pipe_work, work));
}

static const struct mcp_work_ops ops = {.notify = notify, .answer = answer, .over = over};

static void refuse(struct mcp_pipe *p, struct span id, int code, const char *why, struct span data)
{
    struct buf text;
    buf_init(&text, MCP_MESSAGE_MAX);
    jsonrpc_write_error(&text, id, code, span_of(why), data);
    write_line(p, buf_span(&text));
    buf_fini(&text);
}

static void refuse_plainly(struct mcp_pipe *p, struct span id, int code, const char *why)
{
    refuse(p, id, code, why, (struct span){0});
}

/* Whom the socket lets in may do all. */
static const struct caller local = {"local", SCOPE_ALL, false};

/* Takes the params. */
static void run(struct mcp_pipe *p, const struct jsonrpc_message *m, struct fields *params,
                enum mcp_version version)
{
    struct pipe_work *w = calloc(1, sizeof(*w));
    if (!w) {
        fields_destroy(params);
        refuse_plainly(p, m->id, JSONRPC_INTERNAL_ERROR, "Out of memory");
        return;
    }
    w->pipe = p;
    mcp_work_init(&w->work, &(struct mcp_work_params){.mcp = p->mcp,
                                                      .set = p->set,
                                                      .party = &p->party,
                                                      .ops = &ops,
                                                      .caller = &local,
                                                      .id = m->id,
                                                      .params = params,
                                                      .version = version});
    (void)mcp_work_run(&w->work, m->method);
}

/* The version to answer in; MCP_NO_VERSION: it is refused. */
static enum mcp_version find_era(struct mcp_pipe *p, const struct jsonrpc_message *m,
                                 const struct fields *params)
{
    const struct mcp_refusal *refusal;
    struct mcp_said said;
    struct buf data;
    mcp_said_read(params, &said);
    if (!said.has_version && !mcp_method_is_modern(m->method)) {
        bool begins = span_is(span_of(m->method), "initialize");
        if (begins || p->party.version != MCP_NO_VERSION)
            return begins ? MCP_2025_11_25 : p->party.version;
        refuse_plainly(p, m->id, JSONRPC_INVALID_PARAMS,
                       "Begin with initialize, or say the protocol version in params._meta");
        return MCP_NO_VERSION;
    }
    refusal = mcp_said_refusal(&said);
    if (!refusal)
        return MCP_2026_07_28;
    buf_init(&data, MCP_MESSAGE_MAX);
    mcp_refusal_write_data(refusal, &said, &data);
    refuse(p, m->id, refusal->code, refusal->why, buf_span(&data));
    buf_fini(&data);
    return MCP_NO_VERSION;
}

/* Takes the params. */
static void take_request(struct mcp_pipe *p, const struct jsonrpc_message *m, struct fields *params)
{
    const char *why = mcp_takes_none(p->mcp);
    enum mcp_version version = MCP_NO_VERSION;
    if (why)
        refuse_plainly(p, m->id, MCP_OVERLOADED, why);
    else
        version = find_era(p, m, params);
    if (version != MCP_NO_VERSION)
        run(p, m, params, version);
    else
        fields_destroy(params);
}

static void take_message(struct mcp_pipe *p, struct span line)
{
    struct jsonrpc_message m;
    struct jsonrpc_fault fault;
    struct fields *params = NULL;
    if (span_trim(line).len == 0)
        return;
    if (jsonrpc_read(line, &m, &fault) != OK) {
        refuse_plainly(p, m.id, fault.code, fault.why);
        return;
    }
    enum status status = fields_parse(m.params.len > 0 ? m.params : SPAN("{}"), &params, NULL);
    if (status != OK) {
        if (m.kind == JSONRPC_REQUEST)
            refuse_plainly(
                p, m.id, status == E_NOMEM ? JSONRPC_INTERNAL_ERROR : JSONRPC_PARSE_ERROR,
                status == E_NOMEM ? "Out of memory" : "A number is longer than 63 bytes");
        return;
    }
    if (m.kind == JSONRPC_REQUEST) {
        take_request(p, &m, params);
        return;
    }
    if (m.kind == JSONRPC_NOTIFICATION)
        mcp_party_hears(&p->party, m.method, params);
    fields_destroy(params);
}

/* ---- reading ---- */

/* Takes the lines of the chunk at hand, as long as few answers wait. */
static void take_lines(struct mcp_pipe *p)
{
    struct span line;
    while (!p->broken) {
        p->unused = p->queue.len > outbox_bytes(p) / 2;
        if (p->unused)
            return;
        switch (framer_next(&p->framer, &line)) {
        case FRAMER_LINE:
            take_message(p, line);
            break;
        case FRAMER_TOO_LONG:
            refuse_plainly(p, (struct span){0}, JSONRPC_INVALID_REQUEST,
                           "The message is longer than --max-payload");
            break;
        case FRAMER_NOMEM:
            p->broken = true;
            break;
        case FRAMER_NEED_MORE:
            free(p->carried);
            p->carried = NULL;
            return;
        }
    }
}

/* What a trainer's chunk had behind the greeting. */
static void carry(struct mcp_pipe *p, struct span rest)
{
    if (rest.len == 0)
        return;
    p->carried = malloc(rest.len);
    if (!p->carried) {
        p->broken = true;
        return;
    }
    memcpy(p->carried, rest.ptr, rest.len);
    framer_push(&p->framer, (struct span){p->carried, rest.len});
    take_lines(p);
}

static void read_chunk(struct mcp_pipe *p)
{
    ssize_t n = read(p->fd, p->chunk, sizeof(p->chunk));
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        p->ended = true;
        return;
    }
    framer_push(&p->framer, (struct span){p->chunk, (size_t)n});
    take_lines(p);
}

/* Is there an answer that will come? One that only listens says nothing of itself. */
static bool awaits_answers(const struct mcp_pipe *p)
{
    LIST_EACH (at, &p->party.works) {
        if (!LIST_ENTRY(at, struct mcp_work, of_party)->listens)
            return true;
    }
    return false;
}

static void destroy(struct mcp_pipe *p)
{
    mcp_party_fini(&p->party);
    ev_io_stop(p->loop, &p->in);
    ev_io_stop(p->loop, &p->out);
    close(p->fd);
    list_remove(&p->link);
    framer_fini(&p->framer);
    free(p->carried);
    buf_fini(&p->queue);
    p->mcp->app->stats.mcp_pipes--;
    free(p);
}

static void watch(struct mcp_pipe *p, ev_io *watcher, bool wanted)
{
    if (wanted)
        ev_io_start(p->loop, watcher);
    else
        ev_io_stop(p->loop, watcher);
}

/* Brings its watchers in line with its state; may free it. */
static void settle(struct mcp_pipe *p)
{
    write_queue(p);
    if (p->unused)
        take_lines(p);
    bool done = p->ended && !p->unused && p->queue.len == 0 && !awaits_answers(p);
    if (done || p->broken) {
        destroy(p);
        return;
    }
    watch(p, &p->in, !p->ended && !p->unused);
    watch(p, &p->out, p->queue.len > 0);
}

static void on_readable(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct mcp_pipe *p = LIST_ENTRY(watcher, struct mcp_pipe, in);
    (void)loop;
    (void)events;
    if (!p->unused)
        read_chunk(p);
    settle(p);
}

static void on_writable(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)loop;
    (void)events;
    settle(LIST_ENTRY(watcher, struct mcp_pipe, out));
}

/* ---- beginning and end ---- */

/* NULL when the line is a trainer's. */
static const struct mcp_set *greeting_of(struct span line)
{
    const struct mcp_set *set = NULL;
    struct fields *greeting = NULL;
    struct span text;
    if (line.len > GREETING_MAX || !span_starts(line, SPAN("{\"type\":\"mcp\"")) ||
        fields_parse(line, &greeting, NULL) != OK)
        return NULL;
    if (!fields_string(greeting, "endpoint", &text) || span_is(text, "/mcp"))
        set = &mcp_training;
    else if (span_is(text, "/mcp/operations"))
        set = &mcp_operations;
    fields_destroy(greeting);
    return set;
}

static void begin(struct mcp_pipe *p, struct app *app, const struct mcp_set *set, int fd)
{
    p->mcp = &app->mcp;
    p->set = set;
    p->loop = unix_ingest_loop(app->control.unix_ingest);
    p->fd = fd;
    mcp_party_init(&p->party, p->mcp);
    p->party.listener.tell = tell;
    framer_init(&p->framer, app->config->max_payload);
    buf_init(&p->queue, app->config->max_outbox_bytes + 2 * (size_t)MCP_MESSAGE_MAX);
    list_init(&p->link);
    list_add_tail(&p->mcp->pipes, &p->link);
    ev_io_init(&p->in, on_readable, fd, EV_READ);
    ev_io_init(&p->out, on_writable, fd, EV_WRITE);
    ev_io_start(p->loop, &p->in);
    app->stats.mcp_pipes++;
    write_line(p, SPAN("{\"type\":\"mcp\"}"));
}

bool mcp_pipe_take(struct app *app, struct span first_line, struct span rest, int fd)
{
    const struct mcp_set *set = greeting_of(first_line);
    if (!set)
        return false;
    bool full = app->stats.mcp_pipes >= app->config->mcp_max_sessions;
    struct mcp_pipe *p = full ? NULL : calloc(1, sizeof(*p));
    if (p) {
        begin(p, app, set, fd);
        carry(p, rest);
        return true;
    }
    app->stats.connections_refused++;
    close(fd);
    return true;
}

void mcp_pipes_drain(struct mcp *mcp)
{
    LIST_EACH_SAFE (at, &mcp->pipes) {
        struct mcp_pipe *p = LIST_ENTRY(at, struct mcp_pipe, link);
        p->ended = true;
        settle(p);
    }
}

void mcp_pipes_destroy(struct mcp *mcp)
{
    LIST_EACH_SAFE (at, &mcp->pipes) {
        destroy(LIST_ENTRY(at, struct mcp_pipe, link));
    }
}
