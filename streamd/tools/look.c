/* SPDX-License-Identifier: MIT */
#include "streamd/tools/look.h"

#include "streamd/options.h"
#include "streamd/session/registry_look.h"
#include "streamd/store/store_sqlite.h"
#include "streamd/tools/tool_options.h"

#include <stdlib.h>

static const char *environment(const char *name)
{
    return getenv(name);
}

bool tool_config(struct config *config, const char *data)
{
    static char program[] = "streamd";
    char *argv[] = {program, NULL};
    if (options_parse(1, argv, environment, stdout, stderr, config) != OPTIONS_RUN)
        return false;
    if (data)
        config->data_dir = data;
    config->compression = false;
    config->web_dir = NULL;
    config->token_file = NULL;
    config->trainer_command = NULL;
    log_set_level(LOG_ERROR);
    return true;
}

bool look_open(struct look *l, const struct tool *tool, const char *data, int *out_exit)
{
    char why[STORE_WHY_MAX] = "";
    *out_exit = TOOL_USAGE;
    if (!tool_config(&l->config, data))
        return false;
    *out_exit = TOOL_BAD;
    l->store = store_sqlite_open_readonly(l->config.data_dir, why);
    if (l->store)
        l->app = app_create(&(struct app_params){.config = &l->config}, clock_read());
    if (l->app && registry_look_begin(&l->app->registry, l->store) == OK)
        return true;
    (void)tool_fail(tool, "%s", why[0] ? why : status_text(E_NOMEM));
    look_close(l);
    return false;
}

void look_close(struct look *l)
{
    registry_look_end(l->at);
    l->at = NULL;
    app_destroy(l->app);
    l->app = NULL;
    if (l->store)
        l->store->ops->destroy(l->store);
    l->store = NULL;
}

enum status look_next(struct look *l)
{
    registry_look_end(l->at);
    l->at = NULL;
    enum status status = l->store->ops->next_session(l->store, l->row.key, &l->row);
    if (status == E_MALFORMED && l->row.key > INT64_MAX)
        return E_IO; /* whether there is another one cannot be read */
    return status == OK ? registry_look(&l->app->registry, &l->row, &l->at) : status;
}

void look_rewind(struct look *l)
{
    l->row.key = 0;
}
