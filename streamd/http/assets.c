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
    struct strmap by_path; /* "/index.html" → struct asset; owns the assets */
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

/* connect-src names the WebSocket schemes because not every browser lets 'self' cover them. */
static const char page_headers[] =
    "Content-Security-Policy: default-src 'self'; connect-src 'self' ws: wss:; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'\r\n"
    "Referrer-Policy: same-origin\r\n";

static const char page_type[] = "text/html; charset=utf-8";

struct assets *assets_create(const char *dir, struct deflater *deflater)
{
    struct assets *assets = calloc(1, sizeof(*assets));
    if (!assets)
        return NULL;
    /* Nobody can choose these names from outside: any seed will do. */
    strmap_init(&assets->by_path, 0);
    if (dir)
        assets_load(&assets->by_path, dir, deflater);
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
    free(assets);
}

static void answer_page(struct reply *reply)
{
    reply->cache_control = "no-cache";
    reply->extra_headers = page_headers;
}

static void answer_asset(const struct asset *a, struct span path, const struct request *req,
                         struct reply *reply)
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
        answer_page(reply);
}

bool assets_answer(const struct assets *assets, const struct request *req, struct reply *reply)
{
    bool root = span_is(req->path, "/");
    struct span path = root ? SPAN("/index.html") : req->path;
    const struct asset *a = strmap_find(&assets->by_path, path);
    if (a) {
        answer_asset(a, path, req, reply);
        return true;
    }
    if (root) {
        reply_share(reply, page_type, SPAN(no_build_page));
        answer_page(reply);
    }
    return root;
}
