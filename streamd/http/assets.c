/* SPDX-License-Identifier: MIT */
/*
 * A build is a handful of files of which one is asked for all the time. Read once, a request is a
 * look-up and a memcpy, and no path arithmetic is left to get wrong: what is not in the map does
 * not exist. Files under assets/ carry a hash of their content in their name, as Vite writes them,
 * so they never change; anything else is asked for again each time and mostly answered with 304.
 */
#include "streamd/http/assets.h"

#include "streamd/http/assets_load.h"

#include <stdlib.h>

struct assets {
    struct strmap by_path;   /* "/index.html" → struct asset; owns the assets */
    struct buf page_headers; /* ended by a NUL */
};

static const char no_build_page[] =
    "<!doctype html>\n"
    "<html lang=\"en\"><meta charset=\"utf-8\"><title>streamd</title>\n"
    "<h1>streamd is running</h1>\n"
    "<p>The dashboard is not built: run <code>make web</code> and start the daemon again.</p>\n"
    "<p>Meanwhile: <a href=\"/api/training/sessions\">the runs</a>, "
    "<a href=\"/api/training/stats\">what the daemon has done</a>, "
    "<a href=\"/health\">its health</a>.</p>\n"
    "</html>\n";

enum { PAGE_HEADERS_MAX = 16384 };

/* connect-src names the WebSocket schemes because not every browser lets 'self' cover them. */
static const char page_policy[] =
    "Content-Security-Policy: default-src 'self'; connect-src 'self' ws: wss:; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self' http://localhost:* https://localhost:* "
    "http://127.0.0.1:* https://127.0.0.1:*";

static const char page_type[] = "text/html; charset=utf-8";

/* The page may stand in the frames of those who may read and write here anyway (cors.h). */
static enum status write_page_headers(const struct config *config, struct buf *out)
{
    buf_init(out, PAGE_HEADERS_MAX);
    buf_add_str(out, page_policy);
    for (size_t i = 0; i < config->allow_origin_count; i++) {
        buf_add_char(out, ' ');
        buf_add_str(out, config->allow_origin[i]);
    }
    buf_add_str(out, "\r\nReferrer-Policy: same-origin\r\n");
    buf_add_char(out, '\0');
    return buf_status(out);
}

struct assets *assets_create(const struct config *config, struct deflater *deflater)
{
    const char *dir = config->web_dir;
    struct assets *assets = calloc(1, sizeof(*assets));
    if (!assets)
        return NULL;
    if (write_page_headers(config, &assets->page_headers) != OK) {
        buf_fini(&assets->page_headers);
        free(assets);
        return NULL;
    }
    /* Nobody can choose these names from outside: any seed will do. */
    strmap_init(&assets->by_path, 0);
    if (dir)
        assets_load(&assets->by_path, dir, deflater);
    else
        assets_load_page(&assets->by_path, page_files, deflater);
    return assets;
}

void assets_destroy(struct assets *assets)
{
    size_t at = 0;
    struct span path;
    void *asset;
    if (!assets)
        return;
    while (strmap_next(&assets->by_path, &at, &path, &asset))
        asset_destroy(asset);
    strmap_fini(&assets->by_path);
    buf_fini(&assets->page_headers);
    free(assets);
}

static void answer_page(const struct assets *assets, struct reply *reply)
{
    reply->cache_control = "no-cache";
    reply->extra_headers = buf_span(&assets->page_headers).ptr;
}

static void answer_asset(const struct assets *assets, const struct asset *a, struct span path,
                         const struct request *req, struct reply *reply)
{
    bool packed = a->packed && req->accept_gzip;
    reply_share(reply, a->media->type,
                packed ? (struct span){a->packed, a->packed_len}
                       : (struct span){a->plain, a->plain_len});
    reply->content_encoding = packed ? "gzip" : NULL;
    reply->etag = a->etag;
    reply->cache_control =
        span_starts(path, SPAN("/assets/")) ? "public, max-age=31536000, immutable" : "no-cache";
    if (span_is(span_of(a->media->type), page_type))
        answer_page(assets, reply);
}

bool assets_answer(const struct assets *assets, const struct request *req, struct reply *reply)
{
    bool root = span_is(req->path, "/");
    struct span path = root ? SPAN("/index.html") : req->path;
    const struct asset *a = strmap_find(&assets->by_path, path);
    if (a) {
        answer_asset(assets, a, path, req, reply);
        return true;
    }
    if (root) {
        reply_share(reply, page_type, SPAN(no_build_page));
        answer_page(assets, reply);
    }
    return root;
}
