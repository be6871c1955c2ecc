/* SPDX-License-Identifier: MIT */
#include "proto/eio.h"

#include "tests/support/guarded.h"
#include "tests/support/oom.h"
#include "tests/support/random.h"
#include "tests/support/vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { MAX_PACKETS = 16 };

static const cJSON *member(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static const char *text_of(const cJSON *object, const char *name)
{
    return cJSON_GetStringValue(member(object, name));
}

static void text_frames_are_read_as_the_vectors_say(void **state)
{
    (void)state;
    cJSON *file = vectors_read("tests/vectors/eio.json");
    const cJSON *one;
    int count = 0;
    cJSON_ArrayForEach(one, member(file, "packets"))
    {
        struct guarded frame = guarded_text(text_of(one, "frame"));
        struct eio_packet packet;
        if (cJSON_IsNull(member(one, "type"))) {
            assert_int_equal(eio_decode(frame.span, &packet), E_MALFORMED);
        } else {
            assert_int_equal(eio_decode(frame.span, &packet), OK);
            assert_int_equal(packet.type, member(one, "type")->valueint);
            assert_false(packet.binary);
            assert_true(span_is(packet.data, text_of(one, "data")));
        }
        guarded_free(&frame);
        count++;
    }
    assert_int_equal(count, 17);
    cJSON_Delete(file);
}

/* The bytes of a packet as the vectors write them. */
static struct span bytes_of(const cJSON *packet, char *room)
{
    const char *hex = text_of(packet, "hex");
    if (!hex)
        return span_of(text_of(packet, "data"));
    size_t len = strlen(hex) / 2;
    for (size_t i = 0; i < len; i++) {
        char digits[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
        room[i] = (char)strtoul(digits, NULL, 16);
    }
    return (struct span){room, len};
}

static void check_packet(const struct eio_packet *packet, const cJSON *expected)
{
    char room[16];
    assert_int_equal(packet->type, member(expected, "type")->valueint);
    assert_int_equal(packet->binary, text_of(expected, "hex") != NULL);
    assert_true(span_eq(packet->data, bytes_of(expected, room)));
}

static enum status read_payload(struct span body, const cJSON *expected, struct buf *scratch)
{
    struct eio_payload payload;
    struct eio_packet packet;
    enum status status = eio_payload_init(&payload, body, MAX_PACKETS, scratch);
    if (status != OK) {
        assert_int_equal(cJSON_GetArraySize(expected), 0);
        return status;
    }
    int n = 0;
    while ((status = eio_payload_next(&payload, &packet)) == OK)
        check_packet(&packet, cJSON_GetArrayItem(expected, n++));
    assert_int_equal(n, cJSON_GetArraySize(expected));
    return status;
}

static void write_payload(struct buf *b, const cJSON *packets)
{
    const cJSON *one;
    cJSON_ArrayForEach(one, packets)
    {
        char room[16];
        struct buf packet;
        if (text_of(one, "hex")) {
            eio_payload_add_binary(b, bytes_of(one, room));
            continue;
        }
        buf_init(&packet, 100);
        eio_write_text(&packet, (enum eio_type)member(one, "type")->valueint, bytes_of(one, room));
        eio_payload_add_text(b, buf_span(&packet));
        buf_fini(&packet);
    }
}

static void payloads_are_read_and_written_as_the_vectors_say(void **state)
{
    (void)state;
    cJSON *file = vectors_read("tests/vectors/eio.json");
    const cJSON *one;
    struct buf scratch;
    struct buf written;
    int count = 0;
    buf_init(&scratch, 100);
    buf_init(&written, 1000);
    cJSON_ArrayForEach(one, member(file, "payloads"))
    {
        struct guarded body = guarded_text(text_of(one, "body"));
        bool bad = cJSON_IsTrue(member(one, "error"));
        enum status status = read_payload(body.span, member(one, "packets"), &scratch);
        if (bad) {
            assert_true(status == E_MALFORMED || status == E_LIMIT);
        } else {
            assert_int_equal(status, E_NOT_FOUND);
            buf_reset(&written);
            write_payload(&written, member(one, "packets"));
            assert_true(span_eq(buf_span(&written), body.span));
        }
        guarded_free(&body);
        count++;
    }
    assert_int_equal(count, 17);
    buf_fini(&scratch);
    buf_fini(&written);
    cJSON_Delete(file);
}

static void the_handshake_is_written_as_the_vectors_say(void **state)
{
    (void)state;
    cJSON *file = vectors_read("tests/vectors/eio.json");
    const cJSON *one;
    struct buf b;
    buf_init(&b, 1000);
    assert_int_equal(cJSON_GetArraySize(member(file, "opens")), 2);
    cJSON_ArrayForEach(one, member(file, "opens"))
    {
        struct eio_open open = {
            .sid = span_of(text_of(one, "sid")),
            .upgrades = cJSON_IsTrue(member(one, "upgrades")),
            .ping_interval_ms = (uint32_t)member(one, "pingInterval")->valuedouble,
            .ping_timeout_ms = (uint32_t)member(one, "pingTimeout")->valuedouble,
            .max_payload_bytes = (uint32_t)member(one, "maxPayload")->valuedouble,
        };
        buf_reset(&b);
        eio_write_open(&b, &open);
        assert_true(span_is(buf_span(&b), text_of(one, "packet")));
    }
    buf_fini(&b);
    cJSON_Delete(file);
}

static void a_binary_frame_is_a_message_whole(void **state)
{
    (void)state;
    struct eio_packet packet = eio_decode_binary(SPAN("4\0x"));
    assert_int_equal(packet.type, EIO_MESSAGE);
    assert_true(packet.binary);
    assert_true(span_eq(packet.data, SPAN("4\0x")));
}

static void a_payload_that_is_not_utf8_is_refused_before_its_first_packet(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "4\xff",
        "4ok\x1e\x34\xc0\xaf",
        "4\xed\xa0\x80",
        "4\xe2\x82\x1e\x34",
    };
    struct eio_payload payload;
    struct buf scratch;
    buf_init(&scratch, 100);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(eio_payload_init(&payload, span_of(bad[i]), MAX_PACKETS, &scratch),
                         E_MALFORMED);
    buf_fini(&scratch);
}

static void the_limits_are_told_from_bad_grammar(void **state)
{
    (void)state;
    static const char large_then_small[] = "bAQIDBA==\x1e"
                                           "bAQID";
    struct eio_payload payload;
    struct eio_packet packet;
    struct buf scratch;
    buf_init(&scratch, 3);
    assert_int_equal(eio_payload_init(&payload, SPAN(large_then_small), 1, &scratch), E_LIMIT);
    assert_int_equal(eio_payload_init(&payload, SPAN(large_then_small), 2, &scratch), OK);
    assert_int_equal(eio_payload_next(&payload, &packet), E_LIMIT);
    assert_int_equal(eio_payload_next(&payload, &packet), OK); /* the buf is not failed for good */
    assert_true(span_is(packet.data, "\x01\x02\x03"));
    buf_fini(&scratch);
}

/* One packet of a payload: text with its type digit, or bytes. */
struct made {
    char bytes[20];
    size_t len;
    bool binary;
};

static struct made make_packet(struct random *chance)
{
    struct made m = {.binary = random_below(chance, 2)};
    m.len = 1 + random_below(chance, sizeof(m.bytes) - 1);
    for (size_t i = 0; i < m.len; i++)
        m.bytes[i] = (char)(m.binary ? random_below(chance, 256) : ' ' + random_below(chance, 95));
    if (!m.binary)
        m.bytes[0] = (char)('0' + random_below(chance, 7));
    return m;
}

static void check_made(const struct eio_packet *packet, const struct made *m)
{
    size_t digit = m->binary ? 0 : 1;
    assert_int_equal(packet->binary, m->binary);
    assert_true(span_eq(packet->data, (struct span){m->bytes + digit, m->len - digit}));
}

static void random_packets_come_back_from_their_payload(void **state)
{
    (void)state;
    struct random chance = random_seeded(13);
    struct buf body;
    struct buf scratch;
    buf_init(&body, 100000);
    buf_init(&scratch, 1000);
    for (int round = 0; round < 2000; round++) {
        struct made made[MAX_PACKETS];
        size_t n = 1 + random_below(&chance, MAX_PACKETS);
        buf_reset(&body);
        for (size_t i = 0; i < n; i++) {
            made[i] = make_packet(&chance);
            struct span packet = {made[i].bytes, made[i].len};
            (made[i].binary ? eio_payload_add_binary : eio_payload_add_text)(&body, packet);
        }
        struct eio_payload payload;
        struct eio_packet packet;
        struct guarded g = guarded_copy(body.ptr, body.len);
        assert_int_equal(eio_payload_init(&payload, g.span, n, &scratch), OK);
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(eio_payload_next(&payload, &packet), OK);
            check_made(&packet, &made[i]);
        }
        assert_int_equal(eio_payload_next(&payload, &packet), E_NOT_FOUND);
        assert_int_equal(eio_payload_next(&payload, &packet), E_NOT_FOUND);
        guarded_free(&g);
    }
    buf_fini(&body);
    buf_fini(&scratch);
}

static void out_of_memory_is_told_from_bad_grammar(void **state)
{
    (void)state;
    struct eio_payload payload;
    struct eio_packet packet;
    struct buf scratch;
    buf_init(&scratch, 100);
    assert_int_equal(eio_payload_init(&payload, SPAN("bAQID"), 1, &scratch), OK);
    oom_fail(1);
    assert_int_equal(eio_payload_next(&payload, &packet), E_NOMEM);
    assert_true(oom_failed());
    buf_fini(&scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_frames_are_read_as_the_vectors_say),
        cmocka_unit_test(payloads_are_read_and_written_as_the_vectors_say),
        cmocka_unit_test(the_handshake_is_written_as_the_vectors_say),
        cmocka_unit_test(a_binary_frame_is_a_message_whole),
        cmocka_unit_test(a_payload_that_is_not_utf8_is_refused_before_its_first_packet),
        cmocka_unit_test(the_limits_are_told_from_bad_grammar),
        cmocka_unit_test(random_packets_come_back_from_their_payload),
        cmocka_unit_test(out_of_memory_is_told_from_bad_grammar),
    };
    return cmocka_run_group_tests_name("proto/eio", tests, NULL, NULL);
}
