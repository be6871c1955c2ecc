/* SPDX-License-Identifier: MIT */
/*
 * compat_view: a session as the reference's dashboards see it, clamped and complete.
 */
#ifndef STREAMD_HTTP_COMPAT_VIEW_H
#define STREAMD_HTTP_COMPAT_VIEW_H

#include "streamd/session/session.h"

/*
 * The newest record in the compatibility form. A session without one shows the reference's start
 * values: loss 2.5, perplexity 12.18, grokProgress 0, modelParams 25000000. *out borrows nothing.
 */
void compat_view(const struct session *s, double now_s, struct record *out);

#endif
