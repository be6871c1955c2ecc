/* SPDX-License-Identifier: MIT */
/*
 * The API over its parts: the training's threads make an entry (entry.c) and put it into the queue
 * (queue.c); the run's own thread (sender.c) takes it from there to the daemon's socket (link.c)
 * and understands what comes back (answer.c).
 *
 * The fork handlers have to find every run, and pthread_atfork hands over no argument: the list of
 * runs is the one global there is. The child touches nothing of a run but its descriptors, since
 * the sender may have been anywhere when the process was copied; hence it frees nothing either.
 */
#include "clients/c/streamd_client.h"

#include "clients/c/sampler.h"
#include "clients/c/sender.h"
#include "proto/json_scan.h"
#include "proto/json_write.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

enum {
    MEMORY_BYTES = 8 * 1024 * 1024,
    MEMORY_BYTES_MIN = 64 * 1024,
    FINISH_MS = 2000,
    SPOOL_BYTES = 256 * 1024 * 1024,
    TEXT_OF_MEMORY = 3,    /* a line is at most about so much longer as text */
    WITH_SAMPLE_MAX = 100, /* values beside which a sample surely has room in a line */
    DISK_GRACE_MS = 1000,  /* what finish waits beyond its time for the disk */
};

struct streamd_run {
    struct list link; /* in `runs` */
    char id[SESSION_ID_BYTES_MAX + 1];
    struct buf start;
    uint64_t finish_us;
    bool inert; /* this process is a forked child */
    bool running;
    pthread_t thread;
    char socket_path[SPOOL_PATH_BYTES];
    char spool_folder[SPOOL_PATH_BYTES]; /* "": no spool */
    struct queue queue;
    struct told told;
    struct sender sender;
    struct sampler *sampler; /* owns; NULL: none */
};

static pthread_mutex_t runs_lock = PTHREAD_MUTEX_INITIALIZER;
static struct list runs = {&runs, &runs}; /* of streamd_run.link */
static pthread_once_t fork_handlers = PTHREAD_ONCE_INIT;

static struct streamd_run *run_at(struct list *link)
{
    return LIST_ENTRY(link, struct streamd_run, link);
}

static void before_fork(void)
{
    (void)pthread_mutex_lock(&runs_lock);
    LIST_EACH (at, &runs)
        sender_before_fork(&run_at(at)->sender);
}

static void after_fork(void)
{
    LIST_EACH (at, &runs)
        sender_after_fork(&run_at(at)->sender);
    (void)pthread_mutex_unlock(&runs_lock);
}

static void after_fork_in_child(void)
{
    LIST_EACH (at, &runs) {
        struct streamd_run *run = run_at(at);
        if (run->inert)
            continue; /* since an earlier fork */
        run->inert = true;
        sender_abandon(&run->sender);
        (void)close(run->queue.wake_fd);
    }
    after_fork();
}

static void install_fork_handlers(void)
{
    (void)pthread_atfork(before_fork, after_fork, after_fork_in_child);
}

