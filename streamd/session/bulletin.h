/* SPDX-License-Identifier: MIT */
/*
 * bulletin: what has happened to all sessions, numbered, for whoever waits for it.
 *
 * The journal has events as watchers are told them; here each is one sentence and a few numbers,
 * for agents, who come and go and say up to where they have read. Numbers rise over restarts too:
 * they begin at the time the daemon does, in milliseconds. The newest are kept, and of epochs, of
 * which there are many, fewer; so no run's epochs push another's alert out.
 *
 * Whoever waits is woken once, at the end of the wake-up in which something came for him.
 */
#ifndef STREAMD_SESSION_BULLETIN_H
#define STREAMD_SESSION_BULLETIN_H

#include "base/list.h"
#include "base/span.h"

#include <stdint.h>

enum {
    BULLETIN_NEWS_MAX = 2048,   /* items that are no epochs */
    BULLETIN_EPOCHS_MAX = 1024, /* and those that are */
    BULLETIN_TEXT_MAX = 240,    /* bytes of a sentence; more is cut off */
    BULLETIN_DATA_MAX = 1024,   /* bytes of its object; a longer one is left out */
};

/* X(type, name) */
#define BULLETIN_TABLE(X)                                                                          \
    X(BULLETIN_PHASE, "phase")                                                                     \
    X(BULLETIN_ALERT, "alert")                                                                     \
    X(BULLETIN_EPOCH, "epoch")                                                                     \
    X(BULLETIN_STATUS, "status")                                                                   \
    X(BULLETIN_RECOMMENDATION, "recommendation")

enum bulletin_type {
#define BULLETIN_ENUM(type, name) type,
    BULLETIN_TABLE(BULLETIN_ENUM)
#undef BULLETIN_ENUM
        BULLETIN_TYPES
};

/* What somebody wants to hear of. */
struct bulletin_filter {
    unsigned types;      /* bit t: those of type t */
    struct span session; /* borrows; empty: of any */
};

struct bulletin_item {
    struct list link; /* in bulletin.news or .epochs */
    uint64_t seq;
    enum bulletin_type type;
    double wall_s;
    size_t session_len, text_len, data_len;
    char bytes[]; /* session, text, data, one after the other */
};

/* Items of one kind, oldest first. */
struct bulletin_shelf {
    struct list items; /* owns; of bulletin_item.link */
    size_t count, max;
    uint64_t dropped; /* seq of the newest one that is not here any more; 0: none */
};

struct bulletin {
    struct bulletin_shelf news, epochs;
    uint64_t first;      /* the seq that the first item got, or will get */
    uint64_t last;       /* of the newest item */
    struct list waiters; /* of bulletin_waiter.link */
    struct list due;     /* the same: those that something came for */
};

/* Somebody who waits. Zeroed before its first use. */
struct bulletin_waiter {
    struct list link;
    struct bulletin_filter filter; /* its session borrows from who waits */
    /* There is something; it waits no longer, and may wait again. */
    void (*woken)(struct bulletin_waiter *w);
};

/* "phase" ...; static. BULLETIN_TYPES when there is none of that name. */
const char *bulletin_type_name(enum bulletin_type type);
enum bulletin_type bulletin_type_find(struct span name);

void bulletin_init(struct bulletin *b, double wall_s);
void bulletin_fini(struct bulletin *b);

/* One more. `data` is a JSON object, or empty. Out of memory, it counts as dropped. */
void bulletin_add(struct bulletin *b, enum bulletin_type type, struct span session, double wall_s,
                  struct span text, struct span data);

/* The first one behind `after` that passes; NULL: none. Borrows, until the next bulletin_add. */
const struct bulletin_item *bulletin_next(const struct bulletin *b,
                                          const struct bulletin_filter *filter, uint64_t after);

/* A number behind which the newest `count` that pass stand, or all of them. */
uint64_t bulletin_behind(const struct bulletin *b, const struct bulletin_filter *filter,
                         size_t count);

/*
 * How many that would perhaps have passed are gone: of those behind `after`, at most so many. 0 for
 * after = 0, which asks for nothing that was before. At least 1 for a number of an earlier daemon.
 */
uint64_t bulletin_missed(const struct bulletin *b, const struct bulletin_filter *filter,
                         uint64_t after);

struct span bulletin_session(const struct bulletin_item *item);
struct span bulletin_text(const struct bulletin_item *item);
struct span bulletin_data(const struct bulletin_item *item);

void bulletin_wait(struct bulletin *b, struct bulletin_waiter *w);

/* Harmless for one that does not wait. */
void bulletin_cancel(struct bulletin_waiter *w);

/* Wakes those that something came for. Call once per wake-up. */
void bulletin_wake(struct bulletin *b);

#endif
