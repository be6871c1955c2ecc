/* SPDX-License-Identifier: MIT */
/*
 * plane: a run of bytes in the cheapest of four forms.
 *
 * All the same: that byte. Else as they are, or with as many bits a byte as the largest needs, or
 * deflated, where that pays. How many bytes there are is known to both sides and not written down.
 * A writer and a reader each own one z_stream and reset it. Embedded.
 */
#ifndef STREAMD_STORE_PLANE_H
#define STREAMD_STORE_PLANE_H

#include "base/buf.h"

#include <zlib.h>

struct plane_writer {
    z_stream deflate;
};

struct plane_reader {
    z_stream inflate;
};

/* What was read. */
struct plane {
    const uint8_t *bytes; /* borrows; NULL: all are `same` */
    uint8_t same;
};

MUST_CHECK enum status plane_writer_init(struct plane_writer *w);
/* Also of one that is all zeros. */
void plane_writer_fini(struct plane_writer *w);

/* Appends the n bytes, n > 0; look at buf_status. */
void plane_write(struct plane_writer *w, const uint8_t *bytes, size_t n, struct buf *out);

MUST_CHECK enum status plane_reader_init(struct plane_reader *r);
void plane_reader_fini(struct plane_reader *r);

/*
 * Takes n bytes, n > 0, off the head of *rest. `room` has place for them; the plane borrows from
 * there or from *rest. E_MALFORMED.
 */
MUST_CHECK enum status plane_read(struct plane_reader *r, struct span *rest, size_t n,
                                  uint8_t *room, struct plane *out);

#endif