/* 16 random bytes, which also seed the jitter, as a version 4 uuid. */
static void make_uuid(const unsigned char bytes[16], char out[37])
{
    char *at = out;
    for (int i = 0; i < 16; i++) {
        unsigned byte = bytes[i];
        if (i == 6)
            byte = (byte & 0x0F) | 0x40;
        if (i == 8)
            byte = (byte & 0x3F) | 0x80;
        at += snprintf(at, 4, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", byte);
    }
}

static void add_text(struct buf *b, const char *field, const char *text)
{
    struct span s = span_of(text);
    if (s.len > 0 && s.len <= LINE_NAME_BYTES_MAX && json_utf8_valid(s))
        json_write_pair_string(b, field, s);
}

static bool is_object(struct span json)
{
    json = span_trim(json);
    return json.len > 0 && json.ptr[0] == '{' && json_check(json, JSON_WORDS, NULL) == OK;
}

/* All of the `start` line but its last field. A config that does not fit is left out. */
static void write_start(struct buf *b, const char *id, const struct streamd_options *o,
                        const struct told *told)
{
    struct span config = span_of(o->config_json);
    buf_add_char(b, '{');
    json_write_pair_string(b, "type", SPAN("start"));
    json_write_pair_string(b, "sessionId", span_of(id));
    add_text(b, "project", o->project);
    add_text(b, "name", o->name);
    size_t without_config = b->len;
    if (!is_object(config) && told->knob_count == 0)
        return;
    json_write_name(b, "config");
    if (is_object(config)) {
        json_write_minified(b, config);
        b->len -= buf_status(b) == OK; /* its brace */
    } else {
        buf_add_char(b, '{');
    }
    told_declare(told, b);
    buf_add_char(b, '}');
    if (buf_status(b) == E_LIMIT) {
        b->failed = OK;
        b->len = without_config;
    }
}

/* Absolute, since it is compared with what a file of an earlier process says. */
static void choose_socket(const char *asked, char *out, size_t out_bytes)
{
    char folder[SPOOL_PATH_BYTES] = "";
    const char *named = asked ? asked : getenv("STREAMD_SOCKET");
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    int len;
    if (named && *named && *named != '/' && getcwd(folder, sizeof(folder)))
        len = snprintf(out, out_bytes, "%s/%s", folder, named);
    else if (named && *named)
        len = snprintf(out, out_bytes, "%s", named);
    else if (runtime && *runtime)
        len = snprintf(out, out_bytes, "%s/streamd.sock", runtime);
    else
        len = snprintf(out, out_bytes, "/tmp/streamd-%u.sock", (unsigned)getuid());
    if (len < 0 || (size_t)len >= out_bytes)
        out[0] = '\0'; /* never connects */
}

static size_t half_memory(const struct streamd_options *o)
{
    size_t memory = o->memory_bytes ? o->memory_bytes : MEMORY_BYTES;
    return (memory < MEMORY_BYTES_MIN ? MEMORY_BYTES_MIN : memory) / 2;
}

static uint64_t spool_bytes(const struct streamd_options *o)
{
    return o->spool_bytes ? o->spool_bytes : SPOOL_BYTES;
}

/* So much of the file that all of memory fits in at the end. */
static uint64_t last_bytes(const struct streamd_options *o)
{
    uint64_t text = UINT64_C(2) * TEXT_OF_MEMORY * half_memory(o);
    return text < spool_bytes(o) / 2 ? text : spool_bytes(o) / 2;
}

/* The training's signal handlers run in the training's threads. */
static bool start_thread(struct streamd_run *run)
{
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    run->running = pthread_create(&run->thread, NULL, sender_main, &run->sender) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return run->running;
}

/* False: the thread is held up by the disk. */
static bool join_thread(struct streamd_run *run)
{
    struct timespec by;
    (void)clock_gettime(CLOCK_REALTIME, &by);
    uint64_t wait_ms = run->finish_us / 1000 + DISK_GRACE_MS;
    by.tv_sec += (time_t)(wait_ms / 1000) + 1; /* rounded up */
    return pthread_timedjoin_np(run->thread, NULL, &by) == 0;
}

/*
 * Ends what has begun; answers how many lines were given up. A run whose thread a dead disk holds
 * is left to it.
 */
static uint64_t run_destroy(struct streamd_run *run)
{
    sampler_destroy(run->sampler);
    run->sampler = NULL;
    if (run->running && !join_thread(run)) {
        (void)pthread_detach(run->thread);
        return atomic_load(&run->sender.dropped);
    }
    (void)pthread_mutex_lock(&runs_lock);
    list_remove(&run->link);
    (void)pthread_mutex_unlock(&runs_lock);
    sender_drop(&run->sender, sender_fini(&run->sender));
    sender_drop(&run->sender, queue_fini(&run->queue));
    uint64_t dropped = atomic_load(&run->sender.dropped);
    told_fini(&run->told);
    buf_fini(&run->start);
    free(run);
    return dropped;
}

/* True: it is a fresh one. */
static bool choose_id(struct streamd_run *run, const char *asked, const unsigned char random[16])
{
    struct span id = span_of(asked);
    bool usable = session_id_valid(id);
    if (usable)
        memcpy(run->id, id.ptr, id.len);
    else
        make_uuid(random, run->id);
    return !usable;
}

/* Everything but the thread; false when there is no descriptor left. */
static bool prepare(struct streamd_run *run, const struct streamd_options *o)
{
    unsigned char random[16] = {0};
    ssize_t drawn = getrandom(random, sizeof(random), 0);
    (void)drawn; /* sixteen bytes never fall short */
    bool fresh = choose_id(run, o->session_id, random);
    buf_init(&run->start, LINE_BYTES_MAX - SPOOL_HEADER_BYTES);
    told_init(&run->told, span_of(run->id), o->knobs, o->knob_count);
    write_start(&run->start, run->id, o, &run->told);
    run->finish_us = (o->finish_ms ? o->finish_ms : FINISH_MS) * UINT64_C(1000);
    if (queue_init(&run->queue, half_memory(o)) != OK)
        return false;
    choose_socket(o->socket_path, run->socket_path, sizeof(run->socket_path));
    if (!o->no_spool)
        (void)spool_folder(run->spool_folder, sizeof(run->spool_folder));
    struct sender_params params = {
        .session_id = span_of(run->id),
        .start = buf_span(&run->start),
        .resume = o->resume,
        .queue = &run->queue,
        .socket_path = run->socket_path,
        .spool_folder = run->spool_folder,
        .spool_bytes = spool_bytes(o),
        .last_bytes = last_bytes(o),
        .fresh = fresh,
        .max_sent_bytes = half_memory(o),
        .on_control = o->on_control,
        .control_context = o->control_context,
        .told = &run->told,
    };
    memcpy(&params.jitter_seed, random, sizeof(params.jitter_seed));
    sender_init(&run->sender, &params);
    return true;
}

static bool wants_system(const struct streamd_options *options)
{
    const char *off = getenv("STREAMD_NO_SYSTEM");
    return !(options && options->no_system) && !(off && *off && strcmp(off, "0") != 0);
}

struct streamd_run *streamd_init(const struct streamd_options *options)
{
    static const struct streamd_options defaults;
    struct streamd_run *run = calloc(1, sizeof(*run));
    if (!run)
        return NULL;
    if (!prepare(run, options ? options : &defaults)) {
        buf_fini(&run->start);
        told_fini(&run->told);
        free(run);
        return NULL;
    }
    (void)pthread_once(&fork_handlers, install_fork_handlers);
    (void)pthread_mutex_lock(&runs_lock);
    list_add_tail(&runs, &run->link);
    (void)pthread_mutex_unlock(&runs_lock);
    if (buf_status(&run->start) == OK && start_thread(run)) {
        if (wants_system(options))
            run->sampler = sampler_create(NULL, SAMPLER_EVERY_MS);
        return run;
    }
    (void)run_destroy(run);
    return NULL;
}

static bool is_live(const struct streamd_run *run)
{
    return run && !run->inert;
}

static void put(struct streamd_run *run, struct entry *e)
{
    sender_drop(&run->sender, queue_put(&run->queue, e));
}

/* The sample stands first, so that the training's own value of a name is the one that counts. */
static struct entry *entry_with_sample(struct streamd_run *run, int64_t step,
                                       const struct streamd_metric *metrics, size_t count)
{
    struct streamd_metric all[SAMPLE_MAX + WITH_SAMPLE_MAX];
    bool room = count > 0 && count <= WITH_SAMPLE_MAX;
    size_t n = room ? sampler_take(run->sampler, all) : 0;
    if (n == 0)
        return entry_of_metrics(LINE_PROGRESS, step, metrics, count);
    memcpy(all + n, metrics, count * sizeof(*metrics));
    return entry_of_metrics(LINE_PROGRESS, step, all, n + count);
}

void streamd_log(struct streamd_run *run, int64_t step, const struct streamd_metric *metrics,
                 size_t count)
{
    if (is_live(run))
        put(run, entry_with_sample(run, step, metrics, count));
}

void streamd_log_epoch(struct streamd_run *run, const struct streamd_metric *metrics, size_t count)
{
    if (is_live(run))
        put(run, entry_of_metrics(LINE_EPOCH, -1, metrics, count));
}

void streamd_model_completed(struct streamd_run *run, uint64_t index)
{
    if (is_live(run))
        put(run, entry_of_event(LINE_MODEL_COMPLETED, (int64_t)index, NULL));
}

static uint64_t end(struct streamd_run *run, enum line_type type, const char *error)
{
    if (!is_live(run))
        return 0;
    put(run, entry_of_event(type, 0, error));
    sender_finish(&run->sender, run->finish_us);
    return run_destroy(run);
}

uint64_t streamd_finish(struct streamd_run *run)
{
    return end(run, LINE_COMPLETE, NULL);
}

uint64_t streamd_fail(struct streamd_run *run, const char *error)
{
    return end(run, LINE_FAIL, error);
}

uint64_t streamd_leave(struct streamd_run *run)
{
    if (!is_live(run))
        return 0;
    sender_finish(&run->sender, run->finish_us);
    return run_destroy(run);
}

const char *streamd_run_id(const struct streamd_run *run)
{
    return run ? run->id : "";
}

uint64_t streamd_dropped(const struct streamd_run *run)
{
    return is_live(run) ? atomic_load(&run->sender.dropped) : 0;
}

uint64_t streamd_spool_errors(const struct streamd_run *run)
{
    return is_live(run) ? atomic_load(&run->sender.spool_errors) : 0;
}

bool streamd_connected(const struct streamd_run *run)
{
    return is_live(run) && atomic_load(&run->sender.connected);
}

bool streamd_should_stop(const struct streamd_run *run)
{
    return is_live(run) && atomic_load(&run->sender.should_stop);
}

bool streamd_paused(struct streamd_run *run)
{
    if (!is_live(run) || !atomic_load(&run->sender.paused))
        return false;
    streamd_done(run, "pause");
    return true;
}

double streamd_knob(struct streamd_run *run, const char *name)
{
    bool says = false;
    if (!is_live(run))
        return (double)NAN;
    double value = told_read(&run->told, name, &says);
    if (says)
        queue_wake(&run->queue);
    return value;
}

void streamd_done(struct streamd_run *run, const char *command)
{
    if (is_live(run) && told_done(&run->told, command))
        queue_wake(&run->queue);
}
