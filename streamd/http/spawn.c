/* SPDX-License-Identifier: MIT */
/*
 * posix_spawn and not fork: the daemon may hold gigabytes of history, whose page tables a fork
 * would copy, and the child needs nothing that the attributes cannot say. Every descriptor of ours
 * is close-on-exec, so none has to be closed here.
 */
#include "streamd/http/spawn.h"

#include "streamd/log.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* "NAME=value", owned by the caller; NULL when out of memory. */
static char *assignment(const struct spawn_variable *variable)
{
    size_t name_len = strlen(variable->name);
    char *text = malloc(name_len + 1 + variable->value.len + 1);
    if (!text)
        return NULL;
    memcpy(text, variable->name, name_len);
    text[name_len] = '=';
    if (variable->value.len > 0)
        memcpy(text + name_len + 1, variable->value.ptr, variable->value.len);
    text[name_len + 1 + variable->value.len] = '\0';
    return text;
}

static bool is_set_by(const char *entry, const struct spawn_variable variables[SPAWN_VARIABLES])
{
    for (size_t i = 0; i < SPAWN_VARIABLES; i++) {
        size_t len = strlen(variables[i].name);
        if (strncmp(entry, variables[i].name, len) == 0 && entry[len] == '=')
            return true;
    }
    return false;
}

/* The first SPAWN_VARIABLES entries are owned, the others borrow our own environment. */
static void free_environment(char **env)
{
    for (size_t i = 0; env && i < SPAWN_VARIABLES; i++)
        free(env[i]);
    free(env);
}

/* Our environment, with `variables` in place of what stood there under those names. */
static char **make_environment(const struct spawn_variable variables[SPAWN_VARIABLES])
{
    size_t count = 0;
    while (environ[count])
        count++;
    char **env = calloc(SPAWN_VARIABLES + count + 1, sizeof(*env));
    if (!env)
        return NULL;
    size_t at = 0;
    for (; at < SPAWN_VARIABLES; at++) {
        env[at] = assignment(&variables[at]);
        if (!env[at]) {
            free_environment(env);
            return NULL;
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (!is_set_by(environ[i], variables))
            env[at++] = environ[i];
    }
    return env;
}

/* Answers an errno. */
static int set_attributes(posix_spawnattr_t *attributes)
{
    const short flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    sigset_t none;
    sigset_t all;
    (void)sigemptyset(&none);
    (void)sigfillset(&all);
    int error = posix_spawnattr_setflags(attributes, flags);
    if (!error)
        error = posix_spawnattr_setpgroup(attributes, 0);
    if (!error)
        error = posix_spawnattr_setsigmask(attributes, &none);
    return error ? error : posix_spawnattr_setsigdefault(attributes, &all);
}

/* Answers an errno. */
static int spawn(const char *command, char **env, pid_t *out_pid)
{
    char shell[] = "sh";
    char option[] = "-c";
    char *const argv[] = {shell, option, (char *)(uintptr_t)command, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int error = posix_spawn_file_actions_init(&actions);
    if (error)
        return error;
    error = posix_spawnattr_init(&attributes);
    if (!error) {
        error = set_attributes(&attributes);
        if (!error)
            error =
                posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        if (!error)
            error = posix_spawn(out_pid, "/bin/sh", &actions, &attributes, argv, env);
        (void)posix_spawnattr_destroy(&attributes);
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    return error;
}

enum status spawn_shell(const char *command, const struct spawn_variable variables[SPAWN_VARIABLES],
                        pid_t *out_pid)
{
    pid_t pid;
    char **env = make_environment(variables);
    if (!env)
        return E_NOMEM;
    int error = spawn(command, env, &pid);
    free_environment(env);
    if (error) {
        log_error("spawn", "failed reason=\"%s\"", strerror(error));
        return E_IO;
    }
    *out_pid = pid;
    return OK;
}
