/* SPDX-License-Identifier: MIT */
/*
 * knobs: what a run lets others change while it trains, declared by its trainer.
 *
 * The member `knobs` of a start line's config: a name → {"type":"float|int|bool","min","max",
 * "value"}. What a set asks for is held against that before anybody is told, and the value a
 * trainer says it has applied is the value from then on. Embedded in a session, kept in its row.
 */
#ifndef STREAMD_SESSION_KNOBS_H
#define STREAMD_SESSION_KNOBS_H

#include "base/buf.h"
#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    KNOBS_MAX = 32,           /* of a run; more are not known */
    KNOB_NAME_BYTES_MAX = 64, /* A-Z a-z 0-9 . _ : / - */
    KNOBS_BYTES_MAX = 8192,   /* of all of them as JSON */
    KNOB_WHY_MAX = 256,
};

struct fields;

/* A number, or a truth. */
struct knob_value {
    bool is_bool;
    double number; /* of a truth 0 or 1; NaN: not known */
};

enum knob_type { KNOB_FLOAT, KNOB_INT, KNOB_BOOL, KNOB_TYPES };

struct knob {
    char name[KNOB_NAME_BYTES_MAX + 1];
    enum knob_type type;
    double min, max; /* -inf, inf: there is no such end */
    double value;    /* NaN: not known */
};

struct knobs {
    struct knob *each; /* owns */
    size_t count;
};

void knobs_fini(struct knobs *k);

/*
 * Takes what `config`, a JSON object, has as its `knobs`, instead of those it had; one that cannot
 * be understood is left out. E_NOMEM: there are none.
 */
MUST_CHECK enum status knobs_declare(struct knobs *k, struct span config);

/* The same from what knobs_write has written; an empty text is none. */
MUST_CHECK enum status knobs_read(struct knobs *k, struct span object);

/* Appends {"learning_rate":{"type":"float","min":1e-6,"max":1,"value":0.1}, ..}. */
void knobs_write(const struct knobs *k, struct buf *out);

/* False: `why` says what is wrong with it, and what would be right. */
bool knobs_allow(const struct knobs *k, struct span name, struct knob_value value,
                 char why[KNOB_WHY_MAX]);

/* The knob has this value now. Unknown names and other types are passed over. */
void knobs_apply(struct knobs *k, struct span name, struct knob_value value);

/* The member of that name, a number or a truth; false, *out untouched: it is neither. */
bool knob_value_find(const struct fields *f, const char *name, struct knob_value *out);

/* null where it is not known; as a value, and as a member. */
void knob_value_write_bare(struct buf *out, struct knob_value value);
void knob_value_write(struct buf *out, const char *name, struct knob_value value);

#endif
