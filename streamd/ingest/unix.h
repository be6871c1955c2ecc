/* SPDX-License-Identifier: MIT */
/*
 * unix: the Unix stream socket that trainers write to.
 *
 * Listens with mode 0600 (0660 with --socket-group), lets in only our own uid, root and the members
 * of that group (SO_PEERCRED), frames lines, hands them to an intake and writes the answers back. A
 * trainer that does not read its answers is paused (its reads stop) once they exceed 64 KiB; that
 * is the back-pressure.
 */
#ifndef STREAMD_INGEST_UNIX_H
#define STREAMD_INGEST_UNIX_H

#include "streamd/config.h"
#include "streamd/ingest/intake.h"

struct app;
struct ev_loop;
struct unix_ingest;

/* The first line of a connection, which may say that it is no trainer's, and what was read behind
 * it; both borrow. True: the fd is taken. */
typedef bool unix_guest_fn(struct app *app, struct span first_line, struct span rest, int fd);

/* All borrowed for the ingest's life. */
struct unix_ingest_params {
    const struct config *config;
    struct registry *registry;
    struct line_decoder *decoder;
    struct stats *stats;
    struct ev_loop *loop;
    const struct now *now; /* of the present wake-up */
    struct app *app;       /* for the guest */
    unix_guest_fn *guest;  /* NULL: all are trainers */
};

/*
 * Binds and listens. On failure answers NULL and has logged one line naming the path and the reason
 * (in use by a live daemon, not a socket, too long, directory missing, not permitted).
 */
struct unix_ingest *unix_ingest_create(const struct unix_ingest_params *params);

/* Closes every trainer, removes the socket file. */
void unix_ingest_destroy(struct unix_ingest *u);

/* The disk has got on, or into trouble: goes on with those whom it made wait. */
void unix_ingest_relieve(struct unix_ingest *u);

/* Ends who talks of a session that went back (session.resend), so that he resumes it. */
void unix_ingest_resend(struct unix_ingest *u);

/* Stops accepting and reading; lines already read are finished and their answers written. */
void unix_ingest_drain(struct unix_ingest *u);

/* Lets in a trainer that comes by another road. Answers the other end of its connection, which is
 * the caller's; -1: there are as many as allowed, or no descriptor or memory is left. */
int unix_ingest_adopt(struct unix_ingest *u);

/* For feed.c: the loop that the trainers are on, and its list of those that it leads to them. */
struct ev_loop *unix_ingest_loop(struct unix_ingest *u);
struct list *unix_ingest_feeds(struct unix_ingest *u);

/* How many trainers a control line for this session would be told. */
size_t unix_ingest_listeners(struct unix_ingest *u, struct span session_id);

/* Sends a control line to all of them; answers how many were told. */
size_t unix_ingest_control(struct unix_ingest *u, const struct line_control *control);

#endif
