/* SPDX-License-Identifier: MIT */
/*
 * names: the metric names of one series, each kept once and known by a small number.
 *
 * Numbers are given in the order of first appearance and never change. A trainer repeats its
 * metrics in the same order line after line, so the caller passes a guess (the number after the
 * previous metric's), and only a wrong guess costs a look-up. Embedded in a series.
 */
#ifndef STREAMD_SESSION_NAMES_H
#define STREAMD_SESSION_NAMES_H

#include "base/strmap.h"

struct name;

struct names {
    struct strmap by_text; /* text → struct name */
    struct name **all;     /* owns the array and the names, by number */
    uint32_t count;
    uint32_t cap;
    size_t bytes; /* of memory in use, roughly */
};

/* Allocates nothing. */
void names_init(struct names *n);
void names_fini(struct names *n);

/* The number of `text`, entered when new. E_LIMIT: it is new and the table is full; E_NOMEM. */
MUST_CHECK enum status names_enter(struct names *n, struct span text, uint32_t guess,
                                   uint16_t *out_number);

/* The text; borrows, valid until names_fini. */
struct span names_at(const struct names *n, uint16_t number);

#endif
