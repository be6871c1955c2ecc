/* SPDX-License-Identifier: MIT */
/*
 * training_changes: who subscribed to a run's resources is told when something happens to it.
 *
 * What happens is in the bulletin (session/bulletin.h); this waits there like any agent, for all of
 * it. Embedded in the app.
 */
#ifndef STREAMD_MCP_TRAINING_CHANGES_H
#define STREAMD_MCP_TRAINING_CHANGES_H

#include "streamd/session/bulletin.h"

struct app;

struct training_changes {
    struct bulletin_waiter waiter;
    struct app *app; /* borrows */
    uint64_t told;   /* seq of the newest item that was told */
};

/* After the app's registry and mcp. */
void training_changes_init(struct training_changes *c, struct app *app);

#endif
