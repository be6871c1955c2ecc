/* SPDX-License-Identifier: MIT */
#include "proto/ws_client.h"

#include "tests/support/guarded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* The key and its answer are the RFC's own example. */
#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
#define GOOD                                                                                       \
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n"            \
    "sec-websocket-accept:  " ACCEPT "\r\n\r\n"

static void a_request_has_its_token_only_where_there_is_one(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1024);
    struct ws_request r = {.host = SPAN("hub:5001"), .path = SPAN("/in"), .key = SPAN(KEY)};
    ws_client_request(&b, &r);
    buf_add_char(&b, '\0');
    assert_string_equal(b.ptr, "GET /in HTTP/1.1\r\nHost: hub:5001\r\nUpgrade: websocket\r\n"
                               "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                               "Sec-WebSocket-Key: " KEY "\r\n\r\n");
    buf_reset(&b);
    r.token = SPAN("secret");
    ws_client_request(&b, &r);
    buf_add_char(&b, '\0');
    assert_non_null(strstr(b.ptr, "\r\nAuthorization: Bearer secret\r\n\r\n"));
    buf_fini(&b);
}

static void an_answer_is_judged_once_it_is_whole(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum ws_answer expected;
        unsigned status;
    } cases[] = {
        {GOOD, WS_ANSWER_ACCEPTED, 101},
        {GOOD "\x81\x01x", WS_ANSWER_ACCEPTED, 101},
        {"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n",
         WS_ANSWER_REFUSED, 101},
        {"HTTP/1.1 101 X\r\nSec-WebSocket-Accept: " ACCEPT "\r\n\r\n", WS_ANSWER_REFUSED, 101},
        {"HTTP/1.1 401 Unauthorized\r\n\r\n", WS_ANSWER_REFUSED, 401},
        {"HTTP/1.1 \r\n\r\n", WS_ANSWER_REFUSED, 0},
        {"SSH-2.0-x\r\n\r\n", WS_ANSWER_REFUSED, 0},
        {"\r\n\r\n", WS_ANSWER_REFUSED, 0},
        {"", WS_ANSWER_PARTIAL, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        unsigned status = 1;
        size_t used = 0;
        struct guarded g = guarded_copy(cases[i].text, strlen(cases[i].text));
        assert_int_equal(ws_client_answer(g.span, SPAN(ACCEPT), &status, &used), cases[i].expected);
        assert_int_equal(status, cases[i].status);
        assert_int_equal(used, cases[i].expected == WS_ANSWER_ACCEPTED ? strlen(GOOD) : 0);
        guarded_free(&g);
    }
    for (size_t len = 0; len < strlen(GOOD); len++) {
        unsigned status;
        size_t used;
        struct guarded g = guarded_copy(GOOD, len);
        assert_int_equal(ws_client_answer(g.span, SPAN(ACCEPT), &status, &used), WS_ANSWER_PARTIAL);
        guarded_free(&g);
    }
}

static void headers_without_end_are_refused(void **state)
{
    (void)state;
    unsigned status;
    size_t used;
    static char text[WS_HEAD_MAX + 1];
    memset(text, 'x', sizeof(text));
    assert_int_equal(
        ws_client_answer((struct span){text, WS_HEAD_MAX}, SPAN(ACCEPT), &status, &used),
        WS_ANSWER_PARTIAL);
    assert_int_equal(
        ws_client_answer((struct span){text, sizeof(text)}, SPAN(ACCEPT), &status, &used),
        WS_ANSWER_REFUSED);
}

static void a_frame_is_masked(void **state)
{
    (void)state;
    /* RFC 6455, section 5.7. */
    const unsigned char mask[WS_MASK_BYTES] = {0x37, 0xfa, 0x21, 0x3d};
    const unsigned char expected[] = {0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d,
                                      0x7f, 0x9f, 0x4d, 0x51, 0x58};
    struct buf b;
    buf_init(&b, 64);
    ws_client_frame(&b, WS_TEXT, mask, SPAN("Hello"));
    assert_int_equal(b.len, sizeof(expected));
    assert_memory_equal(b.ptr, expected, sizeof(expected));
    static const char long_text[100];
    ws_client_frame(&b, WS_BINARY, mask, (struct span){long_text, sizeof(long_text)});
    assert_int_equal(buf_status(&b), E_LIMIT);
    assert_int_equal(b.len, sizeof(expected));
    buf_fini(&b);
}

static void frames_are_read_when_they_are_whole(void **state)
{
    (void)state;
    static const size_t lens[] = {0, 1, 125, 126, 65535, 65536};
    static char payload[65536];
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        unsigned char head[WS_HEADER_MAX];
        size_t n = wsframe_header(head, WS_BINARY, false, lens[i]);
        struct ws_frame f;
        struct buf b;
        buf_init(&b, 1 << 20);
        buf_add(&b, head, n);
        buf_add(&b, payload, lens[i]);
        struct guarded g = guarded_copy(b.ptr, b.len);
        assert_int_equal(ws_client_read(g.span, 65536, &f), WS_READ_FRAME);
        assert_int_equal(f.op, WS_BINARY);
        assert_int_equal(f.payload.len, lens[i]);
        assert_int_equal(f.bytes, b.len);
        if (lens[i] > 0)
            assert_int_equal(ws_client_read(g.span, lens[i] - 1, &f), WS_READ_BAD);
        guarded_free(&g);
        for (size_t cut = 0; cut < b.len; cut += cut < n + 2 ? 1 : b.len / 3 + 1) {
            struct guarded part = guarded_copy(b.ptr, cut);
            assert_int_equal(ws_client_read(part.span, 65536, &f), WS_READ_MORE);
            guarded_free(&part);
        }
        buf_fini(&b);
    }
}

static void what_no_server_may_send_is_bad(void **state)
{
    (void)state;
    static const char *const cases[] = {"\xc1\x01x", "\x83\x01x", "\x8f\x01x", "\x81\x81mmmmx"};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ws_frame f;
        assert_int_equal(ws_client_read(span_of(cases[i]), 100, &f), WS_READ_BAD);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_has_its_token_only_where_there_is_one),
        cmocka_unit_test(an_answer_is_judged_once_it_is_whole),
        cmocka_unit_test(headers_without_end_are_refused),
        cmocka_unit_test(a_frame_is_masked),
        cmocka_unit_test(frames_are_read_when_they_are_whole),
        cmocka_unit_test(what_no_server_may_send_is_bad),
    };
    return cmocka_run_group_tests_name("proto/ws_client", tests, NULL, NULL);
}
