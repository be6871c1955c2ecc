/* SPDX-License-Identifier: MIT */
/*
 * session: one training run as the daemon knows it.
 *
 * Takes decoded trainer lines, keeps the newest record and the history, counts models, and says
 * what happened to its room: updates through its pace (10 Hz, newest wins), lifecycle events at
 * once and in order, after the update that waits. Everything else (status, metrics, history) reads
 * it as it is, never waiting for the pace.
 *
 *   STARTING ──first record──▶ RUNNING ──complete──▶ COMPLETED
 *       │                         │ └────fail──────▶ FAILED
 *       └─────complete / fail─────┘        (any) ──sweep──▶ EXPIRED (history only)
 *   A `start` with "resume" takes an expired session back to RUNNING (to STARTING while it has no
 *   record), and a finished one as soon as something new is said; one without takes any session
 *   back to STARTING.
 */
#ifndef STREAMD_SESSION_SESSION_H
#define STREAMD_SESSION_SESSION_H

#include "base/list.h"
#include "base/timers.h"
#include "proto/line.h"
#include "proto/record.h"
#include "streamd/clock.h"
#include "streamd/session/alert_rules.h"
#include "streamd/session/axis.h"
#include "streamd/session/epochs.h"
#include "streamd/session/knobs.h"
#include "streamd/session/operation.h"
#include "streamd/session/series.h"
#include "streamd/session/summary.h"
#include "streamd/store/rewind.h"
#include "streamd/store/run.h"
#include "throttle/pace.h"

enum session_state {
    SESSION_STARTING,
    SESSION_RUNNING,
    SESSION_COMPLETED,
    SESSION_FAILED,
    SESSION_EXPIRED,
    SESSION_STATES
};

struct interpreter;
struct registry;
struct room;
struct refbuf;
struct session;

/*
 * A borrowed session that may die meanwhile: whoever keeps a session from one wake-up to the next
 * embeds one of these, and the session's end sets it to NULL.
 */
struct session_handle {
    struct session *session; /* borrows; NULL: none, or gone */
    struct list link;        /* in session.handles */
};

struct session {
    struct registry *registry; /* borrows */
    uint64_t key;              /* in the store */
    char *id;                  /* owns; NUL-terminated, [A-Za-z0-9._:-]{1,128} */
    size_t id_len;
    struct list link;     /* in registry.sessions, newest start first */
    struct list aging;    /* in registry.finished or registry.expired, else in none */
    struct list handles;  /* of session_handle.link */
    struct list orphan;   /* in orphans.all while its trainer is away */
    int trainer_pid;      /* of an orphan */
    uint64_t orphaned_us; /* since when it is one */
    enum session_state state;
    char *project;         /* owns; may be NULL */
    char *name;            /* owns; may be NULL */
    char *error;           /* owns; why it failed, may be NULL */
    struct refbuf *config; /* owns a reference; minified JSON object, NULL: {} */

    double start_time_s; /* wall */
    double last_update_s;
    uint64_t start_us; /* monotonic; may lie before the boot, and have wrapped */
    uint64_t last_us;

    uint64_t last_seq;    /* 0: none seen */
    uint64_t durable_seq; /* up to this one it is on disk */
    uint64_t begun_in;    /* number of the first batch that knows of its last `start` */
    uint64_t models_completed;
    uint64_t total_models;
    struct record_memory memory; /* what carries over from record to record */
    uint16_t sent;               /* bits of the record fields the trainer ever sent */
    bool resumed;                /* finished, and its trainer has come back: it may go on */
    bool given_up;   /* failed as an orphan: whoever says something new takes it up again */
    bool may_rewind; /* taken up: the next step said may be an earlier one */
    struct axis axis;
    struct rewind *rewinds; /* owns; in order of offset */
    size_t rewind_count;
    uint64_t oldest; /* offset of the first record there may still be, where trim.h has cut */
    uint64_t floor;  /* offset up to which an earlier epoch's history stands; see registry.epoch */

    struct list unkept; /* in keeping.unkept while its row is to be written */
    struct buf run;     /* owns; records not yet handed to the keeper, from run_first on */
    uint64_t run_first;
    uint64_t run_count;
    uint64_t
        unsealed_bytes; /* of its lines since trim.h last had it sealed, or about a segment ago */
    size_t run_last;    /* where the newest of them begins */
    struct record_memory before; /* what was remembered before it */
    struct buf latest;           /* owns; a run of the newest record alone, as of the last cut */
    struct buf before_loss;      /* owns; its state before it was lost */
    bool lost;                   /* told live and not kept: shedding.h */
    bool resend;                 /* it went back: its trainers are to be told */

