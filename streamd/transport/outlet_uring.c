/* SPDX-License-Identifier: MIT */
/*
 * The outlet by io_uring: gathers sends and gives them away a batch at a time, or, with threads to
 * help, as many as make several batches for each of them. What is gathered is bounded either way.
 */
#include "streamd/room/subscriber.h"
#include "streamd/transport/outlets.h"
#include "streamd/transport/send_ring.h"
#include "streamd/transport/senders.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum { BATCHES_TOGETHER = 16 };

struct uring {
    struct outlet outlet;
    struct stats *stats;     /* borrows */
    struct senders *senders; /* owns; NULL: the loop sends alone */
    struct send_ring ring;
    bool ringed;
    unsigned count;
    unsigned room;
    struct sending *sendings; /* owns room of them */
};

static struct uring *from(struct outlet *o)
{
    return (struct uring *)(void *)o;
}

static void finish(struct outlet *o)
{
    struct uring *u = from(o);
    if (u->count > 0 && u->senders)
        senders_run(u->senders, &u->ring, u->sendings, u->count);
    else if (u->count > 0)
        send_ring_run(&u->ring, u->sendings, u->count, (struct send_share){.of = 1});
    u->stats->send_batches += u->ring.calls;
    u->ring.calls = 0;
    for (unsigned i = 0; i < u->count; i++) {
        struct sending *s = &u->sendings[i];
        if (s->taken < s->bytes->len)
            s->to->ops->rest(s->to,
                             (struct span){s->bytes->bytes + s->taken, s->bytes->len - s->taken});
        refbuf_unref(s->bytes);
    }
    u->count = 0;
}

static void send_later(struct outlet *o, int socket, struct refbuf *bytes, struct subscriber *to)
{
    struct uring *u = from(o);
    if (u->count == u->room)
        finish(o);
    u->sendings[u->count++] =
        (struct sending){.to = to, .bytes = refbuf_ref(bytes), .socket = socket};
}

static void destroy(struct outlet *o)
{
    struct uring *u = from(o);
    assert(u->count == 0);
    senders_destroy(u->senders);
    if (u->ringed)
        send_ring_fini(&u->ring);
    free(u->sendings);
    free(u);
}

static const struct outlet_ops ops_uring = {
    .send = send_later,
    .finish = finish,
    .destroy = destroy,
};

static int prepare(struct uring *u, unsigned senders)
{
    u->room = senders > 0 ? SEND_BATCH * BATCHES_TOGETHER : SEND_BATCH;
    u->sendings = calloc(u->room, sizeof(*u->sendings));
    int error = u->sendings ? send_ring_init(&u->ring) : ENOMEM;
    u->ringed = error == 0;
    if (!error && senders > 0)
        u->senders = senders_create(senders, &error);
    return error;
}

struct outlet *outlet_uring_create(struct stats *stats, unsigned senders, int *out_errno)
{
    struct uring *u = calloc(1, sizeof(*u));
    if (!u) {
        *out_errno = ENOMEM;
        return NULL;
    }
    u->outlet.ops = &ops_uring;
    u->stats = stats;
    int error = prepare(u, senders);
    if (error) {
        *out_errno = error;
        destroy(&u->outlet);
        return NULL;
    }
    return &u->outlet;
}
