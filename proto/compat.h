/* SPDX-License-Identifier: MIT */
/*
 * compat: the record as the reference system's dashboards know it, clamped and with defaults.
 *
 * Only for ?form=compat, the legacy routes and --compat-clamp. Every field has a range and a
 * default; a value out of range is clamped, a missing one is derived from the others or takes its
 * default, one that is not finite or no number takes its default. A loss that is no number gives
 * the fallback record: all defaults, stamped now. The trainer's own numbers are left out.
 */
#ifndef PROTO_COMPAT_H
#define PROTO_COMPAT_H

#include "base/buf.h"
#include "proto/record.h"

/* The eleven ranges; timestamp has none. `validation_rules_count` in the stats. */
enum { COMPAT_RULES = 11 };

/*
 * Makes the compatibility record from one as decoded or as completed. *out borrows nothing. A
 * timestamp that is missing is now_s (epoch seconds).
 */
void compat_transform(const struct record *r, double now_s, struct record *out);

/*
 * {"compatible","warnings","errors","data_integrity"}: errors name fields that are missing or no
 * number, warnings those out of range; data_integrity is false when overallProgress is more than 5
 * points from the computed one.
 */
void compat_write_validation(struct buf *b, const struct record *r);

/* The record in the reference's HTTP wrapper; `r` as made by compat_transform. */
void compat_write_http(struct buf *b, struct span session_id, const struct record *r,
                       struct span status, double now_s);

/* {"event","metrics","status","timestamp"} */
void compat_write_socket(struct buf *b, struct span event, const struct record *r,
                         struct span status, double now_s);

#endif
