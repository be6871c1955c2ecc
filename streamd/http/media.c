/* SPDX-License-Identifier: MIT */
/*
 * What a web build contains, and nothing read from the system: /etc/mime.types differs from machine
 * to machine, and with nosniff a script of the wrong type is a blank page.
 */
#include "streamd/http/media.h"

static const struct media medias[] = {
    {".html", "text/html; charset=utf-8", true},
    {".js", "text/javascript; charset=utf-8", true},
    {".mjs", "text/javascript; charset=utf-8", true},
    {".css", "text/css; charset=utf-8", true},
    {".svg", "image/svg+xml", true},
    {".json", "application/json", true},
    {".map", "application/json", true},
    {".webmanifest", "application/manifest+json", true},
    {".txt", "text/plain; charset=utf-8", true},
    {".wasm", "application/wasm", true},
    {".png", "image/png", false},
    {".jpg", "image/jpeg", false},
    {".webp", "image/webp", false},
    {".ico", "image/x-icon", false},
    {".woff2", "font/woff2", false},
    {"", "application/octet-stream", false}, /* ends every name */
};

static bool ends_in(struct span path, const char *suffix)
{
    struct span end = span_of(suffix);
    return path.len >= end.len &&
           span_eq((struct span){path.ptr + path.len - end.len, end.len}, end);
}

const struct media *media_of(struct span path)
{
    const struct media *media = medias;
    while (!ends_in(path, media->suffix))
        media++;
    return media;
}

bool media_type_is(struct span content_type, const char *type)
{
    return span_is_nocase(span_trim(span_cut(&content_type, ';')), type);
}
