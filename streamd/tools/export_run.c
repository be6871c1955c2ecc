/* SPDX-License-Identifier: MIT */
#include "streamd/tools/export_run.h"

#include "streamd/store/store_sqlite.h"
#include "streamd/tools/progress.h"

#include <errno.h>

/* Writes the piece, and lets it go. */
static enum status write_piece(struct refbuf *piece, FILE *out)
{
    struct span bytes = refbuf_span(piece);
    errno = 0;
    bool good = fwrite(bytes.ptr, 1, bytes.len, out) == bytes.len;
    refbuf_unref(piece);
    return good ? OK : E_IO;
}

/* What a daemon seals meanwhile must not slip between two rows that are looked up one after the
 * other; between two steps it may. */
static enum status step(struct store *store, struct reading_job *job, struct refbuf **out,
                        bool *out_last)
{
    enum status status = store_sqlite_hold(store);
    if (status != OK)
        return status;
    status = reading_job_step(job, out, out_last);
    store_sqlite_release(store);
    return status;
}

enum status export_run(struct store *store, struct line_decoder *decoder,
                       const struct reading_request *q, FILE *out)
{
    struct reading_job *job = reading_job_create(store, decoder, q);
    struct progress progress;
    bool last = false;
    enum status status = job ? OK : E_NOMEM;
    progress_begin(&progress, q->id, "records", q->until);
    while (!last && (status == OK || status == E_STATE)) {
        struct refbuf *piece = NULL;
        errno = 0;
        status = step(store, job, &piece, &last);
        if (status == OK)
            status = write_piece(piece, out);
        progress_set(&progress, reading_job_written(job));
    }
    progress_end(&progress);
    if (status == OK && reading_job_is_damaged(job))
        status = E_MALFORMED;
    reading_job_destroy(job);
    return status;
}
