/* SPDX-License-Identifier: MIT */
/*
 * Three header lengths, chosen by the payload's: 7 bits, 16 bits after 126, 64 bits after 127, all
 * in network order. Written byte by byte, so neither alignment nor endianness matters. A payload
 * is passed as a length only: header and payload meet in the refbuf that subscribers share.
 */
#include "proto/wsframe.h"

#include <assert.h>
#include <string.h>

enum {
    FIN_BIT = 0x80,
    RSV1_BIT = 0x40,
    CONTROL_BIT = 0x08, /* of the opcode */
    LENGTH_16 = 126,
    LENGTH_64 = 127,
};

static void put_big_endian(unsigned char *out, uint64_t value, size_t bytes)
{
    for (size_t i = bytes; i > 0; i--) {
        out[i - 1] = (unsigned char)(value & 0xff);
        value >>= 8;
    }
}

size_t wsframe_header(unsigned char out[WS_HEADER_MAX], enum ws_opcode op, bool rsv1,
                      size_t payload_len)
{
    assert(!(op & CONTROL_BIT) || (payload_len <= WS_CONTROL_MAX && !rsv1));
    out[0] = (unsigned char)(FIN_BIT | (rsv1 ? RSV1_BIT : 0) | op);
    if (payload_len < LENGTH_16) {
        out[1] = (unsigned char)payload_len;
        return 2;
    }
    if (payload_len <= UINT16_MAX) {
        out[1] = LENGTH_16;
        put_big_endian(out + 2, payload_len, 2);
        return 4;
    }
    out[1] = LENGTH_64;
    put_big_endian(out + 2, payload_len, 8);
    return 10;
}

size_t wsframe_close_payload(unsigned char out[WS_CONTROL_MAX], unsigned code, struct span reason)
{
    assert(code >= 1000 && code <= 4999);
    reason = span_head(reason, WS_REASON_MAX);
    put_big_endian(out, code, 2);
    if (reason.len > 0)
        memcpy(out + 2, reason.ptr, reason.len);
    return 2 + reason.len;
}
