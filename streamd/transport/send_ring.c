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
#include "streamd/transport/send_ring.h"

#include "streamd/log.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* A kernel before 6.0 does not know all flags; the ring works without them, a little dearer. */
int send_ring_init(struct send_ring *r)
{
    static const unsigned flags[] = {IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_COOP_TASKRUN, 0};
    int result = -EINVAL;
    *r = (struct send_ring){.broken = false};
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]) && result == -EINVAL; i++)
        result = io_uring_queue_init(SEND_BATCH, &r->ring, flags[i]);
    return -result;
}

void send_ring_fini(struct send_ring *r)
{
    io_uring_queue_exit(&r->ring);
}

/* Takes the reports that are there; answers how many. */
static unsigned take_reports(struct send_ring *r, struct sending *sendings)
{
    struct io_uring_cqe *cqe;
    unsigned head;
    unsigned n = 0;
    io_uring_for_each_cqe(&r->ring, head, cqe)
    {
        sendings[cqe->user_data].taken = cqe->res > 0 ? (uint32_t)cqe->res : 0;
        n++;
    }
    io_uring_cq_advance(&r->ring, n);
    return n;
}

static bool is_passing(int error)
{
    return error == EINTR || error == EAGAIN || error == EBUSY;
}

/* When the kernel takes no more of them, what was not reported has not been sent. */
static void submit(struct send_ring *r, struct sending *sendings, unsigned left)
{
    while (left > 0 && !r->broken) {
        int n = io_uring_submit_and_wait(&r->ring, left);
        if (n < 0 && !is_passing(-n)) {
            log_error("fanout", "io_uring: %s: going on without it", strerror(-n));
            r->broken = true;
            return;
        }
        left -= take_reports(r, sendings);
        r->calls++;
    }
}

static void prepare(struct send_ring *r, const struct sending *s, unsigned number)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&r->ring);
    assert(sqe); /* the ring has as many places as a batch, and is empty after each */
    io_uring_prep_send(sqe, s->socket, s->bytes->bytes, s->bytes->len, MSG_NOSIGNAL | MSG_DONTWAIT);
    sqe->user_data = number;
}

void send_ring_run(struct send_ring *r, struct sending *sendings, unsigned count,
                   struct send_share share)
{
    unsigned prepared = 0;
    for (unsigned i = 0; i < count && !r->broken; i++) {
        if ((unsigned)sendings[i].socket % share.of != share.number)
            continue;
        prepare(r, &sendings[i], i);
        if (++prepared < SEND_BATCH)
            continue;
        submit(r, sendings, prepared);
        prepared = 0;
    }
    submit(r, sendings, prepared);
}
