/* SPDX-License-Identifier: MIT */
/*
 * relay: the daemon's frame around a relay in place of its runs (decision 015). What is not said
 * here, limits above all, comes from the daemon's own STREAMD_* variables.
 */
#include "streamd/relay/relay.h"

#include "streamd/app.h"
#include "streamd/log.h"
#include "streamd/loop.h"
#include "streamd/tools/look.h"
#include "streamd/tools/tool_options.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SPOOL_BYTES_MIN = 1024 * 1024, FOLDER_MAX = CONFIG_TEXT_MAX + 8 };

#define SPOOL_BYTES_DEFAULT (1024ULL * 1024 * 1024)

struct relay_flags {
    const char *to;
    const char *listen;
    const char *socket;
    const char *spool;
    const char *spool_bytes;
    const char *ca_file;
    const char *token_file;
};

#define AT(field) offsetof(struct relay_flags, field)

const struct tool_option relay_options[] = {
    {"to", "URL", NULL, "the hub: http(s)://HOST[:PORT][/PATH], or ws(s)", AT(to)},
    {"socket", "PATH", NULL, "the trainers' Unix socket (default: the daemon's)", AT(socket)},
    {"listen", "ADDR:PORT", NULL, "where to take POSTs (default: 127.0.0.1:5001)", AT(listen)},
    {"spool", "DIR", NULL, "what the hub has not taken (default: DATA/relay)", AT(spool)},
    {"spool-bytes", "N", NULL,
     "of a run's file, past which its trainer is made to wait (default: 1 GiB)", AT(spool_bytes)},
    {"ca-file", "FILE", NULL, "who may sign the hub's certificate (default: the system's)",
     AT(ca_file)},
    {"token-file", "FILE", NULL, "what the hub asks for (default: $STREAMD_TOKEN)", AT(token_file)},
    {0}};

struct relay_setup {
    const struct tool *tool;
    struct relay_flags flags;
    struct config config;
    struct upstream hub;
    struct relay_params params;
    char folder[FOLDER_MAX];
};

/* TOOL_GOOD, or what to exit with. */
static int read_token_file(struct relay_setup *s, const char *path)
{
    char text[UPSTREAM_TOKEN_MAX + 64];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof(text)) : -1;
    int kept = errno;
    if (fd >= 0)
        (void)close(fd);
    if (n < 0)
        return tool_fail(s->tool, "--token-file %s: %s", path, strerror(kept));
    const char *why = upstream_set_token(&s->hub, (struct span){text, (size_t)n});
    return why ? tool_refuse(s->tool, "--token-file %s: %s", path, why) : TOOL_GOOD;
}

static int read_token(struct relay_setup *s)
{
    const char *variable = getenv("STREAMD_TOKEN");
    if (s->flags.token_file)
        return read_token_file(s, s->flags.token_file);
    if (!variable || !*variable)
        return TOOL_GOOD;
    const char *why = upstream_set_token(&s->hub, span_of(variable));
    return why ? tool_refuse(s->tool, "$STREAMD_TOKEN: %s", why) : TOOL_GOOD;
}

/* Flags over the daemon's own options. TOOL_GOOD, or what to exit with. */
static int read_config(struct relay_setup *s)
{
    const struct relay_flags *f = &s->flags;
    uint64_t bytes = SPOOL_BYTES_DEFAULT;
    if (!tool_config(&s->config, NULL))
        return TOOL_USAGE;
    log_set_level(s->config.log_level);
    s->config.token_file = getenv("STREAMD_TOKEN_FILE"); /* who may post here */
    if (f->spool_bytes && (!span_u64(span_of(f->spool_bytes), &bytes) || bytes < SPOOL_BYTES_MIN))
        return tool_refuse(s->tool, "--spool-bytes %s: expected a number from 1048576 on",
                           f->spool_bytes);
    if (f->listen) {
        s->config.listen[0] = f->listen;
        s->config.listen_count = 1;
    }
    if (f->socket)
        s->config.socket_path = f->socket;
    (void)snprintf(s->folder, sizeof(s->folder), "%s/relay", s->config.data_dir);
    s->params = (struct relay_params){.hub = &s->hub,
                                      .to = f->to,
                                      .folder = f->spool ? f->spool : s->folder,
                                      .spool_bytes = bytes,
                                      .config = &s->config};
    return TOOL_GOOD;
}

static struct relay *create_relay(struct relay_setup *s, struct app *app)
{
    s->params.stats = &app->stats;
    s->params.timers = &app->timers;
    s->params.decoder = &app->decoder;
    s->params.now = &app->now;
    s->params.seed = app->registry.by_id.seed;
    app->relay = relay_create(&s->params);
    app->peers.mounts = NULL; /* nobody is to be shown anything */
    return app->relay;
}

static int serve(struct relay_setup *s)
{
    int status = TOOL_BAD;
    struct loop *loop = NULL;
    struct app *app = app_create(&(struct app_params){.config = &s->config}, clock_read());
    struct relay *relay = app ? create_relay(s, app) : NULL;
    if (relay)
        loop = loop_create(app);
    if (loop)
        status = loop_run(loop);
    loop_destroy(loop);
    relay_destroy(relay);
    app_destroy(app);
    return status;
}

static int run(struct relay_setup *s)
{
    const char *why = s->flags.to ? upstream_init(&s->hub, s->flags.to) : "no hub is named";
    if (why)
        return tool_refuse(s->tool, "--to: %s", why);
    s->hub.ca_file = s->flags.ca_file;
    int exit = read_config(s);
    if (exit == TOOL_GOOD && s->hub.ca_file && access(s->hub.ca_file, R_OK) != 0)
        exit = tool_fail(s->tool, "--ca-file %s: %s", s->hub.ca_file, strerror(errno));
    if (exit == TOOL_GOOD)
        exit = read_token(s);
    if (exit == TOOL_GOOD && upstream_leaks_token(&s->hub))
        log_warn("relay", "the token goes to %s unencrypted: use https", s->hub.host);
    if (exit == TOOL_GOOD)
        exit = serve(s);
    upstream_fini(&s->hub);
    return exit;
}

int tool_relay(const struct tool *tool, int argc, char **argv)
{
    int count;
    int exit;
    struct relay_setup *s = calloc(1, sizeof(*s));
    if (!s)
        return tool_fail(tool, "out of memory");
    s->tool = tool;
    if (tool_begin(tool, argc, argv, &s->flags, &count, &exit))
        exit =
            count > 0 ? tool_refuse(tool, "it takes no argument; name the hub with --to") : run(s);
    free(s);
    return exit;
}
