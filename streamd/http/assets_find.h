/* SPDX-License-Identifier: MIT */
/*
 * assets_find: where the dashboard's files are when nobody says.
 */
#ifndef STREAMD_HTTP_ASSETS_FIND_H
#define STREAMD_HTTP_ASSETS_FIND_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Looks beside the program at `exe` (its path, links resolved): ../share/streamd/web when it is
 * installed, ../../web/dist in a tree that was built. True and the path in `out`, or false when
 * neither has an index.html.
 */
bool assets_find(const char *exe, char *out, size_t size);

#endif
