/* SPDX-License-Identifier: MIT */
#include "streamd/notices.h"

#include "streamd/notify/notify.h"

#include <string.h>

static bool read_severity(const char *name, enum severity *out)
{
    for (int s = SEVERITY_INFO; s <= SEVERITY_CRITICAL; s++) {
        *out = (enum severity)s;
        if (strcmp(name, severity_name(*out)) == 0)
            return true;
    }
    return false;
}

static const char *read_rules(const struct config *config, struct gate_rules *out)
{
    if (!read_severity(config->notify_from, &out->threshold))
        return "notify-from must be info, warning or critical";
    if (config->quiet_hours && !gate_parse_quiet(config->quiet_hours, out))
        return "quiet-hours must be HH:MM-HH:MM";
    return NULL;
}

bool notices_open(const struct config *config, struct notify **out)
{
    struct notify_options options = {.telegram_token = config->telegram_token,
                                     .telegram_chat = config->telegram_chat,
                                     .webhook_url = config->webhook,
                                     .webhook_body = config->webhook_body};
    const char *why = read_rules(config, &options.rules);
    bool telegram = config->telegram_token && config->telegram_chat;
    *out = NULL;
    if (!why && (telegram || config->webhook))
        *out = notify_create(&options, &why);
    else if (!why)
        return true;
    if (!*out)
        log_error("notify", "cannot tell anybody reason=\"%s\"", why);
    return *out;
}
