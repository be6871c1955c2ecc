/* SPDX-License-Identifier: MIT */
/*
 * lws hands out a header by its name alone, so those that schemas may ask for are members of the
 * request; a schema that asks for another is met by nobody, and a test finds that out.
 */
#include "streamd/mcp/param_header.h"

#include "proto/base64.h"

#include <stddef.h>
#include <string.h>

bool mcp_header_is(struct span header, struct span value)
{
    struct span open = SPAN("=?base64?");
    bool encoded = header.len >= open.len + 2 && span_starts(header, open) &&
                   memcmp(header.ptr + header.len - 2, "?=", 2) == 0;
    struct buf text;
    if (!encoded)
        return span_eq(header, value);
    buf_init(&text, header.len);
    struct span coded = {header.ptr + open.len, header.len - open.len - 2};
    bool same = base64_decode(&text, coded) == OK && span_eq(buf_span(&text), value);
    buf_fini(&text);
    return same;
}

/* NULL: it is none that we read. */
static const struct span *find_header(const struct request *req, struct span name)
{
    static const struct {
        const char *name;
        size_t at;
    } headers[] = {
        {"Session-Id", offsetof(struct request, mcp_param_session_id)},
        {"Operation-Id", offsetof(struct request, mcp_param_operation_id)},
    };
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        if (span_is_nocase(name, headers[i].name))
            return (const struct span *)(const void *)((const char *)req + headers[i].at);
    }
    return NULL;
}

/* An argument that is no text is the schema's to refuse. */
static bool property_fits(const struct fields *property, const struct request *req,
                          const struct fields *arguments)
{
    struct span name;
    struct span value;
    if (!fields_string(property, "x-mcp-header", &name))
        return true;
    const struct span *header = find_header(req, name);
    const struct fields *argument = arguments ? fields_any(arguments, fields_name(property)) : NULL;
    if (!argument)
        return !header || header->len == 0;
    return !fields_as_string(argument, &value) || (header && mcp_header_is(*header, value));
}

bool mcp_param_headers_fit(const struct mcp *mcp, const struct mcp_set *set,
                           const struct request *req, const struct fields *params)
{
    struct span name;
    struct fields *schema = NULL;
    bool fit = true;
    const struct mcp_tool *tool =
        fields_string(params, "name", &name) ? mcp_tool_find(mcp, set, name) : NULL;
    if (!tool || !strstr(tool->input_schema, "x-mcp-header") ||
        fields_parse(span_of(tool->input_schema), &schema, NULL) != OK)
        return true;
    const struct fields *properties = fields_object(schema, "properties");
    const struct fields *arguments = fields_object(params, "arguments");
    for (const struct fields *at = fields_first(properties); at && fit; at = fields_next(at))
        fit = property_fits(at, req, arguments);
    fields_destroy(schema);
    return fit;
}
