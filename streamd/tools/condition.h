/* SPDX-License-Identifier: MIT */
/*
 * condition: what `streamd wait --until` waits for, as a value. Pure.
 *
 *     phase=PLATEAU   status=completed   val_loss<0.3   epoch>=10
 *
 * A phase and a status are words, without regard to case; everything else is a metric of the newest
 * record, compared with a number by <, <=, =, >= or >.
 */
#ifndef STREAMD_TOOLS_CONDITION_H
#define STREAMD_TOOLS_CONDITION_H

#include "base/span.h"

enum { CONDITION_NAME_MAX = 256 };

enum comparison { BELOW, AT_MOST, EQUALS, AT_LEAST, ABOVE };

struct condition {
    char name[CONDITION_NAME_MAX + 1];
    enum comparison comparison;
    struct span word; /* borrows; of a phase or a status, else empty */
    double number;
};

/* False: it is none; *out_why says what is expected (static). */
bool condition_parse(const char *text, struct condition *out, const char **out_why);

/* Is it about this: "phase", "status"? Everything else is a metric. */
bool condition_is_about(const struct condition *c, const char *what);
bool condition_is_about_a_metric(const struct condition *c);

bool condition_holds_of_word(const struct condition *c, struct span word);
bool condition_holds_of_number(const struct condition *c, double number);

#endif
