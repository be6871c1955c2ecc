/* SPDX-License-Identifier: MIT */
/*
 * The daemon's own app without sockets and without a loop, over a store of which the changes of one
 * file are one transaction: what is broken off leaves nothing, and what is imported is what a
 * daemon would have kept. A file is looked through before anything is changed; so of several files
 * a damaged one does not keep the others out, and only a store in trouble ends it all.
 */
#include "streamd/store/store_sqlite.h"
#include "streamd/store/store_whole.h"
#include "streamd/tools/import_file.h"
#include "streamd/tools/look.h"
#include "streamd/tools/tool_options.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct import_flags {
    const char *data;
    const char *format;
    const char *id;
    const char *project;
    const char *name;
    bool replace;
    bool partial;
};

#define AT(field) offsetof(struct import_flags, field)

const struct tool_option import_options[] = {
    {"data", "DIR", NULL, "where history lives (default: the daemon's)", AT(data)},
    {"format", "FORMAT", "auto|csv|ndjson|json|tensorboard|mmengine|huggingface|nanogpt|text",
     "auto, csv, ndjson, json (trainer_state.json, or our own), tensorboard, or a log: mmengine, "
     "huggingface (what its Trainer prints), nanogpt, text (key=value or key: value) (default "
     "auto: by what is in the file)",
     AT(format)},
    {"id", "ID", NULL, "what the run shall be called by (default: the file's name)", AT(id)},
    {"project", "NAME", NULL, "its project", AT(project)},
    {"name", "NAME", NULL, "its name for people", AT(name)},
    {"replace", NULL, NULL, "a run of that id that is over makes room", AT(replace)},
    {"partial", NULL, NULL, "of a damaged file take what stands before the damage", AT(partial)},
    {0},
};

struct importer {
    const struct tool *tool;
    struct import_flags flags;
    struct config config;
    struct store *store; /* borrows; the app's */
    struct app *app;     /* owns */
    uint64_t runs, records;
    bool broken; /* nothing more can be imported */
};

/* A file in memory. */
struct mapped {
    const char *path;
    struct span bytes;
    int64_t modified_ms;
};

static bool map_file(const struct importer *m, const char *path, struct mapped *out)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool good = fd >= 0 && fstat(fd, &st) == 0;
    void *at = MAP_FAILED;
    if (good && st.st_size > 0)
        at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    int error = errno;
    if (fd >= 0)
        (void)close(fd);
    if (at == MAP_FAILED) {
        (void)tool_fail(m->tool, "%s: %s", path,
                        good && st.st_size == 0 ? "the file is empty" : strerror(error));
        return false;
    }
    (void)madvise(at, (size_t)st.st_size, MADV_SEQUENTIAL);
    *out = (struct mapped){.path = path,
                           .bytes = {at, (size_t)st.st_size},
                           .modified_ms =
                               (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000};
    return true;
}

static void unmap(const struct mapped *file)
{
    (void)munmap((void *)(uintptr_t)file->bytes.ptr, file->bytes.len);
}

/* ---- what it is called ---- */

static bool is_id_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           memchr("._:-", c, 4) != NULL;
}

/* The file's name without what is before and behind it, in the letters of an id. */
static struct span id_of_path(const char *path, char out[SESSION_ID_BYTES_MAX + 1])
{
    static const char *const endings[] = {".csv", ".tsv", ".ndjson", ".jsonl", ".json", ".log"};
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    size_t len = strlen(base);
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        size_t n = strlen(endings[i]);
        if (len > n && strcmp(base + len - n, endings[i]) == 0) {
            len -= n;
            break;
        }
    }
    len = len < SESSION_ID_BYTES_MAX ? len : SESSION_ID_BYTES_MAX;
    for (size_t i = 0; i < len; i++)
        out[i] = (char)(is_id_char(base[i]) ? base[i] : '-');
    return (struct span){out, len};
}

static struct span text_of(const char *text)
{
    return text ? span_of(text) : (struct span){NULL, 0};
}

/* ---- one file ---- */

/* Line and byte, counted from 1, of a text; of an event file the byte from 0, as tools for it do.
 */
static void report_damage(const struct importer *m, const struct mapped *file,
                          const struct source *s)
{
    const char *note = m->flags.partial ? "" : " (--partial takes what is before)";
    uint64_t line = 1;
    if (s->ops == &source_events) {
        (void)tool_fail(m->tool, "%s: byte %zu: %s%s", file->path, s->at, s->why, note);
        return;
    }
    for (size_t i = 0; i < s->at && i < file->bytes.len; i++)
        line += file->bytes.ptr[i] == '\n';
    (void)tool_fail(m->tool, "%s: line %" PRIu64 ", byte %zu: %s%s", file->path, line, s->at,
                    s->why, note);
}

/* May there be a new run of that id? One line says why not. */
static bool may_be_called(const struct importer *m, const struct mapped *file, struct span id)
{
    const struct session *s = registry_find(&m->app->registry, id);
    if (!s || m->flags.replace)
        return true;
    (void)tool_fail(m->tool, "%s: there is a run %s already; give another --id, or --replace it",
                    file->path, s->id);
    return false;
}

/* The run that has that id goes. E_STATE: it is not over. */
static enum status make_room(struct importer *m, struct span id, const char **why)
{
    struct registry *r = &m->app->registry;
    struct session *s = registry_find(r, id);
    enum status status = s ? registry_forget(r, s) : OK;
    if (status != OK)
        *why = "the run of that id is not over";
    if (s && status == OK)
        registry_begin_epoch(r); /* its offsets are given again */
    return status;
}

