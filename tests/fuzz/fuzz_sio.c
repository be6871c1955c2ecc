/* SPDX-License-Identifier: MIT */
/*
 * Socket.IO: the input is a conversation, each packet one byte of kind (bit 0: binary) and two of
 * length. The reader is held to its promises step by step: binary only after an announcement, never
 * more than its limit, a whole packet with all its attachments, empty again after an error. Every
 * text that decodes is written again and decodes to the same.
 */
#include "proto/json_scan.h"
#include "proto/sio_reader.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

enum { READER_MAX = 4096, TEXT_MAX = 1 << 20 };

/* What a reader may answer next. */
struct model {
    unsigned awaited; /* attachments of the packet announced */
    size_t bytes;     /* of it so far */
};

static void check_packet(const struct sio_packet *p)
{
    CHECK(p->nsp.len > 0 && p->nsp.ptr[0] == '/' && p->nsp.len <= SIO_NSP_MAX);
    CHECK(json_utf8_valid(p->nsp));
    CHECK(!p->has_id || p->id <= SIO_ID_MAX);
    CHECK(p->data.len == 0 || json_check(p->data, JSON_STRICT, NULL) == OK);
    bool event = p->type == SIO_EVENT || p->type == SIO_BINARY_EVENT;
    CHECK(event == (p->event.len > 0));
    CHECK(!p->refused || (p->type == SIO_CONNECT && p->data.len == 0));
}

static void check_round_trip(const struct sio_packet *p)
{
    struct buf b;
    struct sio_packet again;
    const char *why;
    buf_init(&b, TEXT_MAX);
    sio_write_packet(&b, p);
    CHECK(buf_status(&b) == OK && b.ptr[0] == '4');
    struct span text = {b.ptr + 1, b.len - 1};
    CHECK(sio_decode(text, &again, &why) == OK);
    CHECK(again.type == p->type && again.attachments == p->attachments);
    CHECK(again.has_id == p->has_id && (!p->has_id || again.id == p->id));
    CHECK(span_eq(again.nsp, p->nsp) && span_eq(again.data, p->data));
    CHECK(span_eq(again.event, p->event));
    buf_fini(&b);
}

static void check_message(const struct sio_message *m)
{
    size_t sum = 0;
    CHECK(m->packet.attachments <= SIO_ATTACHMENTS_MAX);
    check_packet(&m->packet);
    for (unsigned i = 0; i < m->packet.attachments; i++) {
        for (size_t at = 0; at < m->attachments[i].len; at++)
            sum += (unsigned char)m->attachments[i].ptr[at];
    }
    CHECK(sum <= (size_t)READER_MAX * 255);
}

static void feed_text(struct sio_reader *r, struct span text, struct model *model)
{
    struct sio_packet packet;
    struct sio_message m;
    const char *why = NULL;
    bool decodes = sio_decode(text, &packet, &why) == OK;
    CHECK(decodes || why);
    if (decodes) {
        check_packet(&packet);
        check_round_trip(&packet);
    }
    enum sio_progress progress = sio_reader_text(r, text, &m, &why);
    CHECK(progress == SIO_ERROR || (decodes && model->awaited == 0 && text.len <= READER_MAX));
    if (progress == SIO_PACKET) {
        CHECK(packet.attachments == 0);
        check_message(&m);
    }
    *model = (struct model){0};
    if (progress == SIO_NEED_MORE)
        *model = (struct model){packet.attachments, text.len};
    CHECK(progress != SIO_NEED_MORE || model->awaited > 0);
    CHECK(progress != SIO_ERROR || (why && !r->held));
}

static void feed_binary(struct sio_reader *r, struct span bytes, struct model *model)
{
    struct sio_message m;
    const char *why = NULL;
    enum sio_progress progress = sio_reader_binary(r, bytes, &m, &why);
    model->bytes += bytes.len;
    bool fits = model->awaited > 0 && model->bytes <= READER_MAX;
    CHECK(fits == (progress != SIO_ERROR));
    if (progress == SIO_ERROR) {
        CHECK(why && !r->held);
        *model = (struct model){0};
        return;
    }
    model->awaited--;
    CHECK((progress == SIO_PACKET) == (model->awaited == 0));
    if (progress == SIO_PACKET) {
        check_message(&m);
        CHECK(span_eq(m.attachments[m.packet.attachments - 1], bytes));
    }
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct span rest = {(const char *)data, size};
    struct sio_reader reader;
    struct model model = {0};
    sio_reader_init(&reader, READER_MAX, SIO_ATTACHMENTS_MAX);
    while (rest.len > 0) {
        unsigned kind = take_byte(&rest);
        size_t length = take_byte(&rest);
        length |= (size_t)take_byte(&rest) << 8;
        struct span packet = copy_of(take_bytes(&rest, length));
        if (kind & 1)
            feed_binary(&reader, packet, &model);
        else
            feed_text(&reader, packet, &model);
        free((char *)(size_t)packet.ptr);
    }
    sio_reader_fini(&reader);
    return 0;
}
