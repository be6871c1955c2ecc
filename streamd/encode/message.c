/* SPDX-License-Identifier: MIT */
/*
 * A form is a text (the packet, the envelope, the SSE block) and how it is wrapped (not at all, in
 * a frame, deflated in a frame). One table says both, so a new dialect is one text function and one
 * to three rows. The text is written to a scratch buf of the encoder and copied once, together with
 * its frame header, into the refbuf that everybody shares.
 */
#include "streamd/encode/message.h"

#include "proto/json_write.h"
#include "proto/sio.h"
#include "proto/wsframe.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Below this a deflated frame is no smaller and only costs both ends time. */
enum { DEFLATE_FROM_BYTES = 64 };

enum { TEXT_LIMIT = 64 << 20 };

enum wrapping { BARE, FRAMED, DEFLATED };

static void write_packet(const struct message *m, struct buf *out)
{
    sio_write_event(out, SPAN("/"), span_of(m->event), m->payload);
}

static void write_marked_packet(const struct message *m, struct buf *out)
{
    char digits[24];
    int n = snprintf(digits, sizeof(digits), "%" PRIu64, m->serial);
    sio_write_marked_event(out, SPAN("/"), span_of(m->event), m->payload,
                           (struct span){digits, (size_t)n});
}

static void write_envelope(const struct message *m, struct buf *out)
{
    buf_add_str(out, "{\"event\":\"");
    buf_add_str(out, m->event);
    buf_add_str(out, "\",\"data\":");
    buf_add_span(out, m->payload);
    buf_add_char(out, '}');
}

/* The payload is minified JSON, so it has no line break and is one data: line. */
static void write_sse(const struct message *m, struct buf *out)
{
    if (m->offset) {
        buf_add_str(out, "id: ");
        buf_add_u64(out, m->offset);
        buf_add_char(out, '\n');
    }
    buf_add_str(out, "event: ");
    buf_add_str(out, m->event);
    buf_add_str(out, "\ndata: ");
    buf_add_span(out, m->payload);
    buf_add_str(out, "\n\n");
}

static const struct {
    void (*write)(const struct message *m, struct buf *out);
    enum wrapping wrapping;
} recipes[FORMS] = {
    [FORM_PACKET] = {write_packet, BARE},
    [FORM_SOCKETIO] = {write_packet, FRAMED},
    [FORM_SOCKETIO_DEFLATED] = {write_packet, DEFLATED},
    [FORM_PLAIN] = {write_envelope, FRAMED},
    [FORM_PLAIN_DEFLATED] = {write_envelope, DEFLATED},
    [FORM_SSE] = {write_sse, BARE},
    [FORM_MARKED_PACKET] = {write_marked_packet, BARE},
    [FORM_MARKED_SOCKETIO] = {write_marked_packet, FRAMED},
    [FORM_MARKED_SOCKETIO_DEFLATED] = {write_marked_packet, DEFLATED},
};

enum status encoder_init(struct encoder *e, struct stats *stats, bool compression)
{
    *e = (struct encoder){.stats = stats, .compression = compression};
    buf_init(&e->text, TEXT_LIMIT);
    buf_init(&e->deflated, TEXT_LIMIT);
    e->deflater = deflater_create();
    return e->deflater ? OK : E_NOMEM;
}

void encoder_fini(struct encoder *e)
{
    deflater_destroy(e->deflater);
    buf_fini(&e->text);
    buf_fini(&e->deflated);
}

struct refbuf *encoder_frame(struct encoder *e, enum ws_opcode op, struct span payload,
                             bool deflate)
{
    unsigned char head[WS_HEADER_MAX];
    bool shrunk = false;
    if (deflate && payload.len >= DEFLATE_FROM_BYTES) {
        buf_reset(&e->deflated);
        shrunk = deflater_message(e->deflater, payload, &e->deflated) == OK &&
                 e->deflated.len < payload.len;
        if (shrunk) {
            payload = buf_span(&e->deflated);
            e->stats->deflates++;
        }
    }
    size_t n = wsframe_header(head, op, shrunk, payload.len);
    return refbuf_create2((struct span){(const char *)head, n}, payload);
}

void message_init(struct message *m, struct encoder *encoder, const char *event,
                  struct span payload, uint64_t offset)
{
    *m = (struct message){.encoder = encoder,
                          .event = event,
                          .payload = payload,
                          .serial = ++encoder->serial,
                          .offset = offset};
}

void message_fini(struct message *m)
{
    for (size_t i = 0; i < FORMS; i++)
        refbuf_unref(m->forms[i]);
}

struct refbuf *message_form(struct message *m, enum form form)
{
    assert(form < FORMS);
    if (m->forms[form])
        return m->forms[form];
    struct encoder *e = m->encoder;
    buf_reset(&e->text);
    recipes[form].write(m, &e->text);
    if (buf_status(&e->text) != OK)
        return NULL;
    enum wrapping wrapping = recipes[form].wrapping;
    m->forms[form] = wrapping == BARE
                         ? refbuf_create(buf_span(&e->text))
                         : encoder_frame(e, WS_TEXT, buf_span(&e->text), wrapping == DEFLATED);
    return m->forms[form];
}

bool form_is_packet(enum form form)
{
    return form == FORM_PACKET || form == FORM_MARKED_PACKET;
}

enum form form_marked(enum form form)
{
    assert(form <= FORM_SOCKETIO_DEFLATED);
    return form - FORM_PACKET + FORM_MARKED_PACKET;
}

enum form form_unmarked(enum form form)
{
    assert(form >= FORM_MARKED_PACKET);
    return form - FORM_MARKED_PACKET + FORM_PACKET;
}

size_t message_plain_bytes(const struct message *m)
{
    return strlen(m->event) + m->payload.len;
}
