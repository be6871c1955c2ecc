/* SPDX-License-Identifier: MIT */
/*
 * streamd_client: log a training run to streamd without ever disturbing the training.
 *
 *     struct streamd_run *run = streamd_init(&(struct streamd_options){.project = "grokking"});
 *     for (int64_t step = 1; step <= 1000 && !streamd_should_stop(run); step++) {
 *         double loss = train_one_step();
 *         streamd_log(run, step, &(struct streamd_metric){"loss", loss}, 1);
 *     }
 *     streamd_finish(run);
 *
 * The promise: no call fails into the training and none waits for the daemon, but finish and fail,
 * for a bounded time. Logging copies the values into a bounded queue; a thread of the run's own
 * makes JSON of them and talks to the daemon's Unix socket. Without a daemon nothing is printed and
 * nothing fails; when one comes, within 5 s, the run connects and sends what it still has. Every
 * line is numbered, kept until the daemon has acknowledged it, and sent again after a reconnect.
 *
 * When memory_bytes is not enough, lines move to a file of the run's, the oldest first; and what is
 * not acknowledged when the run ends is left in one. Files are in $STREAMD_SPOOL, else
 * $XDG_STATE_HOME/streamd/spool, else ~/.local/state/streamd/spool; the next run that logs to the
 * same daemon sends them, or `python -m streamd sync`. When the file is full, or the disk fails,
 * the oldest values in memory are given up and counted, lifecycle lines (epoch, model_completed,
 * complete, fail) never for a value's sake. kill -9 loses what was only in the process's memory.
 *
 * All calls may come from any thread and accept NULL for the run, and then do nothing; none is for
 * signal handlers. In a forked child the run is inert: every call does nothing, and its connection
 * stays the parent's alone. Link with -lpthread.
 */
#ifndef CLIENTS_C_STREAMD_CLIENT_H
#define CLIENTS_C_STREAMD_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct streamd_run;

/*
 * NaN and the infinities are values too. A name that is empty, longer than 256 bytes, not UTF-8 or
 * has a control character is left out with its value.
 */
struct streamd_metric {
    const char *name; /* borrowed for the call */
    double value;
};

/* In the sender thread: must not call streamd_finish or streamd_fail. `command` is "stop", "pause",
 * "resume", "checkpoint" or "set"; both strings are borrowed for the call. Whoever sees to a
 * checkpoint says streamd_done(run, "checkpoint") once it is saved. */
typedef void streamd_control_fn(void *context, const char *command, const char *reason);

enum { STREAMD_KNOBS_MAX = 32 };

enum streamd_knob_type { STREAMD_FLOAT, STREAMD_INT, STREAMD_BOOL };

/* A value that others may change while the run trains. Its name is 1 to 64 of A-Z a-z 0-9 . _ : / -
 */
struct streamd_knob {
    const char *name; /* borrowed for the call of streamd_init */
    enum streamd_knob_type type;
    double value;    /* of a truth 0 or 1 */
    double min, max; /* both 0: any value */
};

/* Zero means the default, everywhere. Strings are borrowed for the call of streamd_init. */
struct streamd_options {
    const char *project;     /* UTF-8, at most 256 bytes, else left out */
    const char *name;        /* the same */
    const char *config_json; /* a JSON object; anything else is left out */
    const char *session_id;  /* [A-Za-z0-9._:-]{1,128}; default: a fresh uuid4 */
    bool resume;             /* go on with the earlier run of this session_id */
    const char *socket_path; /* default: $STREAMD_SOCKET, else $XDG_RUNTIME_DIR/streamd.sock, else
                                /tmp/streamd-<uid>.sock */
    size_t memory_bytes;     /* for lines that wait; default 8 MiB, at least 64 KiB */
    uint64_t spool_bytes;    /* of the run's file; default 256 MiB */
    bool no_spool;           /* no file, neither this run's nor an earlier one's */
    bool no_system;          /* no rss_mb, cpu_percent, gpu_memory_mb, gpu_memory_total_mb, gpu_util
                                beside the training's own values, once a second; also turned off by
                                $STREAMD_NO_SYSTEM */
    unsigned finish_ms;      /* how long finish and fail may take; default 2000 */
    streamd_control_fn *on_control;   /* hears every control line; default: nobody */
    void *control_context;            /* borrowed until the run has ended */
    const struct streamd_knob *knobs; /* borrowed for the call; at most STREAMD_KNOBS_MAX */
    size_t knob_count;
};

/* Begins a run; NULL options are all defaults. NULL when there is no memory or no thread. */
struct streamd_run *streamd_init(const struct streamd_options *options);

/* Queues a `progress` line. A negative step is left out. Of two values of a name the last counts.
 */
void streamd_log(struct streamd_run *run, int64_t step, const struct streamd_metric *metrics,
                 size_t count);

/* Queues an `epoch` line (epoch, train_loss, val_loss, learning_rate ...). */
void streamd_log_epoch(struct streamd_run *run, const struct streamd_metric *metrics, size_t count);

/* Queues a `model_completed` line: the model with this 0-based index is trained. */
void streamd_model_completed(struct streamd_run *run, uint64_t index);

/*
 * Ends the run as completed, or as failed for the reason `error`. Waits at most finish_ms for the
 * daemon to acknowledge everything, and not at all when none was ever there; then for the disk to
 * have the rest, two seconds if it is slow. Takes the run; answers how many lines were given up in
 * its whole life. No other call may be under way or follow.
 */
uint64_t streamd_finish(struct streamd_run *run);
uint64_t streamd_fail(struct streamd_run *run, const char *error);

/*
 * Ends this process's part and leaves the run open, for whoever goes on with it (resume). Otherwise
 * as finish.
 */
uint64_t streamd_leave(struct streamd_run *run);

/* The session id, known before the daemon is; borrowed, valid while the run is. "" for NULL. */
const char *streamd_run_id(const struct streamd_run *run);

/* Lines given up so far: no memory left for them, too long, without a usable value, or refused. */
uint64_t streamd_dropped(const struct streamd_run *run);

/* How often the disk has failed; the run goes on in memory then, and tries again a minute later. */
uint64_t streamd_spool_errors(const struct streamd_run *run);

/* The daemon has answered and the connection stands. */
bool streamd_connected(const struct streamd_run *run);

/* The daemon has sent `stop`: end the training when it suits. */
bool streamd_should_stop(const struct streamd_run *run);

/* The daemon's last word was `pause`, not `resume`: wait. Whoever asked for it is told that the
 * training has seen it. */
bool streamd_paused(struct streamd_run *run);

/*
 * The value of a knob, as it is to be used from now on; NaN when none of that name was declared.
 * Reading it is what applies a change that was asked for: read it where it is used.
 */
double streamd_knob(struct streamd_run *run, const char *name);

/* What `command` asked for has been done: "checkpoint". */
void streamd_done(struct streamd_run *run, const char *command);

#ifdef __cplusplus
}
#endif

#endif
