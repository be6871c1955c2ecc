/* SPDX-License-Identifier: MIT */
/*
 * look: a store that a tool only reads, with the daemon's domain around it.
 *
 * Takes no lock and writes nothing, so it works beside a running daemon. Rows are read as they are
 * at that moment; a session's own row says how far its records went when it was read.
 */
#ifndef STREAMD_TOOLS_LOOK_H
#define STREAMD_TOOLS_LOOK_H

#include "streamd/app.h"
#include "streamd/store/store.h"
#include "streamd/tools/tool.h"

struct look {
    struct config config;
    struct store *store;      /* owns */
    struct app *app;          /* owns; has no store of its own */
    struct session *at;       /* owns; what look_next has answered */
    struct store_session row; /* its row; its texts are gone with the next look at the store */
};

/*
 * The configuration a tool works with: that of the environment, and the directory `data` unless it
 * is NULL. What the tool does is not logged, only what goes wrong. False: one line says why.
 */
bool tool_config(struct config *config, const char *data);

/* False after one line that says why, with *out_exit to exit with. Embedded; zeroed before. */
bool look_open(struct look *l, const struct tool *tool, const char *data, int *out_exit);
void look_close(struct look *l);

/*
 * Goes to the session with the next key after the last one; the first time, to the first. It is in
 * l->at until the next call. E_NOT_FOUND: there is none; E_MALFORMED: it cannot be read, l->at is
 * NULL, and the next call goes on behind it; E_IO, E_NOMEM.
 */
MUST_CHECK enum status look_next(struct look *l);

/* Begins again with the first session. */
void look_rewind(struct look *l);

#endif
