/* SPDX-License-Identifier: MIT */
/*
 * watched: the run that a log tells of: interpreted, told of, and sent to a daemon.
 *
 * Fed with rows in their order, it does what a daemon does with a trainer's records: the same
 * engine, the same meaning of names, the same notices. Beside that it is a trainer: what the log
 * says goes to a daemon by the C client, unless it shall stand alone. Time is the log's where the
 * log has one, so that a log that is read later is told of as it would have been.
 */
#ifndef STREAMD_TOOLS_WATCHED_H
#define STREAMD_TOOLS_WATCHED_H

#include "clients/c/streamd_client.h"
#include "insight/insight.h"
#include "proto/line.h"
#include "proto/logs/source.h"
#include "streamd/notify/notify.h"
#include "streamd/session/record_point.h"
#include "streamd/tools/epoch_ends.h"

enum { CHECKPOINTS_MAX = 64, CHECKPOINT_NAME_MAX = 96 };

/* All borrowed for the life of the watched. */
struct watched_options {
    const char *path; /* of the log */
    const char *id;   /* of the session */
    const char *name; /* NULL: what the log says, else the file's name */
    const char *project;
    const char *socket_path; /* NULL: the client's default */
    bool alone;              /* no daemon */
    bool resume;             /* go on with the session of this id */
};

/* A file the run could be taken up from. */
struct checkpoint {
    double epoch, step; /* NaN: not known */
    char name[CHECKPOINT_NAME_MAX];
};

struct watched {
    struct watched_options options;
    struct notify *notify;   /* borrows */
    struct streamd_run *run; /* owns; NULL: not begun, or alone */
    struct line_decoder decoder;
    struct point_names names;
    struct insight engine;
    struct point newest; /* of each field the newest value */
    char name[SOURCE_TEXT_MAX + 1];
    struct epoch_ends epochs;
    double ended_s;       /* by the log's clock, when an epoch ended last; NaN: not known */
    bool begun;           /* the first record was there */
    bool crashed, over;   /* the log says so */
    unsigned told;        /* finding_mark: those that were told and stand */
    struct advice advice; /* to stop, as it was last told */
    double ahead_s;       /* the log's clock is so far from ours; NaN: it has none */
    struct checkpoint checkpoints[CHECKPOINTS_MAX]; /* a ring */
    uint64_t checkpoint_count;
    uint64_t records, stop_alerts, findings;
};

void watched_init(struct watched *w, const struct watched_options *options, struct notify *notify);

/* The rows of a file that is only looked through, for what it says of the whole run. */
void watched_learn(struct watched *w, const struct source_row *row);

/* What the file has said of the plan goes with the first record. */
void watched_row(struct watched *w, const struct source *source, struct source_row *row,
                 struct now now);

/* Time goes by without a row. */
void watched_tick(struct watched *w, struct now now);

/* Nothing more will be read: an epoch that is under way counts as it stands. */
void watched_last(struct watched *w, struct now now);

/* What to print; each borrows until the next call. */
struct notify_event watched_event(struct watched *w, enum notify_kind kind);

/* Ends it: tells the daemon what the log has said of the end, and frees everything. */
void watched_end(struct watched *w);

#endif
