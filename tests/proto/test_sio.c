/* SPDX-License-Identifier: MIT */
#include "proto/sio.h"

#include "tests/support/guarded.h"
#include "tests/support/random.h"
#include "tests/support/vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const cJSON *member(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static const char *text_of(const cJSON *object, const char *name)
{
    return cJSON_GetStringValue(member(object, name));
}

static unsigned unsigned_of(const cJSON *object, const char *name)
{
    const cJSON *item = member(object, name);
    return item ? (unsigned)item->valueint : 0;
}

/* Absent is empty. */
static void assert_text(struct span actual, const cJSON *object, const char *name)
{
    assert_true(span_eq(actual, span_of(text_of(object, name))));
}

static void check_packet(const struct sio_packet *p, const cJSON *one)
{
    const cJSON *id = member(one, "id");
    assert_int_equal(p->type, member(one, "type")->valueint);
    assert_int_equal(p->attachments, unsigned_of(one, "attachments"));
    assert_int_equal(p->has_id, id != NULL);
    assert_int_equal(p->id, id ? (uint64_t)id->valuedouble : 0);
    assert_text(p->nsp, one, "nsp");
    assert_text(p->data, one, "data");
    assert_text(p->event, one, "event");
    assert_int_equal(p->refused != NULL, cJSON_IsTrue(member(one, "refused")));
}

static void packets_are_read_and_written_as_the_vectors_say(void **state)
{
    (void)state;
    cJSON *file = vectors_read("tests/vectors/sio.json");
    const cJSON *one;
    struct buf b;
    int count = 0;
    buf_init(&b, 1000);
    cJSON_ArrayForEach(one, member(file, "packets"))
    {
        struct guarded text = guarded_text(text_of(one, "text"));
        struct sio_packet packet;
        const char *why = NULL;
        assert_int_equal(sio_decode(text.span, &packet, &why), OK);
        assert_null(why);
        check_packet(&packet, one);
        buf_reset(&b);
        sio_write_packet(&b, &packet);
        if (text_of(one, "written")) {
            assert_text(buf_span(&b), one, "written");
        } else {
            assert_int_equal(b.ptr[0], '4');
            assert_true(span_eq((struct span){b.ptr + 1, b.len - 1}, text.span));
        }
        guarded_free(&text);
        count++;
    }
    assert_int_equal(count, 35);
    buf_fini(&b);
    cJSON_Delete(file);
}

static void bad_packets_are_refused_with_a_reason(void **state)
{
    (void)state;
    cJSON *file = vectors_read("tests/vectors/sio.json");
    const cJSON *one;
    int count = 0;
    cJSON_ArrayForEach(one, member(file, "bad"))
    {
        struct guarded text = guarded_text(text_of(one, "text"));
        struct sio_packet packet = {.id = 12345};
        const char *why = NULL;
        bool limit = strcmp(text_of(one, "why"), "limit") == 0;
        assert_int_equal(sio_decode(text.span, &packet, &why), limit ? E_LIMIT : E_MALFORMED);
        assert_true(why && strlen(why) > 0);
        assert_int_equal(packet.id, 12345); /* untouched */
        guarded_free(&text);
        count++;
    }
    assert_int_equal(count, 49);
    cJSON_Delete(file);
}

static void a_namespace_has_a_longest(void **state)
{
    (void)state;
    struct sio_packet packet;
    const char *why;
    struct buf text;
    buf_init(&text, 20000);
    for (size_t len = SIO_NSP_MAX - 1; len < 10000; len = len * 2 + 1) {
        buf_reset(&text);
        buf_add_str(&text, "0/");
        while (text.len < len)
            buf_add_char(&text, 'n');
        buf_add_str(&text, ",");
        enum status expected = len - 1 <= SIO_NSP_MAX ? OK : E_LIMIT;
        assert_int_equal(sio_decode(buf_span(&text), &packet, &why), expected);
    }
    assert_int_equal(sio_decode(SPAN("0/\xff,"), &packet, &why), E_MALFORMED);
    buf_fini(&text);
}

