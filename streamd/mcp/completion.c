/* SPDX-License-Identifier: MIT */
/* completion/complete: what an argument of a prompt, or the variable of a template, may become. */
#include "streamd/mcp/method.h"

#include "proto/json_write.h"

static mcp_complete_fn *of_prompt(const struct mcp_work *w, struct span name, struct span argument)
{
    const struct mcp_prompt *prompt;
    for (size_t i = 0; (prompt = mcp_prompt_at(w->mcp, w->set, i)) != NULL; i++) {
        if (!span_is(name, prompt->name))
            continue;
        for (const struct mcp_argument *a = prompt->arguments; a && a->name; a++) {
            if (span_is(argument, a->name))
                return a->complete;
        }
    }
    return NULL;
}

static mcp_complete_fn *of_template(const struct mcp_work *w, struct span uri)
{
    const struct mcp_template *template;
    for (size_t i = 0; (template = mcp_template_at(w->mcp, w->set, i)) != NULL; i++) {
        if (span_is(uri, template->uri_template))
            return template->complete;
    }
    return NULL;
}

/* What is asked about; NULL when there is nothing to complete, which is no error. */
static mcp_complete_fn *find(const struct mcp_work *w, const struct fields *ref,
                             struct span argument)
{
    struct span text;
    if (fields_string(ref, "name", &text))
        return of_prompt(w, text, argument);
    return fields_string(ref, "uri", &text) ? of_template(w, text) : NULL;
}

void mcp_complete(struct mcp_work *w)
{
    const struct fields *ref = fields_object(w->params, "ref");
    const struct fields *argument = fields_object(w->params, "argument");
    struct span name;
    struct span typed;
    if (!ref || !argument || !fields_string(argument, "name", &name) ||
        !fields_string(argument, "value", &typed)) {
        mcp_work_fail(w, JSONRPC_INVALID_PARAMS,
                      SPAN("ref and argument must be objects, argument with name and value"),
                      (struct span){0});
        return;
    }
    mcp_complete_fn *complete = find(w, ref, name);
    struct buf *out = mcp_work_open(w);
    json_write_name(out, "completion");
    buf_add_str(out, "{\"values\":[");
    if (complete)
        complete(w->call.app, typed, out);
    buf_add_str(out, "]}");
    mcp_work_close(w);
}
