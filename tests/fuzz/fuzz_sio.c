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
    unsigned awaited;                             /* attachments of the packet announced */
    size_t bytes;                                 /* of it so far */
    struct span text;                             /* owns; the announcement */
    struct span attachments[SIO_ATTACHMENTS_MAX]; /* own */
    unsigned count;
};

static void release(struct span copy)
{
    free((char *)(uintptr_t)copy.ptr);
}

static void forget(struct model *model)
{
    release(model->text);
    for (unsigned i = 0; i < model->count; i++)
        release(model->attachments[i]);
    *model = (struct model){0};
}

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

static bool same_packet(const struct sio_packet *a, const struct sio_packet *b)
{
    return a->type == b->type && a->attachments == b->attachments && a->has_id == b->has_id &&
           (!a->has_id || a->id == b->id) && span_eq(a->nsp, b->nsp) && span_eq(a->data, b->data) &&
           span_eq(a->event, b->event);
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
    CHECK(same_packet(&again, p));
    buf_fini(&b);
}

/* Whole again, as it was said: whatever the reader has kept of it meanwhile. */
static void check_whole(const struct sio_message *m, const struct model *model)
{
    struct sio_packet announced;
    const char *why;
    CHECK(sio_decode(model->text, &announced, &why) == OK);
    check_packet(&m->packet);
    CHECK(same_packet(&m->packet, &announced));
    CHECK(m->packet.attachments == model->count);
    for (unsigned i = 0; i < model->count; i++)
        CHECK(span_eq(m->attachments[i], model->attachments[i]));
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
    if (progress == SIO_PACKET)
        CHECK(packet.attachments == 0 && same_packet(&m.packet, &packet));
    forget(model);
    if (progress == SIO_NEED_MORE) {
        *model = (struct model){packet.attachments, text.len, .text = copy_of(text)};
        CHECK(model->awaited > 0);
    }
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
        forget(model);
        return;
    }
    model->attachments[model->count++] = copy_of(bytes);
    model->awaited--;
    CHECK((progress == SIO_PACKET) == (model->awaited == 0));
    if (progress == SIO_PACKET)
        check_whole(&m, model);
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
        release(packet);
    }
    forget(&model);
    sio_reader_fini(&reader);
    return 0;
}
