/* SPDX-License-Identifier: MIT */
/*
 * tfevent: what is of use to us in TensorBoard's Event messages. Pure.
 *
 * A few fields of four protobuf messages (Event, Summary, Summary.Value, TensorProto), read where
 * they stand; all others are passed over.
 */
#ifndef PROTO_LOGS_TFEVENT_H
#define PROTO_LOGS_TFEVENT_H

#include "base/status.h"
#include "proto/number.h"

struct tfevent {
    double wall_s;
    int64_t step;
    struct span summary; /* borrows; its values, for tfevent_next */
};

/* E_MALFORMED: these are not the bytes of a message. */
MUST_CHECK enum status tfevent_read(struct span bytes, struct tfevent *out);

/* Takes the next value that is one number; others are passed over. The tag borrows. E_NOT_FOUND:
 * there is none; E_MALFORMED. */
MUST_CHECK enum status tfevent_next(struct span *summary, struct span *out_tag,
                                    struct num *out_value);

#endif
