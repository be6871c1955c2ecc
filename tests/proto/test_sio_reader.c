/* SPDX-License-Identifier: MIT */
#include "proto/sio_reader.h"

#include "tests/support/guarded.h"
#include "tests/support/oom.h"
#include "tests/support/random.h"
#include "tests/support/vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { MAX_BYTES = 1000 };

/* Feeds bytes that are gone afterwards: what is held must be a copy. */
static enum sio_progress feed_text(struct sio_reader *r, struct span text, struct sio_message *out,
                                   const char **why)
{
    struct guarded g = guarded_copy(text.ptr, text.len);
    enum sio_progress progress = sio_reader_text(r, g.span, out, why);
    guarded_free(&g);
    return progress;
}

static enum sio_progress feed_binary(struct sio_reader *r, struct span bytes,
                                     struct sio_message *out, const char **why)
{
    struct guarded g = guarded_copy(bytes.ptr, bytes.len);
    enum sio_progress progress = sio_reader_binary(r, g.span, out, why);
    guarded_free(&g);
    return progress;
}

static const char two[] = "52-/x,7[\"a\",{\"_placeholder\":true,\"num\":0},"
                          "{\"_placeholder\":true,\"num\":1}]";

static void a_text_packet_is_whole_at_once_and_costs_no_memory(void **state)
{
    (void)state;
    struct sio_reader r;
    struct sio_message message;
    const char *why = NULL;
    sio_reader_init(&r, MAX_BYTES, SIO_ATTACHMENTS_MAX);
    assert_int_equal(sio_reader_text(&r, SPAN("2[\"a\",1]"), &message, &why), SIO_PACKET);
    assert_true(span_is(message.packet.event, "a"));
    assert_int_equal(message.packet.attachments, 0);
    assert_null(r.held);
    sio_reader_fini(&r);
}

static void a_binary_packet_is_whole_with_its_last_attachment(void **state)
{
    (void)state;
    struct sio_reader r;
    struct sio_message message;
    const char *why = NULL;
    sio_reader_init(&r, MAX_BYTES, SIO_ATTACHMENTS_MAX);
    assert_int_equal(feed_text(&r, SPAN(two), &message, &why), SIO_NEED_MORE);
    assert_int_equal(feed_binary(&r, SPAN("\x01\0\x03"), &message, &why), SIO_NEED_MORE);
    assert_int_equal(feed_binary(&r, SPAN("456"), &message, &why), SIO_PACKET);
    assert_int_equal(message.packet.type, SIO_BINARY_EVENT);
    assert_int_equal(message.packet.id, 7);
    assert_int_equal(message.packet.attachments, 2);
    assert_true(span_is(message.packet.nsp, "/x"));
    assert_true(span_is(message.packet.event, "a"));
    assert_true(span_is(message.packet.data, strchr(two, '[')));
    assert_true(span_eq(message.attachments[0], SPAN("\x01\0\x03")));
    assert_true(span_eq(message.attachments[1], SPAN("456")));

    /* The next packet begins afresh. */
    assert_int_equal(feed_text(&r, SPAN("2[\"b\"]"), &message, &why), SIO_PACKET);
    assert_null(r.held);
    sio_reader_fini(&r);
}

static void empty_attachments_count_too(void **state)
{
    (void)state;
    struct sio_reader r;
    struct sio_message message;
    const char *why = NULL;
    sio_reader_init(&r, MAX_BYTES, SIO_ATTACHMENTS_MAX);
    assert_int_equal(feed_text(&r, SPAN(two), &message, &why), SIO_NEED_MORE);
    assert_int_equal(sio_reader_binary(&r, (struct span){NULL, 0}, &message, &why), SIO_NEED_MORE);
    assert_int_equal(sio_reader_binary(&r, (struct span){NULL, 0}, &message, &why), SIO_PACKET);
    assert_int_equal(message.attachments[0].len, 0);
    assert_int_equal(message.attachments[1].len, 0);
    sio_reader_fini(&r);
}

static void placeholders_must_name_each_attachment_once(void **state)
{
    (void)state;
    cJSON *file = vectors_read("tests/vectors/sio.json");
    const cJSON *one;
    int count = 0;
    cJSON_ArrayForEach(one, cJSON_GetObjectItemCaseSensitive(file, "binary"))
    {
        struct sio_reader r;
        struct sio_message message;
        const char *why = NULL;
        const char *text = cJSON_GetObjectItemCaseSensitive(one, "text")->valuestring;
        bool fits = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(one, "fits"));
        sio_reader_init(&r, MAX_BYTES, SIO_ATTACHMENTS_MAX);
        assert_int_equal(feed_text(&r, span_of(text), &message, &why),
                         fits ? SIO_NEED_MORE : SIO_ERROR);
        assert_int_equal(why == NULL, fits);
        sio_reader_fini(&r);
        count++;
    }
    assert_int_equal(count, 25);
    cJSON_Delete(file);
}

