/* SPDX-License-Identifier: MIT */
/*
 * operation_epochs: an answer that shows the epochs of an operation.
 *
 * They are read where they are: of a run that is going on in memory, and then the answer is there
 * at once; else in the archive, and it comes a moment later. After a rewind all of them are read
 * once, and those that were superseded are forgotten (session/epochs.h).
 */
#ifndef STREAMD_HTTP_OPERATION_EPOCHS_H
#define STREAMD_HTTP_OPERATION_EPOCHS_H

#include "streamd/http/reply.h"
#include "streamd/session/session.h"

struct app;

/* What there is to be shown. */
struct operation_epochs {
    const struct epoch_trend *trend; /* borrows; of all of them */
    const struct epoch *list;        /* borrows */
    size_t count;
    uint64_t first; /* index of the first in the list */
};

/* Writes the answer. */
typedef void operation_epochs_fn(struct app *app, struct session *s,
                                 const struct operation_epochs *epochs, struct reply *reply);

/* Of the epochs from that index on; sooner or later `write` is called once, or the reply is a 404
 * or a 500. */
void operation_epochs_answer(struct app *app, struct session *s, uint64_t from,
                             operation_epochs_fn *write, struct reply *reply);

#endif
