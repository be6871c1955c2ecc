/* SPDX-License-Identifier: MIT */
/*
 * assets: the dashboard's files, read once at start.
 *
 * Every file of one folder (web/dist) is held in memory with its gzip form and ETag; nothing is
 * opened for a request, so no path can leave the folder. Names under assets/ carry a hash and are
 * cached for a year, index.html is always revalidated and has a strict Content-Security-Policy
 * (P-72).
 */
#ifndef STREAMD_HTTP_ASSETS_H
#define STREAMD_HTTP_ASSETS_H

#include "streamd/config.h"
#include "streamd/http/reply.h"

struct assets;

/*
 * config->web_dir NULL: what the program brings along (page.h). None, or unreadable: an empty set,
 * whose `/` is a short page that says how to build it. Both are borrowed for this call. `deflater`
 * NULL: no file has a gzip form. NULL when out of memory.
 */
struct assets *assets_create(const struct config *config, struct deflater *deflater);
void assets_destroy(struct assets *a);

/* True and the reply filled when `path` is one of the files ("/" is index.html), whatever the
 * method. */
bool assets_answer(const struct assets *a, const struct request *req, struct reply *reply);

#endif
