/* SPDX-License-Identifier: MIT */
/*
 * recount: after a rewind, the summary made again of the records that stand.
 *
 * A summary cannot forget. So the session's archive is read, on its own thread, without what was
 * superseded; meanwhile the old summary is shown, and what comes is gathered beside it and added in
 * the end. A restart in between begins it again. Of a history that is not whole any more (trim.h),
 * or while the session is live only (shedding.h), nothing is recounted: the summary stays as it is.
 */
#ifndef STREAMD_SESSION_RECOUNT_H
#define STREAMD_SESSION_RECOUNT_H

#include "streamd/session/session.h"

struct recount;

/* The session's summary has what no longer counts: it is made again from the next recounts_start
 * on. In the middle of a line nothing may be handed to the keeper. */
void recount_mark(struct session *s);

/* Begins what was marked. At the end of a wake-up. */
void recounts_start(struct registry *r);

/* A record that comes while the summary is made again. */
void recount_add(struct session *s, const struct record *r);

/* The session goes, or its summary begins anew. Idempotent. */
void recount_cancel(struct session *s);

#endif
