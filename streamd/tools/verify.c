/* SPDX-License-Identifier: MIT */
/*
 * What is wrong goes to standard output, a line each, and a line that sums it up is the last; so
 * the output can be kept and compared. A session is looked at as it was at one moment.
 */
#include "streamd/store/store_sqlite.h"
#include "streamd/store/store_sqlite_verify.h"
#include "streamd/tools/look.h"
#include "streamd/tools/progress.h"
#include "streamd/tools/tool_options.h"
#include "streamd/tools/verify_run.h"

#include <inttypes.h>
#include <stdlib.h>

struct verify_flags {
    const char *data;
};

const struct tool_option verify_options[] = {
    {"data", "DIR", NULL, "where history lives (default: the daemon's)",
     offsetof(struct verify_flags, data)},
    {0},
};

struct verifier {
    struct verify verify;
    struct look look;
    struct progress progress;
};

static struct verifier *verifier_of(struct verify *v)
{
    return LIST_ENTRY(v, struct verifier, verify);
}

static void on_problem(struct verify *v, const char *text)
{
    progress_end(&verifier_of(v)->progress);
    v->problems++;
    (void)printf("%s\n", text);
}

static void on_progress(struct verify *v)
{
    progress_set(&verifier_of(v)->progress, v->records);
}

static void on_file_problem(void *verify, const char *text)
{
    char line[STORE_WHY_MAX];
    (void)snprintf(line, sizeof(line), "file: %s", text);
    on_problem(verify, line);
}

static void check_meta(struct verify *v)
{
    static const char *const names[] = {"epoch", "previous_epoch", "clean"};
    char line[64];
    struct buf value;
    buf_init(&value, LINE_BYTES_MAX);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        buf_reset(&value);
        if (v->store->ops->get_meta(v->store, names[i], &value) != E_MALFORMED)
            continue;
        (void)snprintf(line, sizeof(line), "the value %s is damaged", names[i]);
        on_file_problem(v, line);
    }
    buf_fini(&value);
}

/* The next session and all it has. E_NOT_FOUND: there is none. */
static enum status check_session(struct verifier *r)
{
    char line[64];
    enum status status = look_next(&r->look);
    if (status == E_NOT_FOUND)
        return status;
    r->verify.sessions++;
    if (status == E_MALFORMED) {
        (void)snprintf(line, sizeof(line), "session key %" PRIu64 ": its row is damaged",
                       r->look.row.key);
        on_problem(&r->verify, line);
        return OK;
    }
    return status == OK ? verify_run(&r->verify, r->look.at) : status;
}

static enum status check_sessions(struct verifier *r)
{
    enum status status = OK;
    look_rewind(&r->look);
    while (status == OK) {
        status = store_sqlite_hold(r->look.store);
        if (status != OK)
            return status;
        status = check_session(r);
        store_sqlite_release(r->look.store);
    }
    return status == E_NOT_FOUND ? OK : status;
}

/* What the sessions say they have, for the progress alone. */
static uint64_t count_records(struct look *l)
{
    uint64_t records = 0;
    enum status status;
    while ((status = look_next(l)) == OK || status == E_MALFORMED)
        records += status == OK ? series_newest(l->at->series) : 0;
    return records;
}

static int verify(struct verifier *r, const struct tool *tool)
{
    struct verify *v = &r->verify;
    progress_begin(&r->progress, "verify", "records", count_records(&r->look));
    check_meta(v);
    enum status status = check_sessions(r);
    if (status == OK)
        status = store_sqlite_verify(v->store, on_file_problem, v);
    progress_end(&r->progress);
    if (status != OK)
        (void)tool_fail(tool, "cannot look further: %s: %s", status_text(status),
                        v->store->ops->why(v->store));
    (void)printf("%" PRIu64 " sessions, %" PRIu64 " segments, %" PRIu64 " runs, %" PRIu64
                 " records: ",
                 v->sessions, v->segments, v->runs, v->records);
    if (status != OK)
        (void)printf("not all was looked at, ");
    if (v->problems)
        (void)printf("%" PRIu64 " problem%s\n", v->problems, v->problems == 1 ? "" : "s");
    else
        (void)printf("%s\n", status == OK ? "no problem" : "no problem before that");
    return status == OK && v->problems == 0 ? TOOL_GOOD : TOOL_BAD;
}

static int open_and_verify(struct verifier *r, const struct tool *tool, const char *data)
{
    int status;
    if (!look_open(&r->look, tool, data, &status))
        return status;
    r->verify = (struct verify){.store = r->look.store,
                                .decoder = &r->look.app->decoder,
                                .progress = on_progress,
                                .problem = on_problem};
    status = verify(r, tool);
    look_close(&r->look);
    return status;
}

int tool_verify(const struct tool *tool, int argc, char **argv)
{
    struct verify_flags flags = {0};
    int count;
    int status;
    if (!tool_begin(tool, argc, argv, &flags, &count, &status))
        return status;
    if (count > 0)
        return tool_refuse(tool, "it takes no argument");
    struct verifier *r = calloc(1, sizeof(*r)); /* too large for a stack */
    if (!r)
        return tool_fail(tool, "%s", status_text(E_NOMEM));
    status = open_and_verify(r, tool, flags.data);
    free(r);
    return status;
}
