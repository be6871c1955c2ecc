/* SPDX-License-Identifier: MIT */
#include "streamd/daemon.h"

#include "streamd/app.h"
#include "streamd/http/assets_find.h"
#include "streamd/http/page.h"
#include "streamd/loop.h"
#include "streamd/memory_bound.h"
#include "streamd/notices.h"
#include "streamd/notify/notify.h"
#include "streamd/options.h"
#include "streamd/service.h"
#include "streamd/store/store_memory.h"
#include "streamd/store/store_sqlite.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *environment(const char *name)
{
    return getenv(name);
}

/* Without --web the page is looked for beside the program, unless that has one in itself. */
static void find_page(struct config *config)
{
    char exe[CONFIG_TEXT_MAX];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
    if (config->web_dir || page_files->path || n <= 0)
        return;
    exe[n] = '\0';
    if (assets_find(exe, config->derived_web, sizeof(config->derived_web)))
        config->web_dir = config->derived_web;
}

/* NULL after logging why. */
static struct store *open_store(const struct config *config)
{
    char why[STORE_WHY_MAX] = "";
    struct store *store =
        config->ephemeral ? store_memory_create() : store_sqlite_open(config->data_dir, why);
    if (!store)
        log_error("store", "cannot open reason=\"%s\"", why[0] ? why : "out of memory");
    else if (why[0])
        log_error("store", "opened with losses reason=\"%s\"", why);
    return store;
}

static int serve(const struct config *config, struct notify *notify, const struct service *service,
                 daemon_setup_fn *setup)
{
    struct store *store = open_store(config);
    struct app *app = NULL;
    if (store)
        app = app_create(&(struct app_params){.config = config, .store = store}, clock_read());
    if (!app)
        return 1;
    app->registry.notify = notify;
    if (setup)
        setup(app);
    struct memory_bound bound = memory_bound(config);
    memory_bound_log(&bound);
    struct loop *loop = loop_create(app, service);
    int status = loop ? loop_run(loop) : 1;
    loop_destroy(loop);
    app_destroy(app);
    return status;
}

static int run(const struct config *config, const struct service *service, daemon_setup_fn *setup)
{
    struct notify *notify;
    if (!notices_open(config, &notify))
        return 1;
    int status = serve(config, notify, service, setup);
    notify_destroy(notify);
    return status;
}

int daemon_main(int argc, char **argv, daemon_setup_fn *setup)
{
    struct config config;
    switch (options_parse(argc, argv, environment, stdout, stderr, &config)) {
    case OPTIONS_RUN:
        break;
    case OPTIONS_DONE:
        return 0;
    case OPTIONS_BAD:
        return 2;
    }
    log_set_level(config.log_level);
    struct service service;
    if (!service_take(&service) || !service_become_user(&config))
        return 1;
    service_hide(&config);
    config.socket_fd = service.unix_fd > 0 ? service.unix_fd : 0;
    find_page(&config);
    return run(&config, &service, setup);
}
