/* SPDX-License-Identifier: MIT */
/*
 * A form is a text (the packet, the envelope, the SSE block) and what is still to be done with it:
 * a frame of its own is the same for everybody and is made here, a deflated one depends on what
 * went before it (chain.h). One table says both, so a new dialect is one text function and one to
 * three rows. The text is written to a scratch buf of the encoder and copied once, together with
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

enum { TEXT_LIMIT = 64 << 20 };

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
    bool framed;
    enum finish finish;
} recipes[FORMS] = {
    [FORM_PACKET] = {write_packet, false, FINISH_TEXT},
    [FORM_SOCKETIO] = {write_packet, true, FINISH_NOTHING},
    [FORM_SOCKETIO_DEFLATED] = {write_packet, false, FINISH_DEFLATE},
    [FORM_PLAIN] = {write_envelope, true, FINISH_NOTHING},
    [FORM_PLAIN_DEFLATED] = {write_envelope, false, FINISH_DEFLATE},
    [FORM_SSE] = {write_sse, false, FINISH_NOTHING},
    [FORM_MARKED_PACKET] = {write_marked_packet, false, FINISH_TEXT},
    [FORM_MARKED_SOCKETIO] = {write_marked_packet, true, FINISH_NOTHING},
    [FORM_MARKED_SOCKETIO_DEFLATED] = {write_marked_packet, false, FINISH_DEFLATE},
};

enum status encoder_init(struct encoder *e, struct stats *stats, bool compression)
{
    *e = (struct encoder){.stats = stats, .compression = compression};
    buf_init(&e->text, TEXT_LIMIT);
    e->deflater = deflater_create();
    chain_init(&e->chain, e->deflater, stats);
    return e->deflater ? OK : E_NOMEM;
}

void encoder_fini(struct encoder *e)
{
    chain_fini(&e->chain);
    deflater_destroy(e->deflater);
    buf_fini(&e->text);
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
    struct span text = buf_span(&e->text);
    unsigned char head[WS_HEADER_MAX];
    size_t n = recipes[form].framed ? wsframe_header(head, WS_TEXT, false, text.len) : 0;
    m->forms[form] = refbuf_create2((struct span){(const char *)head, n}, text);
    return m->forms[form];
}

enum finish form_finish(enum form form)
{
    return recipes[form].finish;
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
