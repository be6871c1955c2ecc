/* SPDX-License-Identifier: MIT */
/*
 * reading_entry: one entry of a history as JSON.
 *
 * Without fields it is the whole record at full precision. With fields it holds currentStep, since
 * nobody can draw a curve without it, and then what was asked for. Either ends in offset and
 * serverTime, and the latter, when asked for it, in the place on the axis before them. A metric
 * that an entry does not have is left out, one that is not finite is null and named in nonFinite,
 * as everywhere. Errors are the buf's.
 */
#ifndef STREAMD_STORE_READING_ENTRY_H
#define STREAMD_STORE_READING_ENTRY_H

#include "streamd/session/series.h"
#include "streamd/store/reading.h"

/* The value of that metric; NUM_NONE when the record has none. */
struct num reading_value(const struct record *r, const struct reading_field *field);

/* Is that one of the twelve asked for by name? */
bool reading_asks_for(const struct reading_request *q, enum record_field field);

void reading_write_entry(struct buf *out, const struct reading_request *q,
                         const struct series_entry *entry, bool superseded);

#endif
