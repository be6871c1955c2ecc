/* SPDX-License-Identifier: MIT */
/* A tunnel's thread, and a hub on loopback that is played here, well or badly. */
#include "streamd/relay/tunnel.h"

#include "tests/streamd/relay/far_hub.h"

static int setup(void **state)
{
    struct far_hub *h = calloc(1, sizeof(*h));
    assert_non_null(h);
    far_hub_begin(h);
    *state = h;
    return 0;
}

static int teardown(void **state)
{
    far_hub_end(*state);
    free(*state);
    return 0;
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
static void ends(struct far_hub *h, int fd, const char *why)
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

static int opens(struct far_hub *h)
{
    int fd = tunnel_open(&h->upstream);
    assert_true(fd >= 0);
    return fd;
}

/* ---- */

static void bytes_go_both_ways_until_the_caller_closes(void **state)
{
    struct far_hub *h = *state;
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
    struct far_hub *h = *state;
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
    struct far_hub *h = *state;
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
    struct far_hub *h = *state;
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
    struct far_hub *h = *state;
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
    struct far_hub *h = *state;
    (void)close(h->listener);
    h->listener = -1;
    ends(h, opens(h), "onnect");
}

/* The hub sees the end of a tunnel whose caller noted why it closed it. */
static void ends_and_keeps_the_note(struct far_hub *h, int fd)
{
    char byte;
    char noted[UPSTREAM_WHY_MAX];
    (void)close(fd);
    do
        await_bytes(h->fd);
    while (recv(h->fd, &byte, 1, 0) > 0);
    upstream_why(&h->upstream, noted);
    assert_string_equal(noted, "the caller's reason");
    (void)close(h->fd);
    h->fd = -1;
}

static void a_caller_that_leaves_at_any_time_ends_it_and_has_said_why(void **state)
{
    struct far_hub *h = *state;
    char key[32];
    upstream_note(&h->upstream, "the caller's reason");
    int fd = opens(h);
    reads_request(h, key);
    ends_and_keeps_the_note(h, fd);
    fd = opens(h);
    accepts(h);
    hub_frames(h, WS_BINARY, "ack\n", 4);
    hears(fd, "ack\n");
    ends_and_keeps_the_note(h, fd);
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
        TUNNEL_TEST(a_caller_that_leaves_at_any_time_ends_it_and_has_said_why),
    };
    return cmocka_run_group_tests_name("streamd/relay/tunnel", tests, NULL, NULL);
}
