/* SPDX-License-Identifier: MIT */
/*
 * history_write: a selection of entries as json, csv or ndjson.
 *
 * json:   {"success":true,"data":{"sessionId","history":[entry...],"total"}}
 * ndjson: one entry a line
 * csv:    RFC 4180 with a header line; an empty cell where an entry has no such metric, NaN and
 *         Infinity as those words, which every reader of numbers in csv knows
 *
 * An entry is the record at full precision with offset and serverTime. With fields it holds those
 * alone, beside currentStep, offset and serverTime.
 */
#ifndef STREAMD_HTTP_HISTORY_WRITE_H
#define STREAMD_HTTP_HISTORY_WRITE_H

#include "streamd/http/history_select.h"

/* Columns of a csv: more than a spreadsheet shows, fewer than a hostile trainer can make up. */
enum { HISTORY_COLUMNS_MAX = 1024 };

struct history_format {
    const char *name;
    const char *content_type;
    /* Appends to the reply's body; on failure the reply is an error instead. */
    void (*write)(struct reply *reply, struct span session_id, const struct history_selection *s);
};

/* NULL when there is no format of that name. */
const struct history_format *history_format_find(struct span name);

/* history_csv.c */
void history_write_csv(struct reply *reply, struct span session_id,
                       const struct history_selection *s);

#endif
