/* SPDX-License-Identifier: MIT */
/*
 * kept_answer: an HTTP answer that is an acknowledgement, and so waits for the disk.
 */
#ifndef STREAMD_INGEST_KEPT_ANSWER_H
#define STREAMD_INGEST_KEPT_ANSWER_H

#include "streamd/http/reply.h"
#include "streamd/session/keeping.h"

/*
 * The reply, which is written, goes out once everything said so far is on disk; while the disk is
 * in trouble it becomes a 503, after which the same may be sent again. Without a keeper it goes at
 * once. Out of memory: a 503 now.
 */
void answer_when_kept(struct keeping *keeping, struct reply *reply);

#endif
