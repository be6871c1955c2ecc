/* SPDX-License-Identifier: MIT */
#include "streamd/mcp/method.h"

#include <string.h>

enum { LEGACY = 1, MODERN = 2, BOTH = LEGACY | MODERN };

static const struct method {
    const char *name;
    unsigned eras;
    mcp_method_fn *run;
    const char *subject; /* the member of its params that Mcp-Name repeats */
} methods[] = {
    {"initialize", LEGACY, mcp_initialize, NULL},
    {"ping", LEGACY, mcp_ping, NULL},
    {"logging/setLevel", LEGACY, mcp_set_level, NULL},
    {"resources/subscribe", LEGACY, mcp_subscribe_resource, NULL},
    {"resources/unsubscribe", LEGACY, mcp_unsubscribe_resource, NULL},
    {"server/discover", MODERN, mcp_discover, NULL},
    {"subscriptions/listen", MODERN, mcp_listen, NULL},
    {"tools/list", BOTH, mcp_list_tools, NULL},
    {"tools/call", BOTH, mcp_call_tool, "name"},
    {"resources/list", BOTH, mcp_list_resources, NULL},
    {"resources/templates/list", BOTH, mcp_list_templates, NULL},
    {"resources/read", BOTH, mcp_read_resource, "uri"},
    {"prompts/list", BOTH, mcp_list_prompts, NULL},
    {"prompts/get", BOTH, mcp_get_prompt, "name"},
    {"completion/complete", BOTH, mcp_complete, NULL},
};

static const struct method *find(const char *name)
{
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        if (strcmp(methods[i].name, name) == 0)
            return &methods[i];
    }
    return NULL;
}

void mcp_method_run(struct mcp_work *w, const char *name)
{
    const struct method *method = find(name);
    bool modern = mcp_is_modern(w->version);
    if (method && (method->eras & (modern ? MODERN : LEGACY)))
        method->run(w);
    else
        mcp_work_refuse(w, modern ? 404 : 200, JSONRPC_METHOD_NOT_FOUND, "Method not found",
                        (struct span){0});
}

const char *mcp_method_subject(const char *name)
{
    const struct method *method = find(name);
    return method ? method->subject : NULL;
}

bool mcp_method_is_modern(const char *name)
{
    const struct method *method = find(name);
    return method && method->eras == MODERN;
}
