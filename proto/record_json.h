/* SPDX-License-Identifier: MIT */
/*
 * record_json: the record as JSON, in the contract's order of fields.
 *
 * Twelve fields (null where unknown), then the trainer's own numbers under their names, then
 * "nonFinite":{"loss":"NaN"} when a number is not finite: such a number itself is written as null.
 * Names of extras never repeat one of ours: the decoder gives fields their place and drops reserved
 * names. All writers append one minified object; errors are the buf's.
 */
#ifndef PROTO_RECORD_JSON_H
#define PROTO_RECORD_JSON_H

#include "base/buf.h"
#include "proto/record.h"

/* Rounded for watchers: the field's decimals, and six significant digits for any other float. */
void record_write_payload(struct buf *b, const struct record *r);

/* Full precision. */
void record_write_full(struct buf *b, const struct record *r);

/* A history entry: full precision, then "offset" and "serverTime" (epoch seconds), and "superseded"
 * when it is. */
void record_write_entry(struct buf *b, const struct record *r, uint64_t offset,
                        double server_time_s, bool superseded);

/* What an entry ends in, whatever metrics it has: offset, serverTime, superseded, the bracket. */
void record_write_entry_end(struct buf *b, uint64_t offset, double server_time_s, bool superseded);

/* A JSON array of the names, of the twelve, that the trainer did not send. */
void record_write_derived(struct buf *b, const struct record *r);

#endif
