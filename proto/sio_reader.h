/* SPDX-License-Identifier: MIT */
/*
 * sio_reader: puts the Socket.IO packets of one peer together.
 *
 * A packet with binary attachments arrives as a text packet that announces them and then as many
 * binary ones. The reader holds the announcement and what has come, within a limit of bytes, and
 * answers the packet once it is whole. A text packet meanwhile, a binary packet that nobody
 * announced, and placeholders that do not name each attachment exactly once are errors; after an
 * error the peer is to be closed, and the reader is empty again. Until a peer sends binary it holds
 * no memory.
 * Embedded: the owner calls sio_reader_init and sio_reader_fini. Pure.
 */
#ifndef PROTO_SIO_READER_H
#define PROTO_SIO_READER_H

#include "proto/sio.h"

struct sio_held;

struct sio_reader {
    struct sio_held *held; /* owns; the binary packet at hand or last answered, or NULL */
    size_t max_bytes;      /* of a text packet with all its attachments */
    unsigned max_attachments;
};

/* A whole packet with its attachments, in the order of the placeholders' numbers. */
struct sio_message {
    struct sio_packet packet;
    struct span attachments[SIO_ATTACHMENTS_MAX]; /* packet.attachments of them; borrow */
};

enum sio_progress { SIO_NEED_MORE, SIO_PACKET, SIO_ERROR };

/* `max_bytes` > 0, e.g. maxPayload; `max_attachments` <= SIO_ATTACHMENTS_MAX, 0 refuses binary. */
void sio_reader_init(struct sio_reader *r, size_t max_bytes, unsigned max_attachments);
void sio_reader_fini(struct sio_reader *r);

/*
 * Feed one text (without the Engine.IO '4') or binary packet. SIO_PACKET fills *out, which is
 * valid as long as the bytes just fed are, and until the next feed or fini. SIO_ERROR sets *out_why
 * to a static sentence. What is not answered is untouched.
 */
MUST_CHECK enum sio_progress sio_reader_text(struct sio_reader *r, struct span text,
                                             struct sio_message *out, const char **out_why);
MUST_CHECK enum sio_progress sio_reader_binary(struct sio_reader *r, struct span bytes,
                                               struct sio_message *out, const char **out_why);

#endif
