/* SPDX-License-Identifier: MIT */
/*
 * trail: what one recovering watcher was sent, in order, so that it can be taken back.
 *
 * A watcher that may recover names, when it returns, the serial of the last message that came. Its
 * trail is a log to undo: each entry remembers what its message changed in a stream (one
 * membership's place in its session), and trail_rewind takes back all behind that serial. Then
 * every stream stands where the watcher stands, whatever had been on its way.
 *
 * A trail keeps at most `max` entries (updates that follow each other are one); a serial that it no
 * longer has cannot be rewound to. Out of memory breaks it, and so does what could not be noted: it
 * says so, and never guesses.
 */
#ifndef STREAMD_ROOM_TRAIL_H
#define STREAMD_ROOM_TRAIL_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A message, as far as it is to be undone. */
struct mark {
    uint64_t serial;
    uint64_t offset;  /* of an update; else 0 */
    uint64_t ordinal; /* of an event that the journal has; else 0 */
};

/* How joining was to be answered. */
enum stream_answer { ANSWER_NONE, ANSWER_STATUS, ANSWER_RECOVERED, ANSWER_NOT_RECOVERED };

/* Where a membership stands. */
struct stream {
    uint32_t id;        /* among those of its trail; entries name it */
    uint8_t answer;     /* enum stream_answer */
    bool unanswered;    /* rewound to before its joining was answered */
    bool waits;         /* for a session to come into its room */
    bool went;          /* rewound to before its session went: no further */
    uint64_t sent;      /* offset of the newest update that was queued, or of the one before */
    uint64_t heard;     /* set by who keeps it, and rewound: ordinal of the last event queued */
    struct mark update; /* of the one in membership.waiting */
};

struct trail_entry;

struct trail {
    struct trail_entry *entries; /* owns; ring of cap, oldest at head */
    uint32_t head;
    uint32_t count;
    uint32_t cap;
    uint32_t max;
    uint32_t streams; /* ids given */
    bool broken;      /* something is missing in it: never recovered */
};

/* A watcher that has had nothing stands at serial 0. */
void trail_init(struct trail *t, uint32_t max);
void trail_fini(struct trail *t);

/* Something is not in it that should be. */
void trail_break(struct trail *t);

/* A stream of its own for a membership; NULL when out of memory, and the trail is broken. */
struct stream *trail_stream(struct trail *t, bool waits);

/* The membership begins behind `sent`; `answer` is to come. */
void trail_joined(struct trail *t, struct stream *s, uint64_t sent, enum stream_answer answer);

/* A session came into the stream's room, with `newest` as its newest offset; or it went. */
void trail_session_came(struct trail *t, struct stream *s, uint64_t newest);
void trail_session_gone(struct trail *t, struct stream *s);

/* Offsets of the stream have gone back to `newest`. */
void trail_renewed(struct trail *t, struct stream *s, uint64_t newest);

/* This message was queued; of no stream (NULL) when it is the watcher's alone. */
void trail_add(struct trail *t, struct stream *s, const struct mark *mark);

/*
 * Takes back all behind the message `serial`. The streams are those the watcher is in; entries of
 * one that it has left are passed over. E_NOT_FOUND: the trail does not reach back so far.
 * E_STATE: it is broken, or what would be taken back cannot be. Then the streams are of no use.
 */
MUST_CHECK enum status trail_rewind(struct trail *t, uint64_t serial, struct stream *streams,
                                    size_t count);

#endif
