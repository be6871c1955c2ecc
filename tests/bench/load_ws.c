/* SPDX-License-Identifier: MIT */
#include "load_ws.h"

/*
 * Only what a measuring client needs, but that in full: the accept hash is checked on every
 * connection, client frames are masked, and 64-bit lengths are read. Fragmented messages are left
 * to the caller, which counts them as bad: no server measured here has a reason to send one.
 */

#include <assert.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

void ws_key(uint64_t seed, char out[WS_KEY_CHARS + 1])
{
    uint64_t nonce[2] = {seed, ~seed};

    EVP_EncodeBlock((unsigned char *)out, (unsigned char *)nonce, sizeof(nonce));
}

size_t ws_request(char *out, size_t capacity, const char *host, const char *path, const char *key,
                  const char *extension)
{
    int n = snprintf(out, capacity,
                     "GET %s HTTP/1.1\r\n"
                     "Host: %s\r\n"
                     "Upgrade: websocket\r\n"
                     "Connection: Upgrade\r\n"
                     "Sec-WebSocket-Key: %s\r\n"
                     "Sec-WebSocket-Version: 13\r\n"
                     "%s%s%s\r\n",
                     path, host, key, extension ? "Sec-WebSocket-Extensions: " : "",
                     extension ? extension : "", extension ? "\r\n" : "");

    return n > 0 && (size_t)n < capacity ? (size_t)n : 0;
}

static void accept_for(const char *key, char out[32])
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    char text[WS_KEY_CHARS + sizeof(guid)];
    unsigned char digest[SHA_DIGEST_LENGTH];
    int n = snprintf(text, sizeof(text), "%s%s", key, guid);

    SHA1((unsigned char *)text, (size_t)n, digest);
    EVP_EncodeBlock((unsigned char *)out, digest, sizeof(digest));
}

/* The value of a header, NULL when it is absent; it ends at the line's end. */
static const char *header_value(const char *head, const char *name)
{
    size_t length = strlen(name);

    for (const char *line = strstr(head, "\r\n"); line; line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, name, length) != 0 || line[length] != ':')
            continue;
        line += length + 1;
        return line + strspn(line, " \t");
    }
    return NULL;
}

static bool value_contains(const char *value, const char *word)
{
    return memmem(value, strcspn(value, "\r\n"), word, strlen(word)) != NULL;
}

bool ws_answer_read(const char *head, const char *key, struct ws_answer *out)
{
    char expected[32];
    const char *accept = header_value(head, "Sec-WebSocket-Accept");
    const char *extensions = header_value(head, "Sec-WebSocket-Extensions");

    accept_for(key, expected);
    if (strncmp(head, "HTTP/1.1 101", 12) != 0 || !accept)
        return false;
    if (strncmp(accept, expected, strlen(expected)) != 0)
        return false;
    out->deflate = extensions && value_contains(extensions, "permessage-deflate");
    out->server_no_context_takeover =
        out->deflate && value_contains(extensions, "server_no_context_takeover");
    return true;
}

static uint64_t big_endian(const uint8_t *bytes, size_t count)
{
    uint64_t value = 0;

    for (size_t i = 0; i < count; i++)
        value = value << 8 | bytes[i];
    return value;
}

bool ws_frame_peek(const uint8_t *bytes, size_t count, struct ws_frame *out)
{
    if (count < 2)
        return false;
    size_t length = bytes[1] & 0x7F;
    size_t length_bytes = length == 127 ? 8 : length == 126 ? 2 : 0;

    if (count < 2 + length_bytes)
        return false;
    out->opcode = bytes[0] & 0x0F;
    out->final = bytes[0] & 0x80;
    out->compressed = bytes[0] & 0x40;
    out->masked = bytes[1] & 0x80;
    out->header_bytes = 2 + length_bytes;
    out->payload_bytes = length_bytes ? big_endian(bytes + 2, length_bytes) : length;
    return true;
}

size_t ws_frame_write(uint8_t *out, enum ws_opcode opcode, const void *payload, size_t bytes,
                      uint32_t mask)
{
    const uint8_t *from = payload;
    size_t at = 0;

    assert(bytes <= UINT16_MAX);
    out[at++] = (uint8_t)(0x80 | opcode);
    if (bytes < 126) {
        out[at++] = (uint8_t)(0x80 | bytes);
    } else {
        out[at++] = 0x80 | 126;
        out[at++] = (uint8_t)(bytes >> 8);
        out[at++] = (uint8_t)bytes;
    }
    const uint8_t *key = memcpy(out + at, &mask, sizeof(mask));
    at += sizeof(mask);
    for (size_t i = 0; i < bytes; i++)
        out[at++] = from[i] ^ key[i % 4];
    return at;
}
