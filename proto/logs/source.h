/* SPDX-License-Identifier: MIT */
/*
 * source: the records of a file, whatever its format.
 *
 * All formats stand in one table, and whoever imports a file or watches it grow reads it with the
 * same code. A source reads bytes that are in memory, from the first record to the last, as often
 * as one likes; nothing is allocated that grows with the file.
 *
 * A file that grows is opened with its first line and then fed what has come since, cut at the end
 * of a line (source_feed). A format that is written anew as a whole is opened anew.
 */
#ifndef PROTO_LOGS_SOURCE_H
#define PROTO_LOGS_SOURCE_H

#include "proto/json_scan.h"
#include "proto/logs/source_row.h"

struct source;

struct source_ops {
    const char *name;               /* as --format has it */
    const char *what;               /* whose it is, in words */
    bool whole;                     /* a growing file is opened anew, not fed */
    bool (*fits)(struct span file); /* does it look like one? */
    /* To the first record; finds out about the file, and fills source.config. May be called again.
     */
    enum status (*open)(struct source *s);
    /* The next record, complete but for source_row_end. E_NOT_FOUND: there is none; E_MALFORMED,
     * E_LIMIT: source.at and why say what is wrong with the file; E_NOMEM. */
    enum status (*next)(struct source *s, struct source_row *row);
    /* Text: what one line says; false: nothing. */
    bool (*line)(struct source *s, struct span line, struct source_row *row);
};

/* What a text has said so far of the run's plan and place; 0: nothing. */
struct source_place {
    uint64_t epochs;     /* planned */
    uint64_t steps;      /* planned */
    uint64_t iterations; /* of an epoch */
    uint64_t epoch;      /* of a line that said so, for those below it that do not */
    uint64_t step;       /* of the newest line, or of a progress bar */
    bool measures;       /* there was a validation */
};

struct source {
    const struct source_ops *ops;
    struct span file;      /* borrows */
    struct span rest;      /* of the file, not read yet */
    size_t at;             /* offset in the file: of the record at hand, or of what is wrong */
    const char *why;       /* static */
    struct buf config;     /* owns; what the file says about its run, a JSON object, or empty */
    struct buf text;       /* owns; scratch for what was unescaped */
    struct json_scan scan; /* json: in the array */
    char separator;        /* csv */
    struct span *columns;  /* csv; owns, the names borrow from the file or from `names` */
    size_t column_count;
    struct buf names; /* csv; owns */
    bool sums;        /* csv: the total loss is missing and is the sum of its parts */
    int64_t zone_s;   /* the caller's: how far the clock of a text's times is east of UTC */
    struct source_place place; /* text */
};

/* NULL past the end. */
const struct source_ops *source_at(size_t index);

/* The format of that name, or "auto": the one that the file looks like. NULL: of none. */
const struct source_ops *source_find(const char *name, struct span file);

/* Opens nothing yet: call s->ops->open. */
void source_init(struct source *s, const struct source_ops *ops, struct span file);
void source_fini(struct source *s);

/* What follows the bytes that were read, all of them; borrows. Not for a format that is `whole`. */
void source_feed(struct source *s, struct span more);

/* ---- for the sources ---- */

extern const struct source_ops source_csv;
extern const struct source_ops source_ndjson;
extern const struct source_ops source_json;
extern const struct source_ops source_events;
extern const struct source_ops source_mmengine;
extern const struct source_ops source_huggingface;
extern const struct source_ops source_nanogpt;
extern const struct source_ops source_text;

/* Text: open and next over the format's `line`; crashes and times are found here. */
enum status source_lines_open(struct source *s);
enum status source_lines_next(struct source *s, struct source_row *row);

/* Is there, near the beginning of the file, a line of that kind? */
bool source_lines_have(struct span file, bool (*is_one)(struct span line));

/* Says what is wrong where, which points into the file; answers `status`. */
enum status source_refuse(struct source *s, enum status status, const char *at, const char *why);

/*
 * Adds the members of the object that `scan` has just entered, and leaves it. Objects become names
 * with `/`, but for `metrics` and `nonFinite`, whose members count as the object's own.
 * E_MALFORMED, E_NOMEM.
 */
MUST_CHECK enum status source_add_members(struct source *s, struct json_scan *scan,
                                          struct source_row *row);

#endif
