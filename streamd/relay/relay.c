/* SPDX-License-Identifier: MIT */
/*
 * What comes in a wake-up changes callers and carriers and frees nothing. The prepare watcher,
 * before the loop sleeps again, gives each its turn: carriers send and tell, callers write, and who
 * is over is freed. It runs before the app's own, so that the timers it arms count.
 */
#include "streamd/relay/relay.h"

#include "clients/c/leftover.h"
#include "streamd/log.h"
#include "streamd/relay/caller.h"
#include "streamd/relay/carrier.h"
#include "streamd/relay/posting.h"
#include "streamd/relay/relay_line.h"

#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

enum { LOCATION_MAX = 2048 };

static struct carrier *carrier_at(struct list *link)
{
    return LIST_ENTRY(link, struct carrier, link);
}

struct relay *relay_create(const struct relay_params *params)
{
    struct relay *r = calloc(1, sizeof(*r));
    if (!r)
        return NULL;
    r->params = *params;
    r->reached = true; /* until it turns out otherwise */
    list_init(&r->callers);
    list_init(&r->carriers);
    list_init(&r->postings);
    missing_init(&r->missing, r);
    strmap_init(&r->by_id, params->seed);
    buf_init(&r->head, LINE_BYTES_MAX);
    buf_init(&r->tail, LINE_BYTES_MAX);
    buf_init(&r->location, LOCATION_MAX);
    (void)pthread_mutex_init(&r->fork_lock, NULL);
    return r;
}

void relay_close(struct relay *r)
{
    if (!r->loop)
        return;
    LIST_EACH_SAFE (at, &r->callers) {
        caller_destroy(caller_of(at));
    }
    LIST_EACH_SAFE (at, &r->carriers) {
        (void)carrier_keep(carrier_at(at));
        carrier_destroy(carrier_at(at));
    }
    missing_fini(&r->missing);
    ev_prepare_stop(r->loop, &r->prepare);
    door_fini(&r->door);
    r->loop = NULL;
}

void relay_destroy(struct relay *r)
{
    if (!r)
        return;
    strmap_fini(&r->by_id);
    buf_fini(&r->head);
    buf_fini(&r->tail);
    buf_fini(&r->location);
    free(r->chunk);
    (void)pthread_mutex_destroy(&r->fork_lock);
    free(r);
}

/* ---- its runs ---- */

struct carrier *relay_find(struct relay *r, struct span id)
{
    return strmap_find(&r->by_id, id);
}

struct carrier *relay_add(struct relay *r, struct span id, struct span start, bool anew)
{
    if (strmap_count(&r->by_id) >= RELAY_RUNS_MAX || r->draining)
        return NULL;
    return carrier_create(r, id, start, anew);
}

struct carrier *relay_run(struct relay *r, struct span id, bool implied)
{
    struct carrier *c = relay_find(r, id);
    if (c && (implied || !c->implied))
        return c;
    struct buf start;
    buf_init(&start, RELAY_START_MAX);
    if (implied)
        relay_line_implied(&start, id);
    else
        relay_line_head(&start, LINE_START, id);
    bool good = buf_status(&start) == OK;
    if (good && c)
        good = carrier_start(c, buf_span(&start), true) == NULL;
    else if (good)
        c = relay_add(r, id, buf_span(&start), false);
    buf_fini(&start);
    return good ? c : NULL;
}

void relay_note_hub(struct relay *r, bool reached, bool was_up)
{
    char why[UPSTREAM_WHY_MAX];
    struct log_text text;
    upstream_why(r->params.hub, why);
    const char *quoted = log_quoted(&text, span_of(why));
    if (was_up)
        log_warn("relay", "hub lost why=%s, retrying", quoted);
    else if (!reached && r->reached)
        log_error("relay", "hub away to=%s why=%s: lines wait on the disk, retrying", r->params.to,
                  quoted);
    else if (!reached)
        log_debug("relay", "hub away why=%s, retrying", quoted);
    if (reached && !r->reached) {
        log_info("relay", "hub reached to=%s runs=%llu", r->params.to,
                 (unsigned long long)r->params.stats->relayed_runs);
        LIST_EACH (at, &r->carriers)
            carrier_hurry(carrier_at(at));
    }
    r->reached = was_up ? r->reached : reached;
}

enum status relay_post(struct relay *r, struct carrier *c, struct span text, const char **out_why)
{
    struct line line;
    struct line_error error = {.why = "out of memory"};
    uint64_t last_seq = c->backlog.last_seq;
    missing_forget(&r->missing, carrier_id(c));
    enum status status = line_decode(r->params.decoder, text, &line, &error);
    if (status == OK)
        status = carrier_take(c, &line, text, &error);
    *out_why = error.why;
    if (status != OK)
        return status == E_LIMIT ? E_MALFORMED : status;
    if (carrier_keep(c))
        return OK;
    /* Else it would come twice. What a failing disk has of it, may. */
    (void)backlog_take_back(&c->backlog, last_seq);
    *out_why = "the spool is full, or its disk fails: send again later";
    return E_IO;
}

