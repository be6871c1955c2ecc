/* SPDX-License-Identifier: MIT */
/*
 * CRC-32C (Castagnoli, reflected) with a table of sixteen entries, two look-ups a byte: event files
 * are some megabytes, and a table of 256 would have to be made or written down first.
 */
#include "proto/logs/tfrecord.h"

#include "proto/varint.h"

enum { LENGTH_BYTES = 8, CHECKSUM_BYTES = 4 };

static uint32_t crc32c(struct span bytes)
{
    static const uint32_t table[16] = {
        0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
        0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
        0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
    };
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < bytes.len; i++) {
        crc ^= (unsigned char)bytes.ptr[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}

uint32_t tfrecord_checksum(struct span bytes)
{
    uint32_t crc = crc32c(bytes);
    return (crc >> 15 | crc << 17) + 0xa282ead8U;
}

static bool take_checked(struct span *rest, uint64_t n, struct span *out)
{
    uint64_t sum;
    return bytes_take(rest, n, out) && word_take(rest, CHECKSUM_BYTES, &sum) &&
           sum == tfrecord_checksum(*out);
}

enum status tfrecord_next(struct span *rest, struct span *out, const char **why)
{
    struct span at = *rest;
    struct span length;
    struct span data;
    uint64_t n = 0;
    if (at.len == 0)
        return E_NOT_FOUND;
    *why = "a record is cut off";
    if (at.len < LENGTH_BYTES + CHECKSUM_BYTES)
        return E_MALFORMED;
    if (!take_checked(&at, LENGTH_BYTES, &length)) {
        *why = "the length of a record is damaged";
        return E_MALFORMED;
    }
    (void)word_take(&length, LENGTH_BYTES, &n);
    if (n > at.len || at.len - n < CHECKSUM_BYTES)
        return E_MALFORMED;
    if (!take_checked(&at, n, &data)) {
        *why = "a record is damaged";
        return E_MALFORMED;
    }
    *rest = at;
    *out = data;
    return OK;
}

bool tfrecord_fits(struct span file)
{
    struct span length;
    return take_checked(&file, LENGTH_BYTES, &length);
}
