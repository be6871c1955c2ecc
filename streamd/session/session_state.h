/* SPDX-License-Identifier: MIT */
/*
 * session_state: the part of a session that outlives the process, as a row of the store.
 *
 * The row's own fields are for people and for looking things up; all the rest (seq, what the
 * trainer said last, what carries over from record to record, rewinds, ages) is in `state`, a
 * versioned form of ours. Times since boot become spans, for another boot.
 */
#ifndef STREAMD_SESSION_SESSION_STATE_H
#define STREAMD_SESSION_SESSION_STATE_H

#include "streamd/session/session.h"
#include "streamd/store/store.h"

/* Fills the row; its spans borrow from the session and from `scratch`, which is appended to. */
void session_state_row(const struct session *s, struct buf *scratch, struct store_session *row);

/*
 * Puts into a fresh session what its row says; in no list and no room yet, the newest record still
 * packed (session_recall). E_MALFORMED: the row is damaged or of a newer version; E_NOMEM. Either
 * way the session is only good for being destroyed.
 */
MUST_CHECK enum status session_state_restore(struct session *s, const struct store_session *row,
                                             struct line_decoder *decoder);

/* Back to an earlier state of the same session, its texts aside. E_MALFORMED, E_NOMEM: it is
 * somewhere between. */
MUST_CHECK enum status session_state_return(struct session *s, struct span state,
                                            struct line_decoder *decoder);

/* The age of the row's last update on the store's own clock, which only runs while a daemon does;
 * 0 when it cannot be read. */
uint64_t session_state_age_us(const struct store_session *row);

#endif
