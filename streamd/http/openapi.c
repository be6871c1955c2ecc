/* SPDX-License-Identifier: MIT */
/*
 * What bodies and answers look like is in docs/protocol.md; here they are objects, and that is what
 * is promised of them.
 */
#include "streamd/http/openapi.h"

#include "proto/json_write.h"
#include "streamd/app.h"
#include "streamd/options.h"

#include <string.h>

static const struct {
    const char *name;
    enum method method;
    bool has_body;
} methods[] = {
    {"get", METHOD_GET, false},    {"post", METHOD_POST, true},      {"put", METHOD_PUT, true},
    {"patch", METHOD_PATCH, true}, {"delete", METHOD_DELETE, false},
};

enum { METHODS = sizeof(methods) / sizeof(methods[0]) };

static bool takes_tail(const struct route *route)
{
    return route->pattern[strlen(route->pattern) - 1] == '/';
}

static bool takes_id(const struct route *route)
{
    return takes_tail(route) || strstr(route->pattern, "{id}");
}

void openapi_write_path(const struct route *route, struct buf *out)
{
    buf_add_str(out, route->pattern);
    if (takes_tail(route))
        buf_add_str(out, "{id}");
}

static void write_scope(enum scope scope, struct buf *out)
{
    char words[SCOPES_TEXT_MAX];
    json_write_name(out, "security");
    if (scope == SCOPE_PUBLIC)
        buf_add_str(out, "[]");
    else
        buf_addf(out, "[{\"token\":[\"%s\"]}]", scopes_text(scope, words));
}

static void write_method(const struct route *route, size_t m, struct buf *out)
{
    json_write_name(out, methods[m].name);
    buf_add_char(out, '{');
    json_write_pair_string(out, "summary", span_of(route->summary));
    if (methods[m].has_body)
        json_write_pair_raw(out, "requestBody",
                            SPAN("{\"content\":{\"application/json\":{\"schema\":{\"type\":"
                                 "\"object\"}}}}"));
    write_scope(route->scope, out);
    json_write_pair_raw(out, "responses",
                        SPAN("{\"200\":{\"description\":\"done\"},\"default\":{\"description\":"
                             "\"refused, and why\"}}"));
    buf_add_char(out, '}');
}

static void write_methods(const struct route *route, struct buf *out)
{
    for (size_t m = 0; m < METHODS; m++) {
        if (route->methods & methods[m].method)
            write_method(route, m, out);
    }
}

/* Several rows may be about one path. */
static bool is_first(const struct route *table, const struct route *route)
{
    for (const struct route *r = table; r < route; r++) {
        if (strcmp(r->pattern, route->pattern) == 0)
            return false;
    }
    return true;
}

static void write_path(const struct route *route, struct buf *out)
{
    json_write_comma(out);
    buf_add_char(out, '"');
    openapi_write_path(route, out);
    buf_add_str(out, "\":{");
    if (takes_id(route))
        json_write_pair_raw(out, "parameters",
                            SPAN("[{\"name\":\"id\",\"in\":\"path\",\"required\":true,\"schema\":{"
                                 "\"type\":\"string\"}}]"));
    for (const struct route *r = route; r->pattern; r++) {
        if (strcmp(r->pattern, route->pattern) == 0)
            write_methods(r, out);
    }
    buf_add_char(out, '}');
}

void openapi_answer(struct app *app, const struct request *req, struct reply *reply)
{
    struct buf *out = &reply->body;
    (void)req;
    buf_add_str(out, "{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"streamd\"");
    json_write_pair_string(out, "version", span_of(STREAMD_VERSION));
    buf_add_str(out, "},\"paths\":{");
    const struct route *const *tables = app->relay ? route_tables_relay : route_tables;
    for (size_t t = 0; tables[t]; t++) {
        for (const struct route *r = tables[t]; r->pattern; r++) {
            if (is_first(tables[t], r))
                write_path(r, out);
        }
    }
    buf_add_str(out, "},\"components\":{\"securitySchemes\":{\"token\":{\"type\":\"http\","
                     "\"scheme\":\"bearer\"}}}}");
}
