/* SPDX-License-Identifier: MIT */
/*
 * shedding: live delivery while the disk is in trouble for longer than memory can wait for it.
 *
 * Past --max-unkept-bytes the records of a session are told to its watchers and no longer gathered
 * for the disk: the session is `lost`, and nothing of it is acknowledged. What it was before is
 * remembered. Once the disk is well again the session goes back to that, under a new epoch, and its
 * trainers are told to send again what was not acknowledged; lines without seq are gone, and
 * counted.
 */
#ifndef STREAMD_SESSION_SHEDDING_H
#define STREAMD_SESSION_SHEDDING_H

#include "streamd/session/registry.h"

/* Is what this session records now not to be kept? It becomes lost when so, or E_NOMEM. */
MUST_CHECK enum status shedding_takes(struct session *s, bool *out_lost);

/* When the keeper was heard. True: sessions went back, and their trainers (session.resend) have to
 * be told. */
bool shedding_ends(struct registry *r);

/* They have been. */
void shedding_told(struct registry *r);

#endif
