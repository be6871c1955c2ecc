/* SPDX-License-Identifier: MIT */
/*
 * order: one command to a run, from whoever asks for it to what came of it.
 *
 *   ASKED ──▶ TOLD ──▶ ACCEPTED ──▶ DONE          by its trainer's answers
 *     │         │ └────────┴──────▶ REFUSED
 *     │         └─deadline─▶ UNANSWERED ──▶ ACCEPTED, DONE, REFUSED   (late, and then known)
 *     └──▶ REFUSED by the daemon. A dry run stays ASKED, or is refused: nobody is told.
 *
 * Told is not done: that a run has stopped is known when it has. The same words in every dialect
 * (docs/protocol.md P-72). Belongs to a session; made and ended in orders.c alone.
 */
#ifndef STREAMD_SESSION_ORDER_H
#define STREAMD_SESSION_ORDER_H

#include "base/list.h"
#include "base/timers.h"
#include "streamd/session/knobs.h"

#define ORDER_COMMAND_TABLE(X)                                                                     \
    X(ORDER_STOP, "stop")                                                                          \
    X(ORDER_PAUSE, "pause")                                                                        \
    X(ORDER_RESUME, "resume")                                                                      \
    X(ORDER_CHECKPOINT, "checkpoint")                                                              \
    X(ORDER_SET, "set")

enum order_command {
#define ORDER_ENUM(command, name) command,
    ORDER_COMMAND_TABLE(ORDER_ENUM)
#undef ORDER_ENUM
        ORDER_COMMANDS
};

#define ORDER_STATE_TABLE(X)                                                                       \
    X(ORDER_ASKED, "asked")                                                                        \
    X(ORDER_TOLD, "told")                                                                          \
    X(ORDER_ACCEPTED, "accepted")                                                                  \
    X(ORDER_DONE, "done")                                                                          \
    X(ORDER_REFUSED, "refused")                                                                    \
    X(ORDER_UNANSWERED, "unanswered")

enum order_state {
#define ORDER_ENUM(state, name) state,
    ORDER_STATE_TABLE(ORDER_ENUM)
#undef ORDER_ENUM
        ORDER_STATES
};

enum {
    ORDER_REASON_BYTES_MAX = 1024,
    ORDER_WORDS_BYTES_MAX = 256, /* of an answer, and of each part of who asked; more is cut */
    ORDER_BYTES_MAX = 16384,     /* as JSON, with every byte escaped */
};

struct registry;
struct session;

/* Who asks. All may be empty; borrowed for the call. */
struct order_who {
    struct span via;  /* the dialect: "http", "engine.io", "plain", "operations", "legacy", "mcp" */
    struct span peer; /* "127.0.0.1:40312", or "uid=1000 pid=7" */
    struct span
        caller; /* as what it was let in (auth/caller.h): the name of its token, "local" .. */
    struct span client; /* what it calls itself, a User-Agent for one */
};

/* What is asked for, all borrowed for the call. */
struct order_ask {
    struct span session_id;
    enum order_command command;
    struct span reason; /* for people; at most ORDER_REASON_BYTES_MAX, may be empty */
    struct span mode;   /* of a stop: "after_epoch", "after_batch" or empty */
    struct span knob;   /* of a set */
    struct knob_value value;
    bool dry_run; /* say what would happen, and tell nobody */
    struct order_who who;
};

struct order {
    struct list link;        /* in session.orders, oldest first */
    struct list all;         /* in orders.all, oldest first */
    struct session *session; /* borrows */
    struct timer deadline;   /* armed while it is TOLD */
    uint64_t id;             /* of the whole store, rising; > 0 */
    enum order_command command;
    enum order_state state;
    bool dry_run;
    bool signalled;            /* the process was told by SIGTERM */
    uint64_t trainers;         /* that were told; of a dry run, that would be */
    uint64_t asked_us;         /* monotonic; 0: before this daemon began */
    double asked_s;            /* wall */
    double answered_s;         /* of the newest answer or of the deadline; 0: none yet */
    struct knob_value value;   /* of a set: asked for */
    struct knob_value applied; /* and applied, as the trainer says; NaN: it did not say */
    /* Owned, in one block; "" where there is none. */
    const char *reason, *mode, *knob, *via, *peer, *caller, *client;
    char answer[ORDER_WORDS_BYTES_MAX + 1]; /* the trainer's words, or why nobody was told */
    char texts[];
};

/* ASKED, in no list. NULL when out of memory. Free with free(), out of all lists and unarmed. */
struct order *order_create(struct session *s, const struct order_ask *ask);

/* The picture above, as a table. */
bool order_may_enter(enum order_state from, enum order_state to);

/* May its trainer still answer it, or its run do what it asks for? */
bool order_is_open(const struct order *o);

/* Static. ORDER_COMMANDS, ORDER_STATES where there is none of that name. */
const char *order_command_name(enum order_command command);
const char *order_state_name(enum order_state state);
enum order_command order_command_find(struct span name);
enum order_state order_state_find(struct span name);

/* Cut between two characters where it is too long. */
void order_say(struct order *o, struct span answer);

/* Appends the members of an object: id, sessionId, command .. who. */
void order_write_members(const struct order *o, struct buf *out);
void order_write(const struct order *o, struct buf *out);

/* What order_write has written, for a session that is there. E_MALFORMED: it is not, or the text is
 * no order; E_NOMEM. */
MUST_CHECK enum status order_read(struct registry *r, struct span json, struct order **out);

#endif
