/* SPDX-License-Identifier: MIT */
/*
 * lws decodes percent-escapes while it parses and cuts the query at its separators, so the raw
 * query is put together again from the fragments, escaped; proto/query.h then reads it as anyone's.
 * All values are appended to one buf first and turned into spans at the end, when it no longer
 * moves.
 */
#include "streamd/transport/lws_request.h"

#include <libwebsockets.h>
#include <string.h>

enum { TEXT_LIMIT = 64 * 1024, VALUE_MAX = 8192 };

static const struct {
    enum lws_token_indexes token;
    enum method method;
} methods[] = {
    {WSI_TOKEN_GET_URI, METHOD_GET},         {WSI_TOKEN_POST_URI, METHOD_POST},
    {WSI_TOKEN_OPTIONS_URI, METHOD_OPTIONS}, {WSI_TOKEN_HEAD_URI, METHOD_HEAD},
    {WSI_TOKEN_PUT_URI, METHOD_PUT},         {WSI_TOKEN_DELETE_URI, METHOD_DELETE},
    {WSI_TOKEN_PATCH_URI, METHOD_PATCH},
};

/* The headers a request carries, and where in it. Custom ones are not in lws's table. */
#define AT(field) offsetof(struct request, field)
static const struct {
    int token; /* -1: custom */
    const char *custom;
    size_t at;
} headers[] = {
    {WSI_TOKEN_HOST, NULL, AT(host)},
    {WSI_TOKEN_ORIGIN, NULL, AT(origin)},
    {WSI_TOKEN_HTTP_CONTENT_TYPE, NULL, AT(content_type)},
    {WSI_TOKEN_HTTP_CONTENT_ENCODING, NULL, AT(content_encoding)},
    {WSI_TOKEN_HTTP_AUTHORIZATION, NULL, AT(authorization)},
    {WSI_TOKEN_HTTP_IF_NONE_MATCH, NULL, AT(if_none_match)},
    {WSI_TOKEN_HTTP_ACCEPT, NULL, AT(accept)},
    {WSI_TOKEN_HTTP_USER_AGENT, NULL, AT(user_agent)},
    {-1, "last-event-id:", AT(last_event_id)},
    {-1, "access-control-request-method:", AT(access_control_request_method)},
    {-1, "mcp-session-id:", AT(mcp_session_id)},
    {-1, "mcp-protocol-version:", AT(mcp_protocol_version)},
    {-1, "mcp-method:", AT(mcp_method)},
    {-1, "mcp-name:", AT(mcp_name)},
    {-1, "mcp-param-session-id:", AT(mcp_param_session_id)},
    {-1, "mcp-param-operation-id:", AT(mcp_param_operation_id)},
};
#undef AT
enum { HEADERS = sizeof(headers) / sizeof(headers[0]) };

void exchange_init(struct exchange *x, size_t max_body)
{
    *x = (struct exchange){0};
    buf_init(&x->text, TEXT_LIMIT);
    buf_init(&x->body, max_body);
}

void exchange_fini(struct exchange *x)
{
    buf_fini(&x->text);
    buf_fini(&x->body);
}

/* A place in the text, to become a span. */
struct place {
    size_t at;
    size_t len;
};

static struct place add_header(struct buf *text, struct lws *wsi, size_t i)
{
    struct place place = {text->len, 0};
    const char *custom = headers[i].custom;
    enum lws_token_indexes token = (enum lws_token_indexes)headers[i].token;
    int n = custom ? lws_hdr_custom_length(wsi, custom, (int)strlen(custom))
                   : lws_hdr_total_length(wsi, token);
    if (n <= 0 || n > VALUE_MAX || buf_reserve(text, (size_t)n + 1) != OK)
        return place;
    char *to = text->ptr + text->len;
    n = custom ? lws_hdr_custom_copy(wsi, to, n + 1, custom, (int)strlen(custom))
               : lws_hdr_copy(wsi, to, n + 1, token);
    place.len = n > 0 ? (size_t)n : 0;
    text->len += place.len;
    return place;
}

static struct place add_path(struct buf *text, struct lws *wsi, enum method *method)
{
    struct place place = {text->len, 0};
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        int n = lws_hdr_total_length(wsi, methods[i].token);
        if (n <= 0)
            continue;
        *method = methods[i].method;
        if (n <= VALUE_MAX && buf_reserve(text, (size_t)n + 1) == OK) {
            n = lws_hdr_copy(wsi, text->ptr + text->len, n + 1, methods[i].token);
            place.len = n > 0 ? (size_t)n : 0;
            text->len += place.len;
        }
        break;
    }
    return place;
}

