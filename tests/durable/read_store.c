/* SPDX-License-Identifier: MIT */
/*
 * read_store DIR [PREFIX]: what a store holds, as text, without a daemon and without changing it.
 *
 * Each session (whose id begins with PREFIX) is a line `=ID`, followed by its records as NDJSON;
 * superseded ones too. What cannot be read ends its session with a line `!why`. Exit status 1: the
 * store does not open.
 */
#include "streamd/store/reading.h"
#include "streamd/store/store_sqlite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A session as it is known before its records are read; the store's own spans do not last. */
struct known {
    uint64_t key;
    char id[SESSION_ID_BYTES_MAX + 1];
};

struct knowns {
    struct known *all; /* owns */
    size_t count;
};

static enum status list_sessions(struct store *store, struct knowns *out)
{
    struct store_session row = {.key = 0};
    enum status status;
    while ((status = store->ops->next_session(store, row.key, &row)) == OK ||
           (status == E_MALFORMED && row.key <= INT64_MAX)) {
        if (status == E_MALFORMED || row.id.len > SESSION_ID_BYTES_MAX)
            continue;
        struct known *all = realloc(out->all, (out->count + 1) * sizeof(*all));
        if (!all)
            return E_NOMEM;
        out->all = all;
        struct known *one = &all[out->count++];
        *one = (struct known){.key = row.key};
        memcpy(one->id, row.id.ptr, row.id.len);
    }
    return status == E_NOT_FOUND ? OK : status;
}

static enum status print_records(struct store *store, struct line_decoder *decoder,
                                 const struct known *one)
{
    static struct reading_request request;
    request = (struct reading_request){.form = READING_NDJSON,
                                       .session = one->key,
                                       .until = INT64_MAX,
                                       .to = UINT64_MAX,
                                       .limit = UINT64_MAX,
                                       .branches = true};
    struct reading_job *job = reading_job_create(store, decoder, &request);
    enum status status = job ? OK : E_NOMEM;
    bool last = false;
    while ((status == OK || status == E_STATE) && !last) {
        struct refbuf *piece = NULL;
        status = reading_job_step(job, &piece, &last);
        if (status != OK)
            continue;
        (void)fwrite(piece->bytes, 1, piece->len, stdout);
        refbuf_unref(piece);
    }
    reading_job_destroy(job);
    return status;
}

int main(int argc, char **argv)
{
    char why[STORE_WHY_MAX] = "";
    bool asked_well = argc == 2 || argc == 3;
    const char *prefix = argc == 3 ? argv[2] : "";
    struct store *store = asked_well ? store_sqlite_open_readonly(argv[1], why) : NULL;
    if (!store) {
        (void)fprintf(stderr, "read_store: %s\n",
                      asked_well ? why : "usage: read_store DIR [PREFIX]");
        return 1;
    }
    struct line_decoder decoder;
    struct knowns knowns = {NULL, 0};
    line_decoder_init(&decoder, 1);
    enum status status = list_sessions(store, &knowns);
    for (size_t i = 0; i < knowns.count; i++) {
        if (strncmp(knowns.all[i].id, prefix, strlen(prefix)) != 0)
            continue;
        printf("=%s\n", knowns.all[i].id);
        enum status read = print_records(store, &decoder, &knowns.all[i]);
        if (read != OK)
            printf("!%s: %s\n", status_text(read), store->ops->why(store));
    }
    if (status != OK)
        printf("!%s: %s\n", status_text(status), store->ops->why(store));
    line_decoder_fini(&decoder);
    free(knowns.all);
    store->ops->destroy(store);
    return 0;
}
