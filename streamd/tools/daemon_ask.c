/* SPDX-License-Identifier: MIT */
#include "streamd/tools/daemon_ask.h"

#include "streamd/tools/tool_options.h"

enum { REQUEST_MAX = 65536 };

void daemon_ask_init(struct daemon_ask *a, const struct tool *tool, const struct daemon_flags *with,
                     const char *path)
{
    *a = (struct daemon_ask){.tool = tool, .with = with};
    buf_init(&a->path, REQUEST_MAX);
    buf_init(&a->body, REQUEST_MAX);
    buf_init(&a->answer, DAEMON_ANSWER_MAX);
    buf_add_str(&a->path, path);
}

void daemon_ask_fini(struct daemon_ask *a)
{
    fields_destroy(a->fields);
    buf_fini(&a->path);
    buf_fini(&a->body);
    buf_fini(&a->answer);
}

/* The daemon's own words, which come in two shapes. */
static int refused(const struct daemon_ask *a)
{
    struct span why = {NULL, 0};
    const struct fields *error = a->fields ? fields_object(a->fields, "error") : NULL;
    bool told = a->fields && (fields_string(a->fields, "detail", &why) ||
                              fields_string(a->fields, "error", &why) ||
                              (error && fields_string(error, "message", &why)));
    if (told)
        return tool_fail(a->tool, "%.*s", (int)why.len, why.ptr);
    return tool_fail(a->tool, "the daemon answers %d", a->status);
}

int daemon_ask_text(struct daemon_ask *a, const char *method)
{
    buf_add_char(&a->path, '\0');
    if (buf_status(&a->path) != OK || buf_status(&a->body) != OK)
        return tool_fail(a->tool, "the id or the reason is too long");
    const struct daemon_call call = {.url = a->with->url,
                                     .ca_file = a->with->ca_file,
                                     .method = method,
                                     .path = a->path.ptr,
                                     .body = buf_span(&a->body)};
    const char *why = daemon_call(&call, &a->status, &a->answer);
    if (why)
        return tool_fail(a->tool, "%s", why);
    if (a->status == 200)
        return TOOL_GOOD;
    if (fields_parse(buf_span(&a->answer), &a->fields, NULL) != OK)
        a->fields = NULL;
    return refused(a);
}

int daemon_ask_send(struct daemon_ask *a, const char *method)
{
    int result = daemon_ask_text(a, method);
    if (result != TOOL_GOOD)
        return result;
    if (fields_parse(buf_span(&a->answer), &a->fields, NULL) != OK)
        return tool_fail(a->tool, "what answers there is no daemon of ours");
    a->data = fields_object(a->fields, "data");
    return TOOL_GOOD;
}

void daemon_ask_print(const struct daemon_ask *a)
{
    (void)printf("%.*s\n", (int)a->answer.len, a->answer.ptr);
}
