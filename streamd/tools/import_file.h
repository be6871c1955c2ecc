/* SPDX-License-Identifier: MIT */
/*
 * import_file: one file of records into the daemon's own domain, as a run that is over.
 *
 * First the whole file is read and nothing done (import_look), which finds damage and says where
 * its records get their steps and times from. Then every record goes the way a trainer's line does
 * (import_feed), at the time when it came. Whether all of it is kept is the caller's business.
 */
#ifndef STREAMD_TOOLS_IMPORT_FILE_H
#define STREAMD_TOOLS_IMPORT_FILE_H

#include "proto/logs/source.h"
#include "streamd/app.h"
#include "streamd/tools/progress.h"

/* The monotonic time at which every imported run ends, and the app's `now` must be: far enough from
 * 0 for the longest of runs to have begun. */
#define IMPORT_NOW_US (UINT64_C(1) << 60)

/* What a file turned out to hold. */
struct import_facts {
    uint64_t records;
    uint64_t blank; /* passed over: without any number, or superseded */
    bool has_steps; /* else the epochs are taken for steps, else the records are counted */
    bool has_epochs;
    bool has_wall, has_since;
    int64_t start_ms, end_ms; /* wall time */
    int64_t first_wall_ms, last_wall_ms;
    int64_t first_since_ms, last_since_ms;
};

/* What it shall be called. */
struct import_names {
    struct span id;
    struct span project; /* ptr NULL: none */
    struct span name;    /* ptr NULL: none */
};

struct import_file {
    struct source source;  /* the caller's to init and fini */
    struct source_row row; /* the same */
    struct import_facts facts;
    struct app *app;           /* borrows; with its work inline */
    struct progress *progress; /* borrows; over twice the bytes of the file */
    int64_t modified_ms;       /* when the file last changed: the end of a run without times */
    bool partial;              /* what stands before damage is enough */
};

/* Fills facts. E_MALFORMED, E_LIMIT: source.at and why say where and what; E_NOMEM. With `partial`,
 * OK too when something stands before the damage, and source.why is then not NULL. */
MUST_CHECK enum status import_look(struct import_file *f);

/* After import_look: start, records, complete. Not OK: *why is a static string. */
MUST_CHECK enum status import_feed(struct import_file *f, const struct import_names *names,
                                   const char **why);

#endif
