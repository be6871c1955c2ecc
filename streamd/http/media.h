/* SPDX-License-Identifier: MIT */
/*
 * media: the Content-Type of a file, by the ending of its name.
 */
#ifndef STREAMD_HTTP_MEDIA_H
#define STREAMD_HTTP_MEDIA_H

#include "base/span.h"

struct media {
    const char *suffix;
    const char *type;
    bool text; /* worth compressing */
};

/* Never NULL: what is not in the table is application/octet-stream. Static. */
const struct media *media_of(struct span path);

#endif
