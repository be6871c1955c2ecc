/* SPDX-License-Identifier: MIT */
/*
 * One run goes to standard output or a file, several go to a folder. A file gets its name when it
 * is whole; until then it has `.part` behind it, so what was broken off is never taken for a run.
 *
 * In a folder of ndjson the index has the name that a run `runs` would have; that run's file is
 * `%runs.ndjson`, which no run's can be.
 */
#include "streamd/session/ask.h"
#include "streamd/session/registry_look.h"
#include "streamd/store/reading_names.h"
#include "streamd/tools/export_run.h"
#include "streamd/tools/look.h"
#include "streamd/tools/tool_options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct export_flags {
    const char *data;
    const char *format;
    const char *fields;
    const char *out;
    bool branches;
    bool all;
};

#define AT(field) offsetof(struct export_flags, field)

const struct tool_option export_options[] = {
    {"data", "DIR", NULL, "where history lives (default: the daemon's)", AT(data)},
    {"format", "FORMAT", "csv|ndjson|json", "csv, ndjson or json (default csv)", AT(format)},
    {"fields", "A,B", NULL, "only these metrics, and the step (default: all)", AT(fields)},
    {"branches", NULL, NULL, "also what a rewind replaced, marked superseded", AT(branches)},
    {"out", "PATH", NULL,
     "a file, - for standard output (the default), or with several runs a folder", AT(out)},
    {"all", NULL, NULL, "every run there is, and runs.ndjson that describes them", AT(all)},
    {0},
};

struct exporter {
    const struct tool *tool;
    struct export_flags flags;
    const struct reading_format *format;
    struct look look;
    char **ids; /* borrows */
    int count;
    struct reading_request *request; /* owns */
};

/* A file that is being written. */
struct output {
    FILE *file;
    char path[2 * CONFIG_TEXT_MAX]; /* "": standard output */
    char part[2 * CONFIG_TEXT_MAX + 8];
};

static bool output_open(struct output *o, const char *path)
{
    o->path[0] = '\0';
    o->file = stdout;
    if (strcmp(path, "-") == 0)
        return true;
    int n = snprintf(o->path, sizeof(o->path), "%s", path);
    errno = ENAMETOOLONG;
    (void)snprintf(o->part, sizeof(o->part), "%s.part", o->path);
    o->file = n < (int)sizeof(o->path) ? fopen(o->part, "we") : NULL;
    return o->file;
}

/* `good`: it is whole. False, and errno, when it is not there then. */
static bool output_close(struct output *o, bool good)
{
    if (o->path[0] == '\0')
        return fflush(o->file) == 0;
    good = fclose(o->file) == 0 && good;
    good = good && rename(o->part, o->path) == 0;
    if (!good) {
        int error = errno;
        (void)unlink(o->part);
        errno = error;
    }
    return good;
}

static const char *reason_of(enum status status)
{
    if (status == E_MALFORMED)
        return "what is damaged was left out: see streamd verify";
    if (status == E_LIMIT)
        return "a csv has at most 1024 metrics: name some with --fields";
    if (status == E_IO && errno)
        return strerror(errno);
    return status_text(status);
}

/* The run at hand, to that path. */
static bool write_run(struct exporter *e, const char *path)
{
    struct output o;
    const struct session *s = e->look.at;
    struct reading_request *q = e->request;
    ask_of(s, e->format->form, q);
    q->branches = e->flags.branches;
    (void)reading_add_fields(q, span_of(e->flags.fields));
    if (!output_open(&o, path)) {
        (void)tool_fail(e->tool, "%s: %s", path, strerror(errno));
        return false;
    }
    enum status status = export_run(e->look.store, &e->look.app->decoder, q, o.file);
    const char *reason = status == OK ? NULL : reason_of(status);
    if (!output_close(&o, status == OK || status == E_MALFORMED) && !reason)
        reason = strerror(errno);
    if (reason)
        (void)tool_fail(e->tool, "%s to %s: %s", s->id, path, reason);
    return !reason;
}

/* ---- into a folder ---- */

static bool write_to_folder(struct exporter *e)
{
    char path[2 * CONFIG_TEXT_MAX];
    const char *id = e->look.at->id;
    bool taken = e->format->form == READING_NDJSON && strcmp(id, "runs") == 0;
    (void)snprintf(path, sizeof(path), "%s/%s%s.%s", e->flags.out, taken ? "%" : "", id,
                   e->format->name);
    return write_run(e, path);
}

static bool describe(struct session *s, FILE *index)
{
    struct buf *b = &s->registry->scratch;
    buf_reset(b);
    session_write_summary(s, b);
    buf_add_char(b, '\n');
    return buf_status(b) == OK && fwrite(b->ptr, 1, b->len, index) == b->len;
}

