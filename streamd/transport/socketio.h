/* SPDX-License-Identifier: MIT */
/*
 * socketio: Socket.IO v5 on an engine.
 *
 * Namespaces are tables: a name, what happens on CONNECT, and the events it understands. The
 * daemon's own is "/" (socketio_main.c); the conformance build registers others. The protocol
 * code knows none of them by name.
 */
#ifndef STREAMD_TRANSPORT_SOCKETIO_H
#define STREAMD_TRANSPORT_SOCKETIO_H

#include "proto/sio_reader.h"
#include "streamd/transport/engine.h"

enum { SOCKETIO_ID_LEN = 20 };

/* One event that came in. Everything borrows for the length of the call. */
struct socketio_call {
    struct engine *engine;
    const struct socketio_namespace *nsp;
    const struct sio_message *message;
    struct span args[8]; /* raw JSON, the event's name left out */
    size_t arg_count;
};

struct socketio_event {
    const char *name; /* NULL ends the table */
    void (*handle)(const struct socketio_call *call);
};

struct socketio_namespace {
    const char *name; /* "/" or "/custom" */
    /* CONNECT was accepted and answered. `auth` is the raw JSON object, empty when absent. */
    void (*connected)(struct engine *e, const struct socketio_namespace *nsp, struct span auth);
    /* The client left the namespace but not the connection; may be NULL. */
    void (*disconnected)(struct engine *e);
    const struct socketio_event *events; /* borrows; may be NULL */
    /* Any event that the table does not have; NULL: ignored, acked with an error if asked. */
    void (*other)(const struct socketio_call *call);
    bool recovers;                         /* recovery.h is for its clients */
    const struct socketio_namespace *next; /* borrows; NULL at the end */
};

extern const struct engine_mount engine_mount_socketio;
extern const struct socketio_namespace socketio_main;

/* The Socket.IO id of this engine in that namespace; empty when it is not connected there. */
struct span socketio_id(const struct engine *e, const struct socketio_namespace *nsp);

/* Emits an event in a namespace. */
void socketio_emit(struct engine *e, const struct socketio_namespace *nsp, const char *event,
                   struct span payload);

/* Sends a packet as it stands, then its attachments. */
void socketio_send(struct engine *e, const struct sio_packet *packet,
                   const struct span *attachments);

/* Answers the call's acknowledgement, when one was asked for, with these arguments (JSON array). */
void socketio_ack(const struct socketio_call *call, struct span args);

#endif
