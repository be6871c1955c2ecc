/* SPDX-License-Identifier: MIT */
#include "streamd/http/assets_find.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool assets_find(const char *exe, char *out, size_t size)
{
    static const char *const places[] = {"../share/streamd/web", "../../web/dist"};
    const char *slash = strrchr(exe, '/');
    if (!slash)
        return false;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        char index[PATH_MAX];
        int folder = (int)(slash - exe);
        int n = snprintf(index, sizeof(index), "%.*s/%s/index.html", folder, exe, places[i]);
        if (n < 0 || (size_t)n >= sizeof(index) || access(index, R_OK) != 0)
            continue;
        n = snprintf(out, size, "%.*s/%s", folder, exe, places[i]);
        return n >= 0 && (size_t)n < size;
    }
    return false;
}