    struct summary *summary;         /* owns */
    bool summary_stale;              /* it has what a rewind superseded */
    uint64_t summary_from;           /* offset behind which it begins: of the last `start` anew */
    struct recount *recount;         /* owns; NULL unless the summary is being made again */
    struct epochs epochs;            /* which of its records are epochs */
    struct knobs knobs;              /* what its trainer lets others change */
    struct list orders;              /* owns; of order.link, oldest first: orders.h */
    struct operation operation;      /* what it is to who supervises it */
    struct interpreter *interpreter; /* owns; NULL while there is none */
    struct alert_rules rules;        /* of its users */
    bool pinned;                     /* never dropped to make room, nor for its age */
    struct series *series;           /* owns */
    uint64_t newest_offset;          /* of the newest record; 0 while there is none */
    uint64_t epoch_told;  /* offset of the last one that the bulletin was told as an epoch */
    uint64_t life_begins; /* offset of the first record since it began (anew); 0: not known */

    struct pace pace;
    struct timer tick; /* armed while an update waits for the pace */
    struct list due;   /* in registry.due: publish at the end of this wake-up */
    struct room *room; /* borrows; pinned while the session lives */
    uint64_t version;  /* rises with every change that status or metrics would show */

    struct refbuf *metrics_cache; /* owns; payload JSON of the newest record */
    uint64_t metrics_version;     /* the version metrics_cache was made at */
};

/* "starting", "running", …; static. */
const char *session_state_name(enum session_state state);

struct span session_id(const struct session *s);

void session_handle_init(struct session_handle *h);
void session_handle_fini(struct session_handle *h);

/* Points the handle at another session, or at none (NULL). */
void session_handle_set(struct session_handle *h, struct session *s);

/* Up to which seq what its trainer said is kept. */
uint64_t session_durable_seq(const struct session *s);

/* COMPLETED or FAILED? */
bool session_finished(const struct session *s);

/* A pinned session is dropped only by registry_remove. An unpinned one is again the youngest. */
void session_pin(struct session *s, bool pinned);

/* A finished or expired session goes on: training_started, and no error any more. */
void session_reopen(struct session *s, struct now now);

/*
 * What a decoded line does, to a session that is STARTING or RUNNING. `now` is the wake-up's.
 * session_progress completes *r, which was decoded from `line`; E_NOMEM: the record was not kept,
 * only counted as an error. A model that was completed before is no news, and neither is the end of
 * a finished session.
 */
MUST_CHECK enum status session_progress(struct session *s, struct record *r, struct span line,
                                        struct now now);

/* The newest record is an epoch. */
void session_epoch(struct session *s);

void session_model_completed(struct session *s, uint64_t model_index, struct now now);
void session_complete(struct session *s, struct now now);
void session_fail(struct session *s, struct span error, struct now now);

/* Completes session.run for the keeper, and session.latest from it. False: out of memory, and more
 * may be added. */
bool session_end_run(struct session *s);

/* Publishes the newest record now if the room has not had it (end of wake-up, tick, flush). */
void session_publish(struct session *s, uint64_t now_us);

/*
 * The newest record, decoded from history; false while there is none. In either case the caller
 * ends the cursor with series_cursor_fini.
 */
bool session_latest(const struct session *s, struct series_cursor *c, struct series_entry *out);

/* Payload JSON of the newest record (rounded), cached by version; borrows. NULL while there is none
 * or when out of memory. */
struct refbuf *session_metrics_json(struct session *s);

/* Appends the event payloads / data objects of docs/protocol.md. */
void session_write_status(struct session *s, struct buf *out, bool with_latest_metrics);
void session_write_resumed(struct session *s, struct buf *out, bool recovered); /* to `since` */
void session_write_update(struct session *s, struct buf *out);
void session_write_summary(struct session *s, struct buf *out);

/* Appends one history entry object (full precision, offset, serverTime). */
void session_write_entry(const struct series_entry *entry, struct buf *out);

/* Appends one progress_update payload for an old entry, for replays. */
void session_write_replay(const struct session *s, const struct series_entry *entry,
                          struct buf *out);

#endif
