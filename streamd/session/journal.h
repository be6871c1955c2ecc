/* SPDX-License-Identifier: MIT */
/*
 * journal: the lifecycle events of all sessions, for as long as somebody may have missed them.
 *
 * An update can be read again from history; an event is said once and has no offset. While there
 * are listeners (watchers that may recover), the newest events are kept here, each with its ordinal
 * and its place among the updates. Bounded by number and bytes: `dropped` says up to which ordinal
 * events may be missing.
 */
#ifndef STREAMD_SESSION_JOURNAL_H
#define STREAMD_SESSION_JOURNAL_H

#include "base/list.h"
#include "base/span.h"

#include <stdint.h>

enum { JOURNAL_EVENTS_MAX = 4096, JOURNAL_BYTES_MAX = 4 << 20 };

struct refbuf;

struct journal_event {
    struct list link;       /* in journal.events */
    const char *name;       /* static */
    struct refbuf *payload; /* owns a reference */
    uint64_t ordinal;
    uint64_t after; /* offset of the session's newest update before it */
    size_t room_len;
    char room[]; /* the session's id */
};

struct journal {
    struct list events; /* owns; of journal_event.link, oldest first */
    size_t count;
    size_t bytes;
    uint64_t last;    /* ordinal of the newest event */
    uint64_t dropped; /* events up to this ordinal are not here */
    unsigned listeners;
};

void journal_init(struct journal *j);
void journal_fini(struct journal *j);

/* Somebody may want what is said from now on; no longer. */
void journal_listen(struct journal *j);
void journal_unlisten(struct journal *j);

/* One more event; answers its ordinal. Out of memory: it counts as dropped. */
uint64_t journal_add(struct journal *j, struct span room, const char *name, struct span payload,
                     uint64_t after);

struct span journal_room(const struct journal_event *e);

/* The first event of that room behind the ordinal; NULL when there is none. */
const struct journal_event *journal_find(const struct journal *j, struct span room,
                                         uint64_t behind);

#endif
