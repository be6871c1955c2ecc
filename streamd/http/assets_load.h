/* SPDX-License-Identifier: MIT */
/*
 * assets_load: a folder read into memory, once. Only for assets.c.
 */
#ifndef STREAMD_HTTP_ASSETS_LOAD_H
#define STREAMD_HTTP_ASSETS_LOAD_H

#include "base/strmap.h"
#include "streamd/encode/deflater.h"
#include "streamd/http/media.h"
#include "streamd/http/page.h"

enum {
    ASSETS_FILES_MAX = 256,
    ASSETS_BYTES_MAX = 16 << 20, /* of all files, before compression */
    ASSETS_DEPTH_MAX = 3,        /* folders inside each other, the first included */
    ASSETS_PATH_MAX = 255,       /* bytes of a path, its '/' included */
};

struct asset {
    const struct media *media; /* borrows */
    char *plain;               /* owns */
    size_t plain_len;
    char *packed; /* owns; the gzip form, NULL: none */
    size_t packed_len;
    uint64_t etag; /* of the content; not 0 */
};

void asset_destroy(struct asset *a);

/*
 * Puts every file of `dir` into `by_path` under its path ("/index.html"); the map's owner owns the
 * assets. What cannot be read or is past a limit is left out and logged. `deflater` may be NULL:
 * then nothing has a gzip form.
 */
void assets_load(struct strmap *by_path, const char *dir, struct deflater *deflater);

/* The same of files that are in memory already; what there is no memory for is left out. */
void assets_load_page(struct strmap *by_path, const struct page_file *files,
                      struct deflater *deflater);

#endif
