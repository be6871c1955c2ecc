/* SPDX-License-Identifier: MIT */
/*
 * The body is known when the headers are written, so its length is simply written; only the gzip
 * form needs a buf of its own, and that is kept for the next answer. Nothing here formats with
 * printf: an answer of 500 bytes must cost a few microseconds, most of them the route's.
 *
 * 304 is made here and not in the routes: a route always answers what a plain GET asked, and what
 * the client already has is taken off at the end. That costs a poller the making of a body it does
 * not get; bodies with an ETag are a cached record.
 */
#include "streamd/http/cors.h"
#include "streamd/http/reply.h"

#include <string.h>
#include <time.h>

enum { ETAG_DIGITS = 16 };

#define REASONS(X)                                                                                 \
    X(200, "OK")                                                                                   \
    X(202, "Accepted")                                                                             \
    X(204, "No Content")                                                                           \
    X(307, "Temporary Redirect")                                                                   \
    X(304, "Not Modified")                                                                         \
    X(400, "Bad Request")                                                                          \
    X(401, "Unauthorized")                                                                         \
    X(403, "Forbidden")                                                                            \
    X(404, "Not Found")                                                                            \
    X(405, "Method Not Allowed")                                                                   \
    X(406, "Not Acceptable")                                                                       \
    X(408, "Request Timeout")                                                                      \
    X(409, "Conflict")                                                                             \
    X(411, "Length Required")                                                                      \
    X(413, "Content Too Large")                                                                    \
    X(415, "Unsupported Media Type")                                                               \
    X(421, "Misdirected Request")                                                                  \
    X(422, "Unprocessable Content")                                                                \
    X(426, "Upgrade Required")                                                                     \
    X(429, "Too Many Requests")                                                                    \
    X(431, "Request Header Fields Too Large")                                                      \
    X(500, "Internal Server Error")                                                                \
    X(501, "Not Implemented")                                                                      \
    X(503, "Service Unavailable")                                                                  \
    X(505, "HTTP Version Not Supported")

static const char *status_line(int status)
{
    switch (status) {
#define REASON_CASE(code, text)                                                                    \
    case code:                                                                                     \
        return "HTTP/1.1 " #code " " text "\r\n";
        REASONS(REASON_CASE)
#undef REASON_CASE
    default:
        return "HTTP/1.1 500 Internal Server Error\r\n";
    }
}

static void add_digits(struct buf *out, int value, int digits)
{
    char text[4];
    for (int i = digits; i-- > 0; value /= 10)
        text[i] = (char)('0' + value % 10);
    buf_add(out, text, (size_t)digits);
}

/* RFC 9110, 5.6.7: Sun, 06 Nov 1994 08:49:37 GMT */
static void add_date(struct buf *out, double wall_s)
{
    static const char days[] = "Sun, Mon, Tue, Wed, Thu, Fri, Sat, ";
    static const char months[] = " Jan  Feb  Mar  Apr  May  Jun  Jul  Aug  Sep  Oct  Nov  Dec ";
    time_t seconds = (time_t)wall_s;
    struct tm t;
    if (!gmtime_r(&seconds, &t) || t.tm_year < 0 || t.tm_year > 9999 - 1900)
        return;
    buf_add_str(out, "Date: ");
    buf_add(out, days + 5 * (size_t)t.tm_wday, 5);
    add_digits(out, t.tm_mday, 2);
    buf_add(out, months + 5 * (size_t)t.tm_mon, 5);
    add_digits(out, t.tm_year + 1900, 4);
    const int clock[] = {t.tm_hour, t.tm_min, t.tm_sec};
    for (size_t i = 0; i < 3; i++) {
        buf_add_char(out, i == 0 ? ' ' : ':');
        add_digits(out, clock[i], 2);
    }
    buf_add_str(out, " GMT\r\n");
}

/* The methods of a route as they are told: HEAD comes with GET, OPTIONS with everything. */
static void add_methods(struct buf *out, unsigned methods)
{
    static const struct {
        enum method method;
        const char *name;
    } names[] = {{METHOD_GET, "GET, HEAD, "},
                 {METHOD_POST, "POST, "},
                 {METHOD_PUT, "PUT, "},
                 {METHOD_DELETE, "DELETE, "},
                 {METHOD_PATCH, "PATCH, "}};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (methods & names[i].method)
            buf_add_str(out, names[i].name);
    }
    buf_add_str(out, "OPTIONS\r\n");
}

static void add_cors(const struct reply *r, const struct request *req, const struct config *config,
                     struct buf *out)
{
    if (req->origin.len == 0 || !cors_allowed(config, req->origin, req->host))
        return;
    buf_add_str(out, "Access-Control-Allow-Origin: ");
    buf_add_span(out, req->origin);
    buf_add_str(out, "\r\nAccess-Control-Allow-Credentials: true\r\n"
                     "Access-Control-Expose-Headers: ETag, Mcp-Session-Id\r\n");
    if (req->method != METHOD_OPTIONS || r->status != 204)
        return;
    buf_add_str(out, "Access-Control-Allow-Methods: ");
    add_methods(out, r->allow);
    buf_add_str(out, "Access-Control-Allow-Headers: Accept, Authorization, Cache-Control, "
                     "Content-Type, If-None-Match, Last-Event-ID, Mcp-Method, Mcp-Name, "
                     "Mcp-Param-Operation-Id, Mcp-Param-Session-Id, "
                     "Mcp-Protocol-Version, Mcp-Session-Id\r\n"
                     "Access-Control-Max-Age: 7200\r\n");
}