static void add_escaped(struct buf *text, struct span value)
{
    static const char hex[] = "0123456789ABCDEF";
    bool named = false;
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                     c == '-' || c == '.' || c == '_' || c == '~' || (c == '=' && !named);
        named = named || c == '=';
        if (plain) {
            buf_add_char(text, (char)c);
        } else {
            char escape[3] = {'%', hex[c >> 4], hex[c & 15]};
            buf_add(text, escape, sizeof(escape));
        }
    }
}

static struct place add_query(struct buf *text, struct lws *wsi)
{
    struct place place = {text->len, 0};
    char fragment[VALUE_MAX];
    int n;
    for (int i = 0; (n = lws_hdr_copy_fragment(wsi, fragment, sizeof(fragment),
                                               WSI_TOKEN_HTTP_URI_ARGS, i)) >= 0;
         i++) {
        if (i > 0)
            buf_add_char(text, '&');
        add_escaped(text, (struct span){fragment, (size_t)n});
    }
    place.len = text->len - place.at;
    return place;
}

/* RFC 9110 12.4.2: a weight of 0 is a no. */
static bool is_refusal(struct span weight)
{
    weight = span_trim(weight);
    if (!span_starts(weight, SPAN("q=0")))
        return false;
    for (size_t i = 3; i < weight.len; i++) {
        if (weight.ptr[i] != '0' && weight.ptr[i] != '.')
            return false;
    }
    return true;
}

static bool header_has(struct lws *wsi, enum lws_token_indexes token, const char *word)
{
    char value[512];
    int n = lws_hdr_copy(wsi, value, sizeof(value), token);
    if (n <= 0)
        return false;
    struct span rest = {value, (size_t)n};
    while (rest.ptr) {
        struct span weight = span_cut(&rest, ',');
        struct span item = span_trim(span_cut(&weight, ';'));
        if (span_is_nocase(item, word) && !is_refusal(weight))
            return true;
    }
    return false;
}

/* Sent at all, be it with nothing behind the colon? */
static bool is_present(struct lws *wsi, enum lws_token_indexes token)
{
    char none[1];
    return lws_hdr_total_length(wsi, token) > 0 ||
           lws_hdr_copy_fragment(wsi, none, sizeof(none), token, 0) == 0;
}

/* RFC 9112 5.1: with white space before its colon it is another header to lws, and maybe the same
 * one to whoever forwarded the request. */
static bool has_disguised_length(struct lws *wsi)
{
    static const char *const names[] = {
        "transfer-encoding :", "transfer-encoding\t:", "content-length :", "content-length\t:"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (lws_hdr_custom_length(wsi, names[i], (int)strlen(names[i])) >= 0)
            return true;
    }
    return false;
}

/* The one DELETE that may say why: of an operation. */
static bool cancels(const struct request *r)
{
    struct span operations = SPAN("/api/v1/operations/");
    return r->method == METHOD_DELETE && r->path.len > operations.len &&
           memcmp(r->path.ptr, operations.ptr, operations.len) == 0;
}

/* RFC 9110 8.6: digits only, once. */
static struct request_fault read_length(struct exchange *x, struct lws *wsi, size_t max_body)
{
    char value[32];
    bool needs_length = x->request.method & (METHOD_POST | METHOD_PUT | METHOD_PATCH);
    bool takes_body = needs_length || cancels(&x->request);
    if (has_disguised_length(wsi))
        return (struct request_fault){400, "White space before the colon of a header"};
    if (is_present(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING))
        return (struct request_fault){501,
                                      "Transfer-Encoding is not supported; send Content-Length"};
    if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH) <= 0)
        return needs_length ? (struct request_fault){411, "Content-Length required"}
                            : (struct request_fault){0};
    int n = lws_hdr_copy(wsi, value, sizeof(value), WSI_TOKEN_HTTP_CONTENT_LENGTH);
    if (n <= 0 || !span_u64((struct span){value, (size_t)n}, &x->content_length))
        return (struct request_fault){400, "Content-Length is not a number"};
    if (!takes_body && x->content_length > 0)
        return (struct request_fault){400, "This method takes no body"};
    if (x->content_length > max_body)
        return (struct request_fault){413, "Body is larger than --max-payload"};
    x->awaits_body = takes_body && x->content_length > 0;
    return (struct request_fault){0};
}

