/* SPDX-License-Identifier: MIT */
/*
 * outlets: the two ways of writing to many sockets at once (room/outlet.h).
 *
 * outlet_uring hands the kernel hundreds of sends with one system call, by io_uring, with threads
 * that help to do it if there are to be any. Where that is not to be had (an old kernel, a sysctl,
 * a seccomp filter of a container), outlet_send makes one call a message.
 */
#ifndef STREAMD_TRANSPORT_OUTLETS_H
#define STREAMD_TRANSPORT_OUTLETS_H

#include "streamd/room/outlet.h"
#include "streamd/stats.h"

/* So many threads help to send; 0: none. NULL when the kernel does not give a ring, or a thread;
 * *out_errno says why. */
struct outlet *outlet_uring_create(struct stats *stats, unsigned senders, int *out_errno);

/* NULL when out of memory. */
struct outlet *outlet_send_create(void);

#endif
