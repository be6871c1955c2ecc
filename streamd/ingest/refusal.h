/* SPDX-License-Identifier: MIT */
/*
 * refusal: why a line is refused that was read, in the words of the daemon and of a relay alike.
 */
#ifndef STREAMD_INGEST_REFUSAL_H
#define STREAMD_INGEST_REFUSAL_H

#include "proto/line.h"

extern const struct line_error refusal_no_session;  /* nor a start before it */
extern const struct line_error refusal_not_started; /* and the line cannot start it */
extern const struct line_error refusal_finished;
extern const struct line_error refusal_seq_zero;
extern const struct line_error refusal_too_long;
extern const struct line_error refusal_no_place; /* P-18 */
extern const struct line_error refusal_no_epoch; /* but a report, of a training */

/* It found no memory. What is acknowledged after it would stand for it, too: so the connection
 * ends, and what was not acknowledged is to be sent again. */
extern const struct line_error refusal_no_memory;

#endif
