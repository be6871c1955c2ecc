/* SPDX-License-Identifier: MIT */
/*
 * A place in a fixed table is a trainer's whole life: it is taken at the start, its pid goes to 0
 * when the process is reaped, and it is free again once the session's fate is settled. Reaping asks
 * for each pid by name, since waitpid(-1) would steal the children of others (a test's, a
 * library's); a pid that somebody else has reaped counts as ended too.
 */
#include "streamd/http/trainer_command.h"

#include "streamd/http/spawn.h"
#include "streamd/log.h"
#include "streamd/session/registry.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum { GRACE_US = 1000000 };

struct child {
    struct trainer_command *owner; /* borrows */
    char id[SESSION_ID_BYTES_MAX + 1];
    bool used;
    bool paused;
    pid_t pid;          /* of the process and its group; 0 once reaped */
    int wait_status;    /* meaningful once reaped */
    struct now ended;   /* when it was reaped */
    struct timer grace; /* armed once reaped */
};

struct trainer_command {
    const struct config *config; /* borrows */
    struct registry *registry;   /* borrows */
    struct child children[TRAINER_COMMANDS_MAX];
};

static void on_grace(struct timer *timer, uint64_t now_us);

struct trainer_command *trainer_command_create(const struct config *config,
                                               struct registry *registry)
{
    assert(config->trainer_command);
    struct trainer_command *t = calloc(1, sizeof(*t));
    if (!t)
        return NULL;
    t->config = config;
    t->registry = registry;
    for (size_t i = 0; i < TRAINER_COMMANDS_MAX; i++) {
        t->children[i].owner = t;
        timer_init(&t->children[i].grace, on_grace);
    }
    return t;
}

void trainer_command_destroy(struct trainer_command *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < TRAINER_COMMANDS_MAX; i++) {
        struct child *c = &t->children[i];
        if (c->used && c->pid > 0)
            (void)kill(-c->pid, SIGTERM);
        timers_disarm(t->registry->timers, &c->grace);
    }
    free(t);
}

/* The place of a trainer that runs for this id, or NULL. */
static struct child *find_running(const struct trainer_command *t, struct span session_id)
{
    for (size_t i = 0; i < TRAINER_COMMANDS_MAX; i++) {
        const struct child *c = &t->children[i];
        if (c->used && c->pid > 0 && span_is(session_id, c->id))
            return (struct child *)(uintptr_t)c;
    }
    return NULL;
}

static struct child *find_free(struct trainer_command *t)
{
    for (size_t i = 0; i < TRAINER_COMMANDS_MAX; i++) {
        if (!t->children[i].used)
            return &t->children[i];
    }
    return NULL;
}

enum status trainer_command_may_start(struct trainer_command *t, struct span session_id)
{
    if (find_running(t, session_id))
        return E_STATE;
    return find_free(t) ? OK : E_LIMIT;
}

enum status trainer_command_start(struct trainer_command *t, struct span session_id,
                                  struct span config_json)
{
    assert(session_id_valid(session_id));
    enum status status = trainer_command_may_start(t, session_id);
    struct child *c = find_free(t);
    pid_t pid;
    if (status == OK && config_json.len > TRAINER_CONFIG_BYTES_MAX)
        status = E_LIMIT;
    if (status != OK)
        return status;
    const struct spawn_variable variables[SPAWN_VARIABLES] = {
        {"STREAMD_SOCKET", span_of(t->config->socket_path)},
        {"STREAMD_SESSION_ID", session_id},
        {"STREAMD_CONFIG", config_json},
    };
    status = spawn_shell(t->config->trainer_command, variables, &pid);
    if (status != OK)
        return status;
    c->used = true;
    c->paused = false;
    c->pid = pid;
    memcpy(c->id, session_id.ptr, session_id.len);
    c->id[session_id.len] = '\0';
    log_info("trainer_command", "started session=%s pid=%d", c->id, (int)pid);
    return OK;
}

bool trainer_command_runs(const struct trainer_command *t, struct span session_id)
{
    return find_running(t, session_id) != NULL;
}

bool trainer_command_stop(struct trainer_command *t, struct span session_id)
{
    const struct child *c = find_running(t, session_id);
    return c && kill(-c->pid, SIGTERM) == 0;
}

void trainer_command_set_paused(struct trainer_command *t, struct span session_id, bool paused)
{
    struct child *c = find_running(t, session_id);
    if (c)
        c->paused = paused;
}

bool trainer_command_paused(const struct trainer_command *t, struct span session_id)
{
    const struct child *c = find_running(t, session_id);
    return c && c->paused;
}

static void describe_end(int wait_status, char *out, size_t cap)
{
    if (WIFSIGNALED(wait_status))
        (void)snprintf(out, cap, "the trainer command was ended by signal %d (%s)",
                       WTERMSIG(wait_status), strsignal(WTERMSIG(wait_status)));
    else
        (void)snprintf(out, cap, "the trainer command ended with status %d before complete",
                       WEXITSTATUS(wait_status));
}

/* The place is free again; the session fails unless its trainer said how it ended, or it has been
 * started anew. */
static void settle(struct child *c, struct now now)
{
    struct session *s = registry_find_live(c->owner->registry, span_of(c->id));
    char why[128];
    c->used = false;
    if (!s || session_finished(s) || trainer_command_runs(c->owner, span_of(c->id)))
        return;
    describe_end(c->wait_status, why, sizeof(why));
    session_fail(s, span_of(why), now);
}

static void on_grace(struct timer *timer, uint64_t now_us)
{
    struct child *c = LIST_ENTRY(timer, struct child, grace);
    double waited_s = (double)(now_us - c->ended.us) / 1e6;
    settle(c, (struct now){.us = now_us, .wall_s = c->ended.wall_s + waited_s});
}

static void reap_child(struct child *c, struct now now)
{
    int wait_status = 0;
    pid_t pid = waitpid(c->pid, &wait_status, WNOHANG);
    if (pid == 0 || (pid < 0 && errno != ECHILD))
        return;
    log_info("trainer_command", "ended session=%s pid=%d wait_status=%d", c->id, (int)c->pid,
             wait_status);
    c->pid = 0;
    c->wait_status = wait_status;
    c->ended = now;
    if (timers_arm(c->owner->registry->timers, &c->grace, now.us + GRACE_US) != OK)
        settle(c, now);
}

void trainer_command_reap(struct trainer_command *t, struct now now)
{
    for (size_t i = 0; i < TRAINER_COMMANDS_MAX; i++) {
        struct child *c = &t->children[i];
        if (c->used && c->pid > 0)
            reap_child(c, now);
    }
}