/* NULL when nobody asked for it by that name, or for all. */
static char **asked_for(const struct exporter *e, const char *id)
{
    for (int i = 0; i < e->count; i++) {
        if (e->ids[i] && strcmp(e->ids[i], id) == 0)
            return &e->ids[i];
    }
    return NULL;
}

/* Whether it is the one that was named nobody knows; that one will be missed. */
static bool report_damage(const struct exporter *e)
{
    if (e->flags.all)
        (void)tool_fail(e->tool, "a run cannot be read, key %llu: see streamd verify",
                        (unsigned long long)e->look.row.key);
    return !e->flags.all;
}

/* The session at hand, if it is asked for; its place in `ids` is empty afterwards. */
static bool write_if_asked(struct exporter *e, FILE *index)
{
    char **id = asked_for(e, e->look.at->id);
    if (!id && !e->flags.all)
        return true;
    if (id)
        *id = NULL;
    if (!index)
        return write_run(e, e->flags.out);
    bool written = write_to_folder(e);
    bool described = describe(e->look.at, index);
    if (!described)
        (void)tool_fail(e->tool, "runs.ndjson: %s", strerror(errno));
    return written && described;
}

static bool write_runs(struct exporter *e, FILE *index)
{
    bool good = true;
    enum status status;
    look_rewind(&e->look);
    while ((status = look_next(&e->look)) == OK || status == E_MALFORMED)
        good = (status == OK ? write_if_asked(e, index) : report_damage(e)) && good;
    if (status != E_NOT_FOUND)
        (void)tool_fail(e->tool, "%s", e->look.store->ops->why(e->look.store));
    return good && status == E_NOT_FOUND;
}

static bool write_folder(struct exporter *e)
{
    struct output index;
    char path[2 * CONFIG_TEXT_MAX];
    (void)snprintf(path, sizeof(path), "%s/runs.ndjson", e->flags.out);
    if ((mkdir(e->flags.out, 0777) != 0 && errno != EEXIST) || !output_open(&index, path)) {
        (void)tool_fail(e->tool, "%s: %s", e->flags.out, strerror(errno));
        return false;
    }
    bool good = write_runs(e, index.file);
    if (output_close(&index, true))
        return good;
    (void)tool_fail(e->tool, "%s: %s", path, strerror(errno));
    return false;
}

/* ---- as asked ---- */

static bool report_unknown(const struct exporter *e)
{
    bool all = true;
    for (int i = 0; i < e->count; i++) {
        struct log_text quoted;
        if (!e->ids[i])
            continue;
        (void)tool_fail(e->tool, "%s: no such run", log_quoted(&quoted, span_of(e->ids[i])));
        all = false;
    }
    return all;
}

static int run(struct exporter *e)
{
    int status;
    bool folder = e->flags.all || e->count > 1;
    if (!look_open(&e->look, e->tool, e->flags.data, &status))
        return status;
    bool good = folder ? write_folder(e) : write_runs(e, NULL);
    good = report_unknown(e) && good;
    look_close(&e->look);
    return good ? TOOL_GOOD : TOOL_BAD;
}

/* TOOL_GOOD, or what to exit with. */
static int check(struct exporter *e)
{
    e->format = reading_format_find(span_of(e->flags.format));
    if (e->count == 0 && !e->flags.all)
        return tool_refuse(e->tool, "no run is named, and --all is not given");
    if (e->count > 0 && e->flags.all)
        return tool_refuse(e->tool, "--all and names of runs exclude each other");
    bool folder = e->flags.all || e->count > 1;
    if (folder && strcmp(e->flags.out, "-") == 0)
        return tool_refuse(e->tool, "several runs need --out FOLDER");
    const char *why = reading_add_fields(e->request, span_of(e->flags.fields));
    return why ? tool_refuse(e->tool, "%s", why) : TOOL_GOOD;
}

int tool_export(const struct tool *tool, int argc, char **argv)
{
    struct exporter *e = calloc(1, sizeof(*e));
    struct reading_request *q = calloc(1, sizeof(*q));
    if (!e || !q) {
        free(e);
        free(q);
        return tool_fail(tool, "%s", status_text(E_NOMEM));
    }
    e->tool = tool;
    e->flags = (struct export_flags){.format = "csv", .out = "-"};
    e->ids = argv + 1;
    e->request = q;
    int status;
    if (tool_begin(tool, argc, argv, &e->flags, &e->count, &status)) {
        status = check(e);
        if (status == TOOL_GOOD)
            status = run(e);
    }
    free(q);
    free(e);
    return status;
}
