/* SPDX-License-Identifier: MIT */
/*
 * answer: one line that the daemon says to a trainer. Pure.
 *
 * Fields that are not known are passed over: a newer daemon may say more.
 */
#ifndef CLIENTS_C_ANSWER_H
#define CLIENTS_C_ANSWER_H

#include "base/span.h"

#include <stdbool.h>

/* Strings are raw, as they stand between their quotes, and borrow from the line; absent: NULL. */
struct answer {
    struct span type;
    struct span session_id;
    struct span command;
    struct span reason;
    struct span code;
    struct span knob;
    struct span operation_type;
    uint64_t seq;
    uint64_t last_seq;
    uint64_t id;    /* of an order; 0: it is to have no answer */
    bool has_value; /* a number, or a truth as 0 or 1 */
    bool value_is_bool;
    double value;
};

/* False, *out untouched: the line is no JSON object. */
bool answer_decode(struct span line, struct answer *out);

#endif