static void what_comes_out_of_turn_is_an_error_and_empties_the_reader(void **state)
{
    (void)state;
    struct sio_reader r;
    struct sio_message message;
    const char *why = NULL;
    sio_reader_init(&r, MAX_BYTES, SIO_ATTACHMENTS_MAX);
    assert_int_equal(feed_binary(&r, SPAN("x"), &message, &why), SIO_ERROR);
    assert_non_null(why);

    assert_int_equal(feed_text(&r, SPAN(two), &message, &why), SIO_NEED_MORE);
    assert_int_equal(feed_text(&r, SPAN("2[\"a\"]"), &message, &why), SIO_ERROR);
    assert_null(r.held);

    assert_int_equal(feed_text(&r, SPAN(two), &message, &why), SIO_NEED_MORE);
    assert_int_equal(feed_binary(&r, SPAN("1"), &message, &why), SIO_NEED_MORE);
    assert_int_equal(feed_binary(&r, SPAN("2"), &message, &why), SIO_PACKET);
    assert_int_equal(feed_binary(&r, SPAN("3"), &message, &why), SIO_ERROR);
    assert_null(r.held);

    assert_int_equal(feed_text(&r, SPAN("2{}"), &message, &why), SIO_ERROR);
    sio_reader_fini(&r);
}

static void fewer_attachments_may_be_allowed_or_none(void **state)
{
    (void)state;
    for (unsigned allowed = 0; allowed <= 2; allowed++) {
        struct sio_reader r;
        struct sio_message message;
        const char *why = NULL;
        sio_reader_init(&r, MAX_BYTES, allowed);
        assert_int_equal(feed_text(&r, SPAN(two), &message, &why),
                         allowed == 2 ? SIO_NEED_MORE : SIO_ERROR);
        sio_reader_fini(&r);
    }
}

static void the_bytes_of_a_packet_are_bounded_with_its_attachments(void **state)
{
    (void)state;
    char bytes[MAX_BYTES];
    size_t text_len = sizeof(two) - 1;
    memset(bytes, 'b', sizeof(bytes));
    for (size_t over = 0; over < 2; over++) {
        struct sio_reader r;
        struct sio_message message;
        const char *why = NULL;
        size_t room = MAX_BYTES - text_len - 10 + over;
        sio_reader_init(&r, MAX_BYTES, SIO_ATTACHMENTS_MAX);
        assert_int_equal(feed_text(&r, SPAN(two), &message, &why), SIO_NEED_MORE);
        assert_int_equal(feed_binary(&r, (struct span){bytes, 10}, &message, &why), SIO_NEED_MORE);
        assert_int_equal(feed_binary(&r, (struct span){bytes, room}, &message, &why),
                         over ? SIO_ERROR : SIO_PACKET);
        sio_reader_fini(&r);
    }
}

static void a_text_packet_is_bounded_too(void **state)
{
    (void)state;
    static const char text[] = "2[\"event\",\"payload\"]";
    for (size_t limit = sizeof(text) - 2; limit <= sizeof(text) - 1; limit++) {
        struct sio_reader r;
        struct sio_message message;
        const char *why = NULL;
        sio_reader_init(&r, limit, SIO_ATTACHMENTS_MAX);
        assert_int_equal(feed_text(&r, SPAN(text), &message, &why),
                         limit == sizeof(text) - 1 ? SIO_PACKET : SIO_ERROR);
        sio_reader_fini(&r);
    }
    struct sio_reader r;
    struct sio_message message;
    const char *why = NULL;
    sio_reader_init(&r, sizeof(two) - 1, SIO_ATTACHMENTS_MAX);
    assert_int_equal(feed_text(&r, SPAN(two), &message, &why), SIO_ERROR);
    sio_reader_fini(&r);
}

/* A random packet with n attachments; answers its text. */
static struct span make_packet(struct buf *text, unsigned n)
{
    buf_reset(text);
    if (n > 0)
        buf_addf(text, "5%u-[\"e\"", n);
    else
        buf_add_str(text, "2[\"e\"");
    for (unsigned i = n; i > 0; i--)
        buf_addf(text, ",[{\"_placeholder\":true,\"num\":%u}]", i - 1);
    buf_add_char(text, ']');
    return buf_span(text);
}

