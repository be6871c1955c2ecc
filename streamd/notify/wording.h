/* SPDX-License-Identifier: MIT */
/*
 * wording: what people read of an event. Plain UTF-8 text; the same event gives the same bytes.
 *
 * The first line is the title. What is not known is left out, or said to be unknown; no event is
 * too empty to be told.
 */
#ifndef STREAMD_NOTIFY_WORDING_H
#define STREAMD_NOTIFY_WORDING_H

#include "base/buf.h"
#include "streamd/notify/event.h"

/* Appends the whole message, without a line end behind it. */
void wording_write(struct buf *b, const struct notify_event *e);

/* Appends one line for a terminal: where it is, phase, loss, time left. */
void wording_status(struct buf *b, const struct notify_event *e);

#endif
