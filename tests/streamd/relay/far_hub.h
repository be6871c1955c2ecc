/* SPDX-License-Identifier: MIT */
/*
 * far_hub: a relay's hub on loopback, played by the test itself, well or badly.
 *
 * What the relay is to say is waited for with a deadline; anything else ends the test.
 */
#ifndef TESTS_STREAMD_RELAY_FAR_HUB_H
#define TESTS_STREAMD_RELAY_FAR_HUB_H

#include "base/buf.h"
#include "proto/base64.h"
#include "proto/ws_client.h"
#include "streamd/relay/upstream.h"

#include <netinet/in.h>
#include <openssl/sha.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATIENCE_MS = 20000, HEARD_MAX = 1 << 20 };

struct far_hub {
    struct upstream upstream; /* where the relay is to go */
    int listener;
    int fd; /* of the connection under test, at the hub */
};

static inline void far_hub_begin(struct far_hub *h)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(at);
    char url[64];
    h->fd = -1;
    h->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(h->listener, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(h->listener, 4), 0);
    assert_int_equal(getsockname(h->listener, (struct sockaddr *)&at, &len), 0);
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/deep", ntohs(at.sin_port));
    assert_null(upstream_init(&h->upstream, url));
    assert_null(upstream_set_token(&h->upstream, SPAN("secret")));
}

/* Its relay's ends of all tunnels are closed. */
static inline void far_hub_end(struct far_hub *h)
{
    if (h->fd >= 0)
        (void)close(h->fd);
    if (h->listener >= 0)
        (void)close(h->listener);
    upstream_fini(&h->upstream);
    assert_int_equal(h->upstream.tunnels, 0);
}

/* Waits until there is something to read, or the end. */
static inline void await_bytes(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
}

static inline void sends(int fd, const void *bytes, size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = send(fd, (const char *)bytes + done, len - done, MSG_NOSIGNAL);
        assert_true(n > 0);
        done += (size_t)n;
    }
}

/* The request of the upgrade; its key. */
static inline void reads_request(struct far_hub *h, char key[32])
{
    char text[4096];
    size_t len = 0;
    await_bytes(h->listener);
    h->fd = accept(h->listener, NULL, NULL);
    assert_true(h->fd >= 0);
    do {
        ssize_t n = recv(h->fd, text + len, sizeof(text) - 1 - len, 0);
        assert_true(n > 0);
        len += (size_t)n;
        text[len] = '\0';
    } while (!strstr(text, "\r\n\r\n"));
    assert_non_null(strstr(text, "GET /deep/api/training/ingest HTTP/1.1\r\n"));
    assert_non_null(strstr(text, "Authorization: Bearer secret\r\n"));
    const char *at = strstr(text, "Sec-WebSocket-Key: ");
    assert_non_null(at);
    assert_int_equal(sscanf(at + 19, "%31s", key), 1);
}

static inline void accepts(struct far_hub *h)
{
    char key[32];
    unsigned char digest[SHA_DIGEST_LENGTH];
    char text[128];
    struct buf answer;
    reads_request(h, key);
    (void)snprintf(text, sizeof(text), "%s%s", key, WS_GUID);
    (void)SHA1((const unsigned char *)text, strlen(text), digest);
    buf_init(&answer, 4096);
    buf_add_str(&answer, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                         "Connection: Upgrade\r\nSec-WebSocket-Accept: ");
    base64_encode(&answer, (struct span){(const char *)digest, sizeof(digest)});
    buf_add_str(&answer, "\r\n\r\n");
    sends(h->fd, answer.ptr, answer.len);
    buf_fini(&answer);
}

static inline void hub_frames(struct far_hub *h, enum ws_opcode op, const char *payload, size_t len)
{
    unsigned char head[WS_HEADER_MAX];
    sends(h->fd, head, wsframe_header(head, op, false, len));
    sends(h->fd, payload, len);
}

static inline void reads(int fd, unsigned char *out, size_t len)
{
    for (size_t done = 0; done < len;) {
        await_bytes(fd);
        ssize_t n = recv(fd, out + done, len - done, 0);
        assert_true(n > 0);
        done += (size_t)n;
    }
}

/* The next frame of the tunnel, unmasked, with a NUL behind it. */
static inline enum ws_opcode hub_hears(struct far_hub *h, char *out, size_t *out_len)
{
    unsigned char head[2];
    unsigned char more[8];
    unsigned char mask[WS_MASK_BYTES];
    reads(h->fd, head, 2);
    assert_true(head[0] & 0x80 && head[1] & 0x80);
    size_t len = head[1] & 0x7f;
    size_t extra = len == 126 ? 2 : len == 127 ? 8 : 0;
    if (extra > 0)
        reads(h->fd, more, extra);
    for (size_t i = 0; i < extra; i++)
        len = (i == 0 ? 0 : len << 8) | more[i];
    assert_true(len < HEARD_MAX);
    reads(h->fd, mask, sizeof(mask));
    reads(h->fd, (unsigned char *)out, len);
    for (size_t i = 0; i < len; i++)
        out[i] = (char)(out[i] ^ mask[i % WS_MASK_BYTES]);
    out[len] = '\0';
    *out_len = len;
    return head[0] & 0x0f;
}

static inline void hub_hears_text(struct far_hub *h, enum ws_opcode op, const char *text)
{
    char heard[4096];
    size_t len;
    assert_int_equal(hub_hears(h, heard, &len), op);
    assert_string_equal(heard, text);
}

#endif
