/* SPDX-License-Identifier: MIT */
/* A tunnel's thread, and a hub on loopback that is played here, well or badly. */
#include "streamd/relay/tunnel.h"

#include "base/buf.h"
#include "proto/base64.h"
#include "proto/ws_client.h"

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

struct hub {
    struct upstream upstream;
    int listener;
    int fd; /* of the connection under test, at the hub */
};

static int setup(void **state)
{
    struct hub *h = calloc(1, sizeof(*h));
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(at);
    char url[64];
    assert_non_null(h);
    h->fd = -1;
    h->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(h->listener, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(h->listener, 4), 0);
    assert_int_equal(getsockname(h->listener, (struct sockaddr *)&at, &len), 0);
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/deep", ntohs(at.sin_port));
    assert_null(upstream_init(&h->upstream, url));
    assert_null(upstream_set_token(&h->upstream, SPAN("secret")));
    *state = h;
    return 0;
}

static int teardown(void **state)
{
    struct hub *h = *state;
    if (h->fd >= 0)
        (void)close(h->fd);
    (void)close(h->listener);
    upstream_fini(&h->upstream);
    assert_int_equal(h->upstream.tunnels, 0);
    free(h);
    return 0;
}

/* Waits until there is something to read, or the end. */
static void await_bytes(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
}

static void sends(int fd, const void *bytes, size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = send(fd, (const char *)bytes + done, len - done, MSG_NOSIGNAL);
        assert_true(n > 0);
        done += (size_t)n;
    }
}

/* ---- the hub ---- */

/* The request of the upgrade; its key. */
static void reads_request(struct hub *h, char key[32])
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

static void accepts(struct hub *h)
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

static void hub_frames(struct hub *h, enum ws_opcode op, const char *payload, size_t len)
{
    unsigned char head[WS_HEADER_MAX];
    sends(h->fd, head, wsframe_header(head, op, false, len));
    sends(h->fd, payload, len);
}

static void reads(int fd, unsigned char *out, size_t len)
{
    for (size_t done = 0; done < len;) {
        await_bytes(fd);
        ssize_t n = recv(fd, out + done, len - done, 0);
        assert_true(n > 0);
        done += (size_t)n;
    }
}

/* The next frame of the tunnel, unmasked, with a NUL behind it. */
static enum ws_opcode hub_hears(struct hub *h, char *out, size_t *out_len)
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

static void hub_hears_text(struct hub *h, enum ws_opcode op, const char *text)
{
    char heard[4096];
    size_t len;
    assert_int_equal(hub_hears(h, heard, &len), op);
    assert_string_equal(heard, text);
}

/* ---- the caller ---- */

static void hears(int fd, const char *text)
{
    char heard[256];
    assert_true(strlen(text) < sizeof(heard));
    reads(fd, (unsigned char *)heard, strlen(text));
    assert_memory_equal(heard, text, strlen(text));
}

/* The tunnel has ended, and that is why. */
static void ends(struct hub *h, int fd, const char *why)
{
    char byte;
    char noted[UPSTREAM_WHY_MAX];
    await_bytes(fd);
    assert_int_equal(recv(fd, &byte, 1, 0), 0);
    upstream_why(&h->upstream, noted);
    if (!strstr(noted, why))
        fail_msg("\"%s\" is not in \"%s\"", why, noted);
    (void)close(fd);
}

static int opens(struct hub *h)
{
    int fd = tunnel_open(&h->upstream);
    assert_true(fd >= 0);
    return fd;
}

/* ---- */

static void bytes_go_both_ways_until_the_caller_closes(void **state)
{
    struct hub *h = *state;
    int fd = opens(h);
    accepts(h);
    sends(fd, "lines\n", 6);
    hub_hears_text(h, WS_BINARY, "lines\n");
    hub_frames(h, WS_BINARY, "ack\n", 4);
    hub_frames(h, WS_TEXT, "ack 2\n", 6);
    hears(fd, "ack\nack 2\n");
    hub_frames(h, WS_PING, "there?", 6);
    hub_hears_text(h, WS_PONG, "there?");
    hub_frames(h, WS_PONG, "", 0);
    sends(fd, "last\n", 5);
    (void)close(fd);
    hub_hears_text(h, WS_BINARY, "last\n");
    hub_hears_text(h, WS_CLOSE, "\x03\xe8");
}