static void write_etag(uint64_t etag, char text[ETAG_DIGITS])
{
    for (size_t i = ETAG_DIGITS; i-- > 0; etag >>= 4)
        text[i] = "0123456789abcdef"[etag & 15];
}

/* RFC 9110, 13.1.2, by weak comparison. */
static bool client_has(const struct reply *r, const struct request *req)
{
    struct span list = req->if_none_match;
    char etag[ETAG_DIGITS];
    bool asks = req->method == METHOD_GET || req->method == METHOD_HEAD;
    if (r->etag == 0 || r->status != 200 || !asks || list.len == 0)
        return false;
    write_etag(r->etag, etag);
    while (list.ptr) {
        struct span item = span_trim(span_cut(&list, ','));
        if (span_is(item, "*"))
            return true;
        if (span_starts(item, SPAN("W/")))
            item = (struct span){item.ptr + 2, item.len - 2};
        if (item.len == ETAG_DIGITS + 2 && item.ptr[0] == '"' && item.ptr[item.len - 1] == '"' &&
            memcmp(item.ptr + 1, etag, ETAG_DIGITS) == 0)
            return true;
    }
    return false;
}

/* Headers but for what describes the body, which `add_content` knows. */
static void add_head(const struct reply *r, const struct request *req, const struct config *config,
                     struct buf *out)
{
    buf_add_str(out, status_line(r->status));
    add_date(out, req->now.wall_s);
    buf_add_str(out, "X-Content-Type-Options: nosniff\r\nCache-Control: ");
    buf_add_str(out, r->cache_control);
    buf_add_str(out, config->compression ? "\r\nVary: Accept-Encoding, Origin\r\n"
                                         : "\r\nVary: Origin\r\n");
    if (r->etag != 0) {
        char etag[ETAG_DIGITS];
        write_etag(r->etag, etag);
        buf_add_str(out, "ETag: W/\"");
        buf_add(out, etag, ETAG_DIGITS);
        buf_add_str(out, "\"\r\n");
    }
    if (r->status == 405 || r->status == 204) {
        buf_add_str(out, "Allow: ");
        add_methods(out, r->allow);
    }
    add_cors(r, req, config, out);
    if (r->extra_headers)
        buf_add_str(out, r->extra_headers);
    buf_add_str(out, r->close || !req->keep_alive ? "Connection: close\r\n"
                                                  : "Connection: keep-alive\r\n");
}

static void add_content_type(const struct reply *r, struct buf *out)
{
    buf_add_str(out, "Content-Type: ");
    buf_add_str(out, r->content_type);
    buf_add_str(out, "\r\n");
}

static void add_content(const struct reply *r, const char *encoding, size_t length, struct buf *out)
{
    add_content_type(r, out);
    if (encoding) {
        buf_add_str(out, "Content-Encoding: ");
        buf_add_str(out, encoding);
        buf_add_str(out, "\r\n");
    }
    buf_add_str(out, "Content-Length: ");
    buf_add_u64(out, length);
    buf_add_str(out, "\r\n\r\n");
}

/* A body that could not be written whole is none. */
static void replace_failed_body(struct reply *r)
{
    if (r->shared_body.ptr || buf_status(&r->body) == OK)
        return;
    bool too_long = buf_status(&r->body) == E_LIMIT;
    buf_reset(&r->body);
    if (too_long)
        reply_error(r, 413,
                    "The answer would be too large: ask for less with limit, from and to, for few "
                    "metrics with fields, or for a few points with points");
    else
        reply_error(r, 503, "Out of memory");
}

/* The gzip form, or an empty span when the body goes out as it is. */
static struct span pack_body(struct reply *r, const struct request *req,
                             const struct config *config, struct deflater *deflater)
{
    struct span body = r->pack_shared ? r->shared_body : buf_span(&r->body);
    if (!req->accept_gzip || !config->compression || !deflater ||
        (r->shared_body.ptr && !r->pack_shared) || body.len < REPLY_GZIP_MIN ||
        body.len > REPLY_GZIP_MAX)
        return (struct span){NULL, 0};
    buf_reset(&r->packed);
    if (deflater_gzip(deflater, body, &r->packed) != OK || r->packed.len >= body.len)
        return (struct span){NULL, 0};
    return buf_span(&r->packed);
}

static void add_body(struct reply *r, const struct request *req, const struct config *config,
                     struct deflater *deflater, struct stats *stats, struct buf *out)
{
    struct span plain = r->shared_body.ptr ? r->shared_body : buf_span(&r->body);
    struct span packed = pack_body(r, req, config, deflater);
    struct span wire = packed.ptr ? packed : plain;
    add_content(r, packed.ptr ? "gzip" : r->content_encoding, wire.len, out);
    if (req->method == METHOD_HEAD)
        return;
    buf_add_span(out, wire);
    stats->http_bytes_plain += plain.len;
    stats->http_bytes_wire += wire.len;
}

void reply_render(struct reply *r, const struct request *req, const struct config *config,
                  struct deflater *deflater, struct stats *stats, struct buf *out)
{
    stats->http_requests++;
    replace_failed_body(r);
    if (client_has(r, req)) {
        r->status = 304;
        stats->http_not_modified++;
    }
    add_head(r, req, config, out);
    if (r->stream)
        add_content_type(r, out);
    if (r->chunked)
        buf_add_str(out, "Transfer-Encoding: chunked\r\n");
    if (r->stream || r->status == 304 || r->status == 204)
        buf_add_str(out, "\r\n");
    else
        add_body(r, req, config, deflater, stats, out);
}
