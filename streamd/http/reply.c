/* SPDX-License-Identifier: MIT */
/*
 * What a route says, before anybody thinks of bytes on a wire (reply_render.c). An error starts
 * from the defaults again: whatever a route had set for the answer it hoped to give, such as a year
 * of caching, must not cling to the refusal.
 *
 * A reply is kept by its connection's front from request to request, so that a poller costs no
 * malloc; only what a large history left behind is given back.
 */
#include "streamd/http/reply.h"

#include "proto/json_write.h"

enum { BODY_KEPT_MAX = 1 << 20, GZIP_SLACK = 1 << 16 /* deflate's bound is above its input */ };

static const char type_json[] = "application/json";

static void set_defaults(struct reply *r)
{
    r->status = 200;
    r->content_type = type_json;
    r->shared_body = (struct span){NULL, 0};
    r->content_encoding = NULL;
    r->cache_control = "no-store";
    r->extra_headers = NULL;
    r->etag = 0;
    r->allow = 0;
    r->pack_shared = false;
    r->stream = false;
    r->chunked = false;
    r->transfer = NULL;
    r->later = NULL;
    r->close = false;
}

void reply_init(struct reply *r, size_t body_limit)
{
    buf_init(&r->body, body_limit);
    buf_init(&r->packed, REPLY_GZIP_MAX + GZIP_SLACK);
    set_defaults(r);
}

static void reset_buf(struct buf *b)
{
    if (b->cap > BODY_KEPT_MAX)
        buf_fini(b);
    buf_reset(b);
}

void reply_reset(struct reply *r)
{
    reset_buf(&r->body);
    reset_buf(&r->packed);
    set_defaults(r);
}

void reply_fini(struct reply *r)
{
    buf_fini(&r->body);
    buf_fini(&r->packed);
}

void reply_error(struct reply *r, int status, const char *message)
{
    bool close = r->close;
    buf_reset(&r->body);
    set_defaults(r);
    r->close = close;
    r->status = status;
    buf_add_str(&r->body, "{\"success\":false,\"error\":");
    json_write_string(&r->body, span_of(message));
    buf_add_char(&r->body, '}');
}

void reply_share(struct reply *r, const char *content_type, struct span bytes)
{
    r->content_type = content_type;
    r->shared_body = bytes;
}

void reply_options(struct reply *r, unsigned methods)
{
    buf_reset(&r->body);
    set_defaults(r);
    r->status = 204;
    r->allow = methods;
}

void reply_open_data(struct reply *r)
{
    buf_add_str(&r->body, "{\"success\":true,\"data\":");
}

void reply_close_data(struct reply *r)
{
    buf_add_char(&r->body, '}');
}
