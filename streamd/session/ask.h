/* SPDX-License-Identifier: MIT */
/*
 * ask: what there is to read of a session, as a request to its archive.
 */
#ifndef STREAMD_SESSION_ASK_H
#define STREAMD_SESSION_ASK_H

#include "streamd/session/session.h"
#include "streamd/store/keeper.h"

/* All that it has recorded up to now, in that form; to be narrowed by who asks. */
void ask_of(const struct session *s, enum reading_form form, struct reading_request *out);

/* What a reckoning of its present life is made from. */
void ask_of_reckoning(const struct session *s, struct reading_request *out);

/* Its epochs from that index on; all that are listed when `from` is 0. */
void ask_of_epochs(const struct session *s, uint64_t from, struct reading_request *out);

/* Nothing, of a session that nobody knows. */
void ask_of_nobody(enum reading_form form, struct reading_request *out);

/* Starts the reading, after what was said so far has been handed to the keeper. E_STATE: there is
 * no archive. E_NOMEM. */
MUST_CHECK enum status ask_begin(struct registry *r, struct reading *reading,
                                 const struct reading_request *request);

#endif
