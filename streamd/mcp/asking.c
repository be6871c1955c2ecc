/* SPDX-License-Identifier: MIT */
/*
 * tools/call, resources/read, prompts/get: finding the row, and holding what came against it.
 *
 * What is wrong with a tool's arguments is a result with isError, since the model that made them
 * can make better ones; that there is no such tool is an error of the protocol.
 */
#include "streamd/mcp/method.h"

#include "proto/json_schema.h"
#include "proto/json_write.h"
#include "proto/query.h"
#include "streamd/auth/guard.h"

#include <assert.h>
#include <string.h>

enum { WHY_MAX = 4096 };

static void refuse(struct mcp_work *w, const char *why)
{
    mcp_work_fail(w, JSONRPC_INVALID_PARAMS, span_of(why), (struct span){0});
}

/* "Unknown tool: x" */
static void refuse_name(struct mcp_work *w, const char *what, struct span name)
{
    struct buf why;
    buf_init(&why, WHY_MAX);
    buf_add_str(&why, what);
    buf_add_span(&why, name.len <= 128 ? name : SPAN("one with a long name"));
    mcp_work_fail(w, JSONRPC_INVALID_PARAMS, buf_span(&why), (struct span){0});
    buf_fini(&why);
}

/* An empty object, for a call that came without arguments; it lives with the params. */
static bool take_arguments(struct mcp_work *w)
{
    const struct fields *arguments = fields_any(w->params, "arguments");
    static const char none[] = "{}";
    if (arguments && fields_is_object(arguments)) {
        w->call.arguments = arguments;
        return true;
    }
    if (arguments) {
        refuse(w, "arguments must be an object");
        return false;
    }
    if (fields_parse(span_of(none), &w->no_arguments, NULL) == OK) {
        w->call.arguments = w->no_arguments;
        return true;
    }
    mcp_work_fail(w, JSONRPC_INTERNAL_ERROR, SPAN("Out of memory"), (struct span){0});
    return false;
}

/* ---- tools ---- */

/* Right, or answered. */
static bool arguments_fit(struct mcp_work *w, const struct mcp_tool *tool)
{
    struct fields *schema = NULL;
    struct buf why;
    bool fit = false;
    buf_init(&why, WHY_MAX);
    if (fields_parse(span_of(tool->input_schema), &schema, NULL) != OK)
        mcp_work_fail(w, JSONRPC_INTERNAL_ERROR, SPAN("Out of memory"), (struct span){0});
    else if (json_schema_check(schema, w->call.arguments, "arguments", &why))
        fit = true;
    else
        mcp_call_fail(&w->call, buf_span(&why));
    fields_destroy(schema);
    buf_fini(&why);
    return fit;
}

/* May who asks call it? Else it is refused. */
static bool may_call(struct mcp_work *w, const struct mcp_tool *tool)
{
    char why[GUARD_WHY_MAX];
    assert(tool->scope != SCOPE_PUBLIC);
    if (guard_allows(w->call.caller, tool->scope, why))
        return true;
    mcp_work_refuse(w, guard_status(w->call.caller), MCP_FORBIDDEN, why, (struct span){0});
    return false;
}

void mcp_call_tool(struct mcp_work *w)
{
    struct span name;
    if (!fields_string(w->params, "name", &name)) {
        refuse(w, "name must be a string");
        return;
    }
    w->asked = MCP_ASKS_TOOL;
    w->tool = mcp_tool_find(w->mcp, w->set, name);
    if (!w->tool) {
        refuse_name(w, "Unknown tool: ", name);
        return;
    }
    if (may_call(w, w->tool) && take_arguments(w) && arguments_fit(w, w->tool))
        w->tool->call(&w->call);
}

/* ---- resources ---- */

/* Takes `uri` apart by the template, decoding into `room`; false when it is another's. */
static bool match_template(const char *pattern, struct span uri, char *room, struct span *out)
{
    const char *open = strchr(pattern, '{');
    const char *close = open ? strchr(open, '}') : NULL;
    assert(close);
    struct span before = {pattern, (size_t)(open - pattern)};
    struct span after = span_of(close + 1);
    if (uri.len <= before.len + after.len || uri.len > MCP_URI_MAX || !span_starts(uri, before) ||
        !span_eq((struct span){uri.ptr + uri.len - after.len, after.len}, after))
        return false;
    struct span value = {uri.ptr + before.len, uri.len - before.len - after.len};
    size_t len;
    if (memchr(value.ptr, '/', value.len) || !url_decode(value, room, MCP_URI_MAX, &len))
        return false;
    *out = (struct span){room, len};
    return true;
}

static mcp_fn *find_resource(struct mcp_work *w, struct span uri)
{
    const struct mcp_resource *row;
    const struct mcp_template *template;
    for (size_t i = 0; (row = mcp_resource_at(w->mcp, w->set, i)) != NULL; i++) {
        if (span_is(uri, row->uri))
            return row->read;
    }
    for (size_t i = 0; (template = mcp_template_at(w->mcp, w->set, i)) != NULL; i++) {
        if (match_template(template->uri_template, uri, w->variable, &w->call.variable))
            return template->read;
    }
    return NULL;
}

void mcp_read_resource(struct mcp_work *w)
{
    if (!fields_string(w->params, "uri", &w->call.uri)) {
        refuse(w, "uri must be a string");
        return;
    }
    w->asked = MCP_ASKS_RESOURCE;
    mcp_fn *read = find_resource(w, w->call.uri);
    if (read)
        read(&w->call);
    else
        mcp_call_not_found(&w->call);
}

/* ---- prompts ---- */

static const struct mcp_prompt *find_prompt(const struct mcp_work *w, struct span name)
{
    const struct mcp_prompt *prompt;
    for (size_t i = 0; (prompt = mcp_prompt_at(w->mcp, w->set, i)) != NULL; i++) {
        if (span_is(name, prompt->name))
            return prompt;
    }
    return NULL;
}

/* All are strings, and the required ones are there; else the name of one that is not. */
static const char *wrong_argument(const struct mcp_prompt *prompt, const struct fields *arguments)
{
    struct span text;
    for (const struct mcp_argument *a = prompt->arguments; a && a->name; a++) {
        bool there = fields_has(arguments, a->name);
        if (there ? !fields_string(arguments, a->name, &text) : a->required)
            return a->name;
    }
    return NULL;
}

void mcp_get_prompt(struct mcp_work *w)
{
    struct span name;
    if (!fields_string(w->params, "name", &name)) {
        refuse(w, "name must be a string");
        return;
    }
    w->asked = MCP_ASKS_PROMPT;
    const struct mcp_prompt *prompt = find_prompt(w, name);
    if (!prompt) {
        refuse_name(w, "Unknown prompt: ", name);
        return;
    }
    if (!take_arguments(w))
        return;
    const char *wrong = wrong_argument(prompt, w->call.arguments);
    if (wrong)
        refuse_name(w, "This argument must be there, and a string: ", span_of(wrong));
    else
        prompt->get(&w->call);
}