static void deep_json_is_refused_not_followed(void **state)
{
    (void)state;
    struct sio_packet packet;
    const char *why;
    struct buf text;
    buf_init(&text, 3000000);
    buf_add_str(&text, "2[\"deep\",");
    for (int i = 0; i < 1000000; i++)
        buf_add_char(&text, '[');
    assert_int_equal(sio_decode(buf_span(&text), &packet, &why), E_MALFORMED);
    buf_reset(&text);
    buf_add_char(&text, '0');
    for (int i = 0; i < 1000; i++)
        buf_add_str(&text, "{\"a\":");
    assert_int_equal(sio_decode(buf_span(&text), &packet, &why), OK);
    assert_non_null(packet.refused);
    buf_fini(&text);
}

static void writers_write_the_whole_engine_io_message(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1000);
    sio_write_connect(&b, SPAN("/"), SPAN("{\"sid\":\"x\"}"));
    assert_true(span_is(buf_span(&b), "40{\"sid\":\"x\"}"));
    buf_reset(&b);
    sio_write_connect(&b, SPAN("/custom"), SPAN("{\"sid\":\"x\"}"));
    assert_true(span_is(buf_span(&b), "40/custom,{\"sid\":\"x\"}"));
    buf_reset(&b);
    sio_write_connect_error(&b, SPAN("/random"), SPAN("Invalid namespace"));
    assert_true(span_is(buf_span(&b), "44/random,{\"message\":\"Invalid namespace\"}"));
    buf_reset(&b);
    sio_write_connect_error(&b, SPAN("/"), SPAN("say \"x\"\n"));
    assert_true(span_is(buf_span(&b), "44{\"message\":\"say \\\"x\\\"\\n\"}"));
    buf_reset(&b);
    sio_write_disconnect(&b, SPAN("/admin"));
    assert_true(span_is(buf_span(&b), "41/admin,"));
    buf_reset(&b);
    sio_write_event(&b, SPAN("/"), SPAN("progress_update"), SPAN("{\"status\":\"running\"}"));
    assert_true(span_is(buf_span(&b), "42[\"progress_update\",{\"status\":\"running\"}]"));
    buf_reset(&b);
    sio_write_event(&b, SPAN("/x"), SPAN("bare"), (struct span){NULL, 0});
    assert_true(span_is(buf_span(&b), "42/x,[\"bare\"]"));
    buf_reset(&b);
    sio_write_marked_event(&b, SPAN("/"), SPAN("e"), SPAN("{}"), SPAN("17"));
    assert_true(span_is(buf_span(&b), "42[\"e\",{},\"17\"]"));
    buf_reset(&b);
    sio_write_ack(&b, SPAN("/"), 456, SPAN("[1,\"2\"]"));
    assert_true(span_is(buf_span(&b), "43456[1,\"2\"]"));
    assert_int_equal(buf_status(&b), OK);
    buf_fini(&b);
}

/* Any text made of the protocol's own letters is read or refused, within its bounds. */
static void random_texts_are_read_or_refused(void **state)
{
    (void)state;
    static const char letters[] = "0123456-/,?[]{}\"a:\\ 9.e\xff";
    struct random chance = random_seeded(14);
    size_t good = 0;
    for (int i = 0; i < 100000; i++) {
        char text[24];
        size_t len = random_below(&chance, sizeof(text));
        for (size_t j = 0; j < len; j++)
            text[j] = letters[random_below(&chance, sizeof(letters) - 1)];
        struct guarded g = guarded_copy(text, len);
        struct sio_packet packet;
        const char *why = NULL;
        if (sio_decode(g.span, &packet, &why) == OK) {
            good++;
            assert_true(packet.nsp.len >= 1 && packet.nsp.ptr[0] == '/');
        } else {
            assert_non_null(why);
        }
        guarded_free(&g);
    }
    assert_true(good > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_are_read_and_written_as_the_vectors_say),
        cmocka_unit_test(bad_packets_are_refused_with_a_reason),
        cmocka_unit_test(a_namespace_has_a_longest),
        cmocka_unit_test(deep_json_is_refused_not_followed),
        cmocka_unit_test(writers_write_the_whole_engine_io_message),
        cmocka_unit_test(random_texts_are_read_or_refused),
    };
    return cmocka_run_group_tests_name("proto/sio", tests, NULL, NULL);
}