static void much_that_the_hub_is_late_to_read_all_comes(void **state)
{
    enum { PIECES = 64, PIECE = 32 * 1024 };
    struct hub *h = *state;
    static char piece[PIECE];
    static char heard[HEARD_MAX];
    size_t total = 0;
    int fd = opens(h);
    accepts(h);
    for (unsigned sent = 0; sent < PIECES || total < PIECES * PIECE;) {
        struct pollfd fds[] = {{.fd = fd, .events = sent < PIECES ? POLLOUT : 0},
                               {.fd = h->fd, .events = POLLIN}};
        size_t len;
        assert_true(poll(fds, 2, PATIENCE_MS) > 0);
        if (fds[0].revents & POLLOUT) {
            memset(piece, (int)('a' + sent % 26), PIECE);
            ssize_t n = send(fd, piece, PIECE, MSG_NOSIGNAL | MSG_DONTWAIT);
            assert_true(n == PIECE || n < 0);
            sent += n == PIECE;
        }
        if (fds[1].revents & POLLIN) {
            assert_int_equal(hub_hears(h, heard, &len), WS_BINARY);
            for (size_t i = 0; i < len; i++)
                assert_int_equal(heard[i], 'a' + (total + i) / PIECE % 26);
            total += len;
        }
    }
    (void)close(fd);
}

static void what_the_hub_says_at_last_is_heard_and_why_it_goes(void **state)
{
    struct hub *h = *state;
    int fd = opens(h);
    accepts(h);
    hub_frames(h, WS_BINARY, "bye\n", 4);
    hub_frames(h, WS_CLOSE, "\x0f\xa1too many", 10);
    hears(fd, "bye\n");
    ends(h, fd, "the hub says: too many");

    fd = opens(h);
    (void)close(h->fd);
    accepts(h);
    hub_frames(h, WS_CLOSE, "", 0);
    ends(h, fd, "the hub says: goodbye");
}

static void a_hub_that_misbehaves_ends_it(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        const char *why;
    } cases[] = {
        {"", 0, "closed the connection"},
        {"\x82\x81zzzzz", 7, "no WebSocket frames"},             /* masked */
        {"\x82\x7f\0\0\0\0\0\2\0\0", 10, "no WebSocket frames"}, /* as large as none is */
    };
    struct hub *h = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int fd = opens(h);
        accepts(h);
        sends(h->fd, cases[i].bytes, cases[i].len);
        (void)shutdown(h->fd, SHUT_WR);
        ends(h, fd, cases[i].why);
        (void)close(h->fd);
        h->fd = -1;
    }
}

static void a_hub_that_is_none_is_told_apart(void **state)
{
    static const struct {
        const char *answer;
        const char *why;
    } cases[] = {
        {"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", "the hub answers 401"},
        {"SSH-2.0-OpenSSH\r\n\r\n", "there is no hub"},
        {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n",
         "the hub answers 101"},
        {"HTTP/1.1 200", "closed the connection"},
    };
    struct hub *h = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char key[32];
        int fd = opens(h);
        reads_request(h, key);
        sends(h->fd, cases[i].answer, strlen(cases[i].answer));
        (void)shutdown(h->fd, SHUT_WR);
        ends(h, fd, cases[i].why);
        (void)close(h->fd);
        h->fd = -1;
    }
}

static void a_hub_that_is_away_is_no_way(void **state)
{
    struct hub *h = *state;
    (void)close(h->listener);
    h->listener = -1;
    ends(h, opens(h), "onnect");
}

static void a_caller_that_leaves_meanwhile_ends_it(void **state)
{
    struct hub *h = *state;
    char key[32];
    int fd = opens(h);
    reads_request(h, key);
    (void)close(fd);
    char byte;
    await_bytes(h->fd);
    assert_int_equal(recv(h->fd, &byte, 1, 0), 0);
}

#define TUNNEL_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TUNNEL_TEST(bytes_go_both_ways_until_the_caller_closes),
        TUNNEL_TEST(much_that_the_hub_is_late_to_read_all_comes),
        TUNNEL_TEST(what_the_hub_says_at_last_is_heard_and_why_it_goes),
        TUNNEL_TEST(a_hub_that_misbehaves_ends_it),
        TUNNEL_TEST(a_hub_that_is_none_is_told_apart),
        TUNNEL_TEST(a_hub_that_is_away_is_no_way),
        TUNNEL_TEST(a_caller_that_leaves_meanwhile_ends_it),
    };
    return cmocka_run_group_tests_name("streamd/relay/tunnel", tests, NULL, NULL);
}