static struct request_fault check(struct exchange *x, struct lws *wsi, size_t max_body)
{
    struct request *r = &x->request;
    if (buf_status(&x->text) != OK || r->path.len == 0)
        return (struct request_fault){431, "Request header is too large"};
    for (size_t i = 0; i < r->path.len; i++) {
        if ((unsigned char)r->path.ptr[i] < 0x20 || r->path.ptr[i] == 0x7f)
            return (struct request_fault){400, "Path holds control characters"};
    }
    if (r->host.len == 0 || memchr(r->host.ptr, ',', r->host.len))
        return (struct request_fault){400, "Exactly one Host header is required"};
    if (r->content_encoding.len > 0 && !span_is_nocase(r->content_encoding, "identity"))
        return (struct request_fault){415, "Content-Encoding is not supported"};
    return read_length(x, wsi, max_body);
}

/* By a proxy, which says so: then the address it comes from is the proxy's. Any of these will do,
 * since a client can hide one of them from lws (`swallowed-line` in docs/reliability.md). */
static bool is_forwarded(struct lws *wsi)
{
    static const char *const names[] = {"forwarded:", "x-forwarded-host:", "x-forwarded-proto:"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (lws_hdr_custom_length(wsi, names[i], (int)strlen(names[i])) >= 0)
            return true;
    }
    return lws_hdr_total_length(wsi, WSI_TOKEN_X_FORWARDED_FOR) > 0 ||
           lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_X_REAL_IP) > 0 ||
           lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_VIA) > 0;
}

/* RFC 9112 2.3. A later 1.x is 1.1 to us (RFC 9110 2.5). */
static bool is_version(const char *text)
{
    return strncmp(text, "HTTP/", 5) == 0 && text[5] >= '0' && text[5] <= '9' && text[6] == '.' &&
           text[7] >= '0' && text[7] <= '9' && text[8] == '\0';
}

struct request_fault exchange_read(struct exchange *x, struct lws *wsi, size_t max_body)
{
    struct request *r = &x->request;
    struct place path = add_path(&x->text, wsi, &r->method);
    struct place query = add_query(&x->text, wsi);
    struct place values[HEADERS];
    for (size_t i = 0; i < HEADERS; i++)
        values[i] = add_header(&x->text, wsi, i);
    const char *base = x->text.ptr;
    r->path = (struct span){base + path.at, path.len};
    r->query = (struct span){base + query.at, query.len};
    for (size_t i = 0; i < HEADERS; i++) {
        struct span *to = (struct span *)(void *)((char *)r + headers[i].at);
        *to = span_trim((struct span){base + values[i].at, values[i].len});
    }
    r->accept_gzip = header_has(wsi, WSI_TOKEN_HTTP_ACCEPT_ENCODING, "gzip");
    r->remote = is_forwarded(wsi);
    char version[sizeof("HTTP/1.1 ")];
    int n = lws_hdr_copy(wsi, version, sizeof(version), WSI_TOKEN_HTTP);
    r->is_1_1 = n > 0 && is_version(version) && version[5] == '1' && version[7] != '0';
    x->expects_continue = r->is_1_1 && header_has(wsi, WSI_TOKEN_HTTP_EXPECT, "100-continue");
    r->keep_alive = r->is_1_1 ? version[7] == '1' && !header_has(wsi, WSI_TOKEN_CONNECTION, "close")
                              : header_has(wsi, WSI_TOKEN_CONNECTION, "keep-alive");
    struct request_fault fault = check(x, wsi, max_body);
    if (fault.status == 0 && (n <= 0 || !is_version(version)))
        return (struct request_fault){400, "HTTP version missing"};
    if (fault.status == 0 && version[5] != '1')
        return (struct request_fault){505, "HTTP/1.1 is spoken here"};
    return fault;
}

struct request_fault exchange_check_upgrade(const struct exchange *x, struct lws *wsi)
{
    char value[64];
    if (x->request.method != METHOD_GET)
        return (struct request_fault){405, "A WebSocket opens with GET"};
    int n = lws_hdr_copy(wsi, value, sizeof(value), WSI_TOKEN_HTTP);
    if (n <= 0 || strcmp(value, "HTTP/1.1") != 0)
        return (struct request_fault){400, "A WebSocket needs HTTP/1.1"};
    if (!header_has(wsi, WSI_TOKEN_CONNECTION, "upgrade"))
        return (struct request_fault){400, "Connection: Upgrade required"};
    n = lws_hdr_copy(wsi, value, sizeof(value), WSI_TOKEN_VERSION);
    if (n <= 0 || !span_is(span_trim((struct span){value, (size_t)n}), "13"))
        return (struct request_fault){426, "Sec-WebSocket-Version 13 is spoken here"};
    n = lws_hdr_copy(wsi, value, sizeof(value), WSI_TOKEN_KEY);
    if (n != 24 || strcmp(value + 22, "==") != 0)
        return (struct request_fault){400, "Sec-WebSocket-Key is missing or not 16 bytes"};
    return (struct request_fault){0};
}