/* All of the file or nothing, into the store. */
static bool keep(struct importer *m, struct import_file *f, const struct mapped *file,
                 const struct import_names *names)
{
    const char *why = "the store did not take it";
    if (!may_be_called(m, file, names->id))
        return false;
    enum status status = store_whole_begin(m->store);
    if (status == OK)
        status = make_room(m, names->id, &why);
    bool refused = status == E_STATE; /* and nothing has been changed */
    if (status == OK)
        status = import_feed(f, names, &why);
    if (status == OK || refused) {
        enum status kept = store_whole_commit(m->store);
        status = kept == OK ? status : kept;
    }
    m->runs += status == OK;
    m->records += status == OK ? f->facts.records : 0;
    if (status == OK)
        return true;
    m->broken = !refused;
    progress_end(f->progress);
    (void)tool_fail(m->tool, "%s: nothing of it was imported: %s%s%s", file->path, why,
                    status == E_IO ? ": " : "", status == E_IO ? m->store->ops->why(m->store) : "");
    return false;
}

static bool look_and_keep(struct importer *m, struct import_file *f, const struct mapped *file)
{
    char id[SESSION_ID_BYTES_MAX + 1];
    struct import_names names = {
        .id = m->flags.id ? span_of(m->flags.id) : id_of_path(file->path, id),
        .project = text_of(m->flags.project),
        .name = text_of(m->flags.name),
    };
    enum status status = import_look(f);
    if (f->source.why || status != OK)
        progress_end(f->progress);
    if (status == E_NOMEM) {
        (void)tool_fail(m->tool, "%s: %s", file->path, status_text(status));
        return false;
    }
    if (f->source.why)
        report_damage(m, file, &f->source);
    if (status != OK)
        return false;
    if (f->facts.records == 0) {
        (void)tool_fail(m->tool, "%s: there is no record in it", file->path);
        return false;
    }
    return keep(m, f, file, &names) && !f->source.why;
}

static bool import_file(struct importer *m, const struct mapped *file)
{
    struct progress progress;
    const struct source_ops *ops = source_find(m->flags.format, file->bytes);
    if (!ops) {
        (void)tool_fail(m->tool, "%s: none of the formats; name one with --format", file->path);
        return false;
    }
    struct import_file f = {.app = m->app,
                            .progress = &progress,
                            .modified_ms = file->modified_ms,
                            .partial = m->flags.partial};
    source_init(&f.source, ops, file->bytes);
    source_row_init(&f.row);
    progress_begin(&progress, file->path, "bytes", 2 * file->bytes.len);
    bool good = look_and_keep(m, &f, file);
    progress_end(&progress);
    source_row_fini(&f.row);
    source_fini(&f.source);
    return good;
}

static bool import_path(struct importer *m, const char *path)
{
    struct mapped file;
    if (!map_file(m, path, &file))
        return false;
    bool good = import_file(m, &file);
    unmap(&file);
    return good;
}

/* ---- all of them ---- */

static bool open_app(struct importer *m)
{
    char why[STORE_WHY_MAX] = "";
    struct now now = {.us = IMPORT_NOW_US, .wall_s = clock_read().wall_s};
    struct store *store = store_sqlite_open(m->config.data_dir, why);
    if (!store || why[0])
        (void)tool_fail(m->tool, "%s", why[0] ? why : status_text(E_NOMEM));
    m->store = store ? store_whole_create(store) : NULL;
    if (!m->store)
        return false;
    m->config.max_history_records = 1;   /* nobody will ask this process for history */
    m->config.max_sessions = UINT64_MAX; /* what is there makes no room for what comes */
    m->app = app_create(
        &(struct app_params){.config = &m->config, .store = m->store, .inline_store = true}, now);
    return m->app;
}

static int run(struct importer *m, char **paths, int count)
{
    bool good = true;
    if (!tool_config(&m->config, m->flags.data))
        return TOOL_USAGE;
    if (!open_app(m))
        return TOOL_BAD;
    for (int i = 0; i < count && !m->broken; i++)
        good = import_path(m, paths[i]) && good;
    app_destroy(m->app);
    (void)printf("%" PRIu64 " run%s, %" PRIu64 " records\n", m->runs, m->runs == 1 ? "" : "s",
                 m->records);
    return good ? TOOL_GOOD : TOOL_BAD;
}

/* TOOL_GOOD, or what to exit with. */
static int check(const struct importer *m, int count)
{
    struct log_text quoted;
    if (count == 0)
        return tool_refuse(m->tool, "no file is named");
    if (m->flags.id && count > 1)
        return tool_refuse(m->tool, "--id is for one file");
    if (m->flags.id && !session_id_valid(span_of(m->flags.id)))
        return tool_refuse(m->tool,
                           "--id %s: expected 1 to 128 of the characters A-Z a-z 0-9 . _ : -",
                           log_quoted(&quoted, span_of(m->flags.id)));
    return TOOL_GOOD;
}

int tool_import(const struct tool *tool, int argc, char **argv)
{
    int count;
    struct importer *m = calloc(1, sizeof(*m));
    if (!m)
        return tool_fail(tool, "%s", status_text(E_NOMEM));
    m->tool = tool;
    m->flags.format = "auto";
    int status;
    if (tool_begin(tool, argc, argv, &m->flags, &count, &status)) {
        status = check(m, count);
        if (status == TOOL_GOOD)
            status = run(m, argv + 1, count);
    }
    free(m);
    return status;
}