/* ---- its hub's answers ---- */

/* As it may stand in an address; `keep`: marks that are not escaped. */
static void add_escaped(struct buf *b, struct span text, const char *keep)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (isalnum(c) || (c != '\0' && strchr(keep, c)))
            buf_add_char(b, (char)c);
        else
            buf_addf(b, "%%%02X", c);
    }
}

void relay_redirect(struct relay *r, struct span path, struct span query, struct reply *reply)
{
    struct buf *b = &r->location;
    buf_reset(b);
    buf_add_str(b, "Location: ");
    buf_add_str(b, r->params.hub->base);
    add_escaped(b, path, "/-._~:@!$&'()*+,;=");
    if (query.len > 0) {
        buf_add_char(b, '?');
        add_escaped(b, query, "/-._~:@!$&'()*+,;=?%");
    }
    buf_add_str(b, "\r\n");
    buf_add_char(b, '\0');
    if (buf_status(b) != OK) {
        reply_error(reply, 404, "Not here: this is a relay, the runs are at its hub");
        return;
    }
    reply_error(reply, 307, "This is a relay: the runs are at its hub");
    reply->extra_headers = b->ptr;
}

/* ---- the loop ---- */

static void on_prepare(struct ev_loop *loop, ev_prepare *watcher, int events)
{
    struct relay *r = LIST_ENTRY(watcher, struct relay, prepare);
    (void)loop;
    (void)events;
    postings_turn(r);
    LIST_EACH (at, &r->callers)
        caller_resume(caller_of(at));
    LIST_EACH (at, &r->carriers)
        carrier_turn(carrier_at(at));
    LIST_EACH_SAFE (at, &r->callers) {
        if (!caller_turn(caller_of(at)))
            caller_destroy(caller_of(at));
    }
    LIST_EACH_SAFE (at, &r->carriers) {
        if (carrier_is_done(carrier_at(at)))
            carrier_destroy(carrier_at(at));
    }
}

static bool admit(struct door *d, int fd, int pid)
{
    return caller_create(LIST_ENTRY(d, struct relay, door), fd, pid);
}

/* ---- what was left ---- */

static void take_up(struct relay *r, const char *name)
{
    struct leftover left;
    struct carrier *c = NULL;
    leftover_init(&left, &r->fork_lock);
    switch (leftover_open(&left, r->params.folder, name, r->params.to)) {
    case LEFTOVER_OPEN:
        if (!relay_find(r, span_of(left.session)))
            c = carrier_reopen(r, &left);
        if (c)
            log_info("relay", "left run=%s lines=%zu", c->id, backlog_lines(&c->backlog));
        else
            log_warn("relay", "left file=%s: cannot be taken up now, ignoring", name);
        break;
    case LEFTOVER_LOCKED:
        log_warn("relay", "left file=%s: another process has it, ignoring", name);
        break;
    case LEFTOVER_OTHER:
        log_warn("relay", "left file=%s: it is for another hub, ignoring", name);
        break;
    case LEFTOVER_GONE:
        break;
    }
    leftover_fini(&left);
}

static int is_spool_file(const struct dirent *entry)
{
    return leftover_session(entry->d_name).ptr != NULL;
}

static void take_up_all(struct relay *r)
{
    struct dirent **entries = NULL;
    int count = scandir(r->params.folder, &entries, is_spool_file, alphasort);
    for (int i = 0; i < count; i++) {
        take_up(r, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
}

bool relay_open(struct relay *r, struct ev_loop *loop)
{
    r->loop = loop;
    ev_prepare_init(&r->prepare, on_prepare);
    ev_set_priority(&r->prepare, EV_MAXPRI);
    ev_prepare_start(loop, &r->prepare);
    if (!spool_make_folder(r->params.folder)) {
        log_error("relay", "cannot make the folder %s", r->params.folder);
        return false;
    }
    take_up_all(r);
    return door_open(&r->door, &(struct door_params){.config = r->params.config,
                                                     .stats = r->params.stats,
                                                     .loop = loop,
                                                     .now = r->params.now,
                                                     .admit = admit});
}

void relay_drain(struct relay *r)
{
    door_close(&r->door);
    r->draining = true;
    LIST_EACH (at, &r->callers)
        caller_end(caller_of(at));
}

bool relay_is_drained(const struct relay *r)
{
    LIST_EACH (at, &r->carriers) {
        const struct carrier *c = carrier_at(at);
        if (c->state == CARRIER_UP && !backlog_empty(&c->backlog))
            return false;
        if (c->state != CARRIER_UP && c->backlog.count > 0)
            return false;
    }
    return list_empty(&r->callers);
}