static void random_streams_of_packets_come_out_whole(void **state)
{
    (void)state;
    struct random chance = random_seeded(15);
    struct sio_reader r;
    struct sio_message message;
    const char *why = NULL;
    struct buf text;
    buf_init(&text, 1000);
    sio_reader_init(&r, 2000, SIO_ATTACHMENTS_MAX);
    for (int round = 0; round < 5000; round++) {
        char bytes[SIO_ATTACHMENTS_MAX][100];
        size_t lens[SIO_ATTACHMENTS_MAX];
        unsigned n = (unsigned)random_below(&chance, SIO_ATTACHMENTS_MAX + 1);
        enum sio_progress progress = feed_text(&r, make_packet(&text, n), &message, &why);
        for (unsigned i = 0; i < n; i++) {
            assert_int_equal(progress, SIO_NEED_MORE);
            lens[i] = random_below(&chance, sizeof(bytes[i]));
            memset(bytes[i], (int)random_below(&chance, 256), lens[i]);
            progress = feed_binary(&r, (struct span){bytes[i], lens[i]}, &message, &why);
        }
        assert_int_equal(progress, SIO_PACKET);
        assert_int_equal(message.packet.attachments, n);
        for (unsigned i = 0; i < n; i++)
            assert_true(span_eq(message.attachments[i], (struct span){bytes[i], lens[i]}));
    }
    sio_reader_fini(&r);
    buf_fini(&text);
}

/* Nonsense in any order is refused, and never leaves the reader stuck or holding more than it may.
 */
static void random_feeds_never_hold_more_than_the_limit(void **state)
{
    (void)state;
    static const char *const texts[] = {"2[\"a\"]", "1", "x", two,
                                        "51-[\"a\",{\"_placeholder\":true,\"num\":0}]"};
    struct random chance = random_seeded(16);
    struct sio_reader r;
    struct sio_message message;
    const char *why = NULL;
    char bytes[400] = "";
    int whole = 0;
    sio_reader_init(&r, 500, SIO_ATTACHMENTS_MAX);
    for (int i = 0; i < 20000; i++) {
        enum sio_progress progress;
        if (random_below(&chance, 2))
            progress = feed_text(&r, span_of(texts[random_below(&chance, 5)]), &message, &why);
        else
            progress = feed_binary(&r, (struct span){bytes, random_below(&chance, sizeof(bytes))},
                                   &message, &why);
        whole += progress == SIO_PACKET && message.packet.attachments > 0;
        assert_int_equal(progress == SIO_ERROR && r.held, 0);
    }
    assert_true(whole > 100);
    sio_reader_fini(&r);
    assert_null(r.held);
}

static void out_of_memory_is_an_error_and_leaves_nothing_behind(void **state)
{
    (void)state;
    size_t errors = 0;
    for (size_t n = 1; oom_sweeps(n); n++) {
        struct sio_reader r;
        struct sio_message message;
        const char *why = NULL;
        sio_reader_init(&r, MAX_BYTES, SIO_ATTACHMENTS_MAX);
        enum sio_progress progress = feed_text(&r, SPAN(two), &message, &why);
        if (progress == SIO_NEED_MORE)
            progress = feed_binary(&r, SPAN("first"), &message, &why);
        if (progress == SIO_NEED_MORE)
            progress = feed_binary(&r, SPAN("second"), &message, &why);
        assert_int_equal(progress == SIO_ERROR, why != NULL);
        assert_false(progress == SIO_ERROR && r.held);
        errors += progress == SIO_ERROR ? 1 : 0;
        sio_reader_fini(&r);
    }
    assert_int_equal(errors, 2); /* the announcement, the attachments */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_packet_is_whole_at_once_and_costs_no_memory),
        cmocka_unit_test(a_binary_packet_is_whole_with_its_last_attachment),
        cmocka_unit_test(empty_attachments_count_too),
        cmocka_unit_test(placeholders_must_name_each_attachment_once),
        cmocka_unit_test(what_comes_out_of_turn_is_an_error_and_empties_the_reader),
        cmocka_unit_test(fewer_attachments_may_be_allowed_or_none),
        cmocka_unit_test(the_bytes_of_a_packet_are_bounded_with_its_attachments),
        cmocka_unit_test(a_text_packet_is_bounded_too),
        cmocka_unit_test(random_streams_of_packets_come_out_whole),
        cmocka_unit_test(random_feeds_never_hold_more_than_the_limit),
        cmocka_unit_test(out_of_memory_is_an_error_and_leaves_nothing_behind),
    };
    return cmocka_run_group_tests_name("proto/sio_reader", tests, NULL, NULL);
}
