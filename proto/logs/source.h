/* SPDX-License-Identifier: MIT */
/*
 * source: the records of a file, whatever its format.
 *
 * Four formats, one table. A source reads a file that is in memory (mapped), from its first record
 * to its last, as often as one likes; nothing is allocated that grows with the file.
 */
#ifndef PROTO_LOGS_SOURCE_H
#define PROTO_LOGS_SOURCE_H

#include "proto/json_scan.h"
#include "proto/logs/source_row.h"

struct source;

struct source_ops {
    const char *name;               /* as --format has it */
    bool (*fits)(struct span file); /* does it look like one? */
    /* To the first record; finds out about the file, and fills source.config. May be called again.
     */
    enum status (*open)(struct source *s);
    /* The next record, complete but for source_row_end. E_NOT_FOUND: there is none; E_MALFORMED,
     * E_LIMIT: source.at and why say what is wrong with the file; E_NOMEM. */
    enum status (*next)(struct source *s, struct source_row *row);
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
};

/* The format of that name, or "auto": the one that the file looks like. NULL: of none. */
const struct source_ops *source_find(const char *name, struct span file);

/* Opens nothing yet: call s->ops->open. */
void source_init(struct source *s, const struct source_ops *ops, struct span file);
void source_fini(struct source *s);

/* ---- for the sources ---- */

extern const struct source_ops source_csv;
extern const struct source_ops source_ndjson;
extern const struct source_ops source_json;
extern const struct source_ops source_events;

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
