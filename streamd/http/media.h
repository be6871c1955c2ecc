/* SPDX-License-Identifier: MIT */
/*
 * media: the Content-Type of a file, by the ending of its name; and of a request, by its header.
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

/* Is that the media type of this Content-Type, parameters and case aside? */
bool media_type_is(struct span content_type, const char *type);

#endif
