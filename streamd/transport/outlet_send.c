/* SPDX-License-Identifier: MIT */
#include "streamd/room/subscriber.h"
#include "streamd/transport/outlets.h"

#include <stdlib.h>
#include <sys/socket.h>

static void send_one(struct outlet *o, int socket, struct refbuf *bytes, struct subscriber *to)
{
    (void)o;
    ssize_t n = send(socket, bytes->bytes, bytes->len, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n == (ssize_t)bytes->len)
        return;
    size_t taken = n > 0 ? (size_t)n : 0;
    to->ops->rest(to, (struct span){bytes->bytes + taken, bytes->len - taken});
}

static void finish(struct outlet *o)
{
    (void)o;
}

static void destroy(struct outlet *o)
{
    free(o);
}

static const struct outlet_ops ops_send = {
    .send = send_one,
    .finish = finish,
    .destroy = destroy,
};

struct outlet *outlet_send_create(void)
{
    struct outlet *o = calloc(1, sizeof(*o));
    if (o)
        o->ops = &ops_send;
    return o;
}
