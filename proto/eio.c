/* SPDX-License-Identifier: MIT */
/*
 * A payload is judged as far as it can be before its first packet is handed out: empty, not UTF-8
 * and too many packets are known from one pass over the bytes, so a body made to keep us busy
 * (20,000 empty packets) is refused whole and nothing of it takes effect. Bad packets are met on
 * the way; the transport closes the session at the first. 0x1e can cut a payload safely: inside
 * JSON it is always escaped, and in UTF-8 no longer character contains it.
 */
#include "proto/eio.h"

#include "proto/base64.h"
#include "proto/json_scan.h"
#include "proto/json_write.h"

#include <assert.h>
#include <string.h>

enum status eio_decode(struct span frame, struct eio_packet *out)
{
    if (frame.len == 0 || frame.ptr[0] < '0' || frame.ptr[0] > '0' + EIO_NOOP)
        return E_MALFORMED;
    *out = (struct eio_packet){
        .type = (enum eio_type)(frame.ptr[0] - '0'),
        .data = {frame.ptr + 1, frame.len - 1},
    };
    return OK;
}

struct eio_packet eio_decode_binary(struct span frame)
{
    return (struct eio_packet){.type = EIO_MESSAGE, .binary = true, .data = frame};
}

static size_t count_packets(struct span payload)
{
    size_t packets = 1;
    for (size_t i = 0; i < payload.len; i++)
        packets += payload.ptr[i] == EIO_SEPARATOR ? 1 : 0;
    return packets;
}

enum status eio_payload_init(struct eio_payload *p, struct span payload, size_t max_packets,
                             struct buf *scratch)
{
    if (payload.len == 0 || !json_utf8_valid(payload))
        return E_MALFORMED;
    if (count_packets(payload) > max_packets)
        return E_LIMIT;
    *p = (struct eio_payload){.rest = payload, .scratch = scratch};
    return OK;
}

enum status eio_payload_next(struct eio_payload *p, struct eio_packet *out)
{
    if (!p->rest.ptr)
        return E_NOT_FOUND;
    struct span packet = span_cut(&p->rest, EIO_SEPARATOR);
    if (packet.len == 0 || packet.ptr[0] != 'b')
        return eio_decode(packet, out);
    buf_reset(p->scratch);
    enum status status = base64_decode(p->scratch, (struct span){packet.ptr + 1, packet.len - 1});
    if (status == OK)
        *out = eio_decode_binary(buf_span(p->scratch));
    return status;
}

void eio_write_open(struct buf *b, const struct eio_open *open)
{
    buf_add_str(b, "0{");
    json_write_pair_string(b, "sid", open->sid);
    json_write_pair_raw(b, "upgrades", open->upgrades ? SPAN("[\"websocket\"]") : SPAN("[]"));
    json_write_pair_u64(b, "pingInterval", open->ping_interval_ms);
    json_write_pair_u64(b, "pingTimeout", open->ping_timeout_ms);
    json_write_pair_u64(b, "maxPayload", open->max_payload_bytes);
    buf_add_char(b, '}');
}

void eio_write_text(struct buf *b, enum eio_type type, struct span data)
{
    buf_add_char(b, (char)('0' + type));
    buf_add_span(b, data);
}

static void separate(struct buf *b)
{
    if (b->len > 0)
        buf_add_char(b, EIO_SEPARATOR);
}

void eio_payload_add_text(struct buf *b, struct span packet)
{
    separate(b);
    buf_add_span(b, packet);
}

void eio_payload_add_binary(struct buf *b, struct span bytes)
{
    separate(b);
    buf_add_char(b, 'b');
    base64_encode(b, bytes);
}
