/* SPDX-License-Identifier: MIT */
/*
 * Five hundred sends a system call: 16 to 64 gain half as much, and a batch this long has left
 * before the next tick is due. A send never waits (MSG_DONTWAIT), so all of a batch are done when
 * the call returns and nothing is ever in flight between wake-ups: no completion finds a subscriber
 * that is gone. Each reports what was taken; leaving out the reports of the successful ones would
 * gain nothing that could be measured, and a short send counts as one.
 *
 * Not used: a polling kernel thread costs twice the CPU, registered files and zero copy gain
 * nothing for messages of this size.
 */
#include "streamd/log.h"
#include "streamd/room/subscriber.h"
#include "streamd/transport/outlets.h"

#include <assert.h>
#include <errno.h>
#include <liburing.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { BATCH = 512 };

struct sending {
    struct subscriber *to; /* borrows */
    struct refbuf *bytes;  /* shares */
    uint32_t taken;
    bool done;
};

struct uring {
    struct outlet outlet;
    struct stats *stats; /* borrows */
    struct io_uring ring;
    unsigned count;
    bool broken; /* the kernel refused it in the middle: everything goes by `rest` from now on */
    struct sending sendings[BATCH];
};

static struct uring *from(struct outlet *o)
{
    return (struct uring *)(void *)o;
}

/* Takes the reports that are there; answers how many. */
static unsigned take_reports(struct uring *u)
{
    struct io_uring_cqe *cqe;
    unsigned head;
    unsigned n = 0;
    io_uring_for_each_cqe(&u->ring, head, cqe)
    {
        struct sending *s = &u->sendings[cqe->user_data];
        s->taken = cqe->res > 0 ? (uint32_t)cqe->res : 0;
        s->done = true;
        n++;
    }
    io_uring_cq_advance(&u->ring, n);
    return n;
}

static bool is_passing(int error)
{
    return error == EINTR || error == EAGAIN || error == EBUSY;
}

/* False when the kernel takes no more of them; what was not reported has not been sent then. */
static bool submit(struct uring *u)
{
    unsigned left = u->count;
    while (left > 0) {
        int n = io_uring_submit_and_wait(&u->ring, left);
        if (n < 0 && !is_passing(-n)) {
            log_error("fanout", "io_uring: %s: going on without it", strerror(-n));
            return false;
        }
        left -= take_reports(u);
        u->stats->send_batches++;
    }
    return true;
}

static void finish(struct outlet *o)
{
    struct uring *u = from(o);
    if (u->count > 0 && !u->broken)
        u->broken = !submit(u);
    for (unsigned i = 0; i < u->count; i++) {
        struct sending *s = &u->sendings[i];
        uint32_t taken = s->done ? s->taken : 0;
        if (taken < s->bytes->len)
            s->to->ops->rest(s->to, (struct span){s->bytes->bytes + taken, s->bytes->len - taken});
        refbuf_unref(s->bytes);
    }
    u->count = 0;
}

static void send_later(struct outlet *o, int socket, struct refbuf *bytes, struct subscriber *to)
{
    struct uring *u = from(o);
    if (u->count == BATCH)
        finish(o);
    if (!u->broken) {
        struct io_uring_sqe *sqe = io_uring_get_sqe(&u->ring);
        assert(sqe); /* the ring has as many places as the batch, and is empty after each */
        io_uring_prep_send(sqe, socket, bytes->bytes, bytes->len, MSG_NOSIGNAL | MSG_DONTWAIT);
        sqe->user_data = u->count;
    }
    u->sendings[u->count++] = (struct sending){.to = to, .bytes = refbuf_ref(bytes)};
}

static void destroy(struct outlet *o)
{
    struct uring *u = from(o);
    assert(u->count == 0);
    io_uring_queue_exit(&u->ring);
    free(u);
}

static const struct outlet_ops ops_uring = {
    .send = send_later,
    .finish = finish,
    .destroy = destroy,
};

/* A kernel before 6.0 does not know all flags; the ring works without them, a little dearer. */
static int create_ring(struct io_uring *ring)
{
    static const unsigned flags[] = {IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_COOP_TASKRUN, 0};
    int result = -EINVAL;
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]) && result == -EINVAL; i++)
        result = io_uring_queue_init(BATCH, ring, flags[i]);
    return result;
}

struct outlet *outlet_uring_create(struct stats *stats, int *out_errno)
{
    struct uring *u = calloc(1, sizeof(*u));
    int result = u ? create_ring(&u->ring) : -ENOMEM;
    if (result < 0) {
        *out_errno = -result;
        free(u);
        return NULL;
    }
    u->outlet.ops = &ops_uring;
    u->stats = stats;
    return &u->outlet;
}
