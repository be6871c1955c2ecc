/* SPDX-License-Identifier: MIT */
#include "streamd/notify/parcel.h"

#include "tests/streamd/notify/events.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_body(struct buf *b, const char *json)
{
    buf_add_char(b, '\0');
    assert_string_equal(b->ptr, json);
    buf_fini(b);
}

static struct buf body(void)
{
    struct buf b;
    buf_init(&b, PARCEL_BODY_MAX);
    return b;
}

static void telegram_gets_the_documented_json(void **state)
{
    (void)state;
    struct buf b = body();
    parcel_telegram_body(&b, "-100", SPAN("🟠 PLATEAU DETECTED\nname: a_b [c] *d* `e`"));
    assert_body(&b,
                "{\"chat_id\":\"-100\",\"text\":\"*🟠 PLATEAU DETECTED*\\nname: a\\\\_b \\\\[c] "
                "\\\\*d\\\\* \\\\`e\\\\`\",\"parse_mode\":\"Markdown\"}");
    b = body();
    parcel_telegram_body(&b, "@c", SPAN("Report: a_b"));
    assert_body(&b,
                "{\"chat_id\":\"@c\",\"text\":\"Report: a\\\\_b\",\"parse_mode\":\"Markdown\"}");
    b = body();
    parcel_telegram_body(&b, "1", SPAN("> said\nx"));
    assert_body(&b, "{\"chat_id\":\"1\",\"text\":\"> said\\nx\",\"parse_mode\":\"Markdown\"}");
    char url[PARCEL_URL_MAX];
    assert_true(parcel_telegram_url(url, "https://api.telegram.org", "1:x"));
    assert_string_equal(url, "https://api.telegram.org/bot1:x/sendMessage");
}

static void telegram_gets_no_more_than_it_takes(void **state)
{
    (void)state;
    struct buf b = body();
    char *text = malloc(10000);
    assert_non_null(text);
    memset(text, '_', 10000);
    parcel_telegram_body(&b, "1", (struct span){text, 10000});
    assert_in_range(b.len, TELEGRAM_TEXT_MAX, TELEGRAM_TEXT_MAX * 3 / 2 + 100);
    buf_reset(&b);
    for (size_t i = 0; i < 9999; i += 3)
        memcpy(text + i, "→", 3);
    parcel_telegram_body(&b, "1", (struct span){text, 9999});
    assert_int_equal(buf_status(&b), OK);
    assert_in_range(b.len, TELEGRAM_TEXT_MAX, TELEGRAM_TEXT_MAX + 100);
    buf_fini(&b);
    free(text);
}

static void a_template_is_filled_in(void **state)
{
    (void)state;
    struct assessment a = {.phase = PHASE_WARMUP, .reason = "a \"b\""};
    struct notify_event e = event_to_phase(&a, PHASE_PLATEAU);
    struct buf b = body();
    e.name = "n\\1";
    parcel_webhook_body(&b, "{\"content\":\"{title} {name} {nothing} {kind}\",\"r\":\"{reason}\"}",
                        &e, SPAN("T\nmore"), "id-1");
    assert_body(&b, "{\"content\":\"T n\\\\1 {nothing} phase\",\"r\":\"a \\\"b\\\"\"}");
    b = body();
    parcel_webhook_body(&b, parcel_webhook_template, &e, SPAN("T\nmore"), "id-1");
    assert_body(
        &b, "{\"id\":\"id-1\",\"kind\":\"phase\",\"severity\":\"warning\",\"session\":\"run-1\","
            "\"name\":\"n\\\\1\",\"phase\":\"PLATEAU\",\"reason\":\"a \\\"b\\\"\","
            "\"title\":\"T\",\"text\":\"T\\nmore\"}");
}

static void what_is_longer_than_a_body_fails_it(void **state)
{
    (void)state;
    enum { LONG = PARCEL_BODY_MAX / 6 + 1 }; /* six bytes each, as they are escaped */
    static char text[LONG];
    struct assessment a = {0};
    struct notify_event e = event_to_phase(&a, PHASE_PLATEAU);
    struct buf b = body();
    memset(text, 1, sizeof(text));
    parcel_webhook_body(&b, "\"{text}\"", &e, (struct span){text, sizeof(text)}, "id");
    assert_int_equal(buf_status(&b), E_LIMIT);
    buf_fini(&b);
}

static void a_template_is_json_once_it_is_filled(void **state)
{
    (void)state;
    assert_true(parcel_template_valid(parcel_webhook_template));
    assert_true(parcel_template_valid("{\"text\":\"{text}\"}"));
    assert_false(parcel_template_valid("{text}"));
    assert_false(parcel_template_valid("{\"a\":{b}}"));
    assert_false(parcel_template_valid(""));
}

static void only_what_was_not_taken_is_tried_again(void **state)
{
    (void)state;
    static const struct {
        long status, sent;
        enum parcel_fate fate;
    } cases[] = {
        {200, 9, PARCEL_TAKEN},   {204, 9, PARCEL_TAKEN},   {429, 9, PARCEL_AGAIN},
        {500, 9, PARCEL_AGAIN},   {503, 9, PARCEL_AGAIN},   {400, 9, PARCEL_REFUSED},
        {301, 9, PARCEL_REFUSED}, {404, 9, PARCEL_REFUSED}, {0, 0, PARCEL_AGAIN},
        {0, 9, PARCEL_UNKNOWN},   {100, 9, PARCEL_UNKNOWN}, {600, 9, PARCEL_REFUSED},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(parcel_judge(cases[i].status, cases[i].sent), cases[i].fate);
}

static void attempts_become_rarer(void **state)
{
    (void)state;
    assert_int_equal(parcel_wait_us(0, 0), 1000000);
    assert_int_equal(parcel_wait_us(3, 0), 8000000);
    assert_int_equal(parcel_wait_us(70, 0), 128000000);
    assert_int_equal(parcel_wait_us(0, 30), 30000000);
    assert_int_equal(parcel_wait_us(0, UINT64_MAX), 300000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(telegram_gets_the_documented_json),
        cmocka_unit_test(telegram_gets_no_more_than_it_takes),
        cmocka_unit_test(a_template_is_filled_in),
        cmocka_unit_test(what_is_longer_than_a_body_fails_it),
        cmocka_unit_test(a_template_is_json_once_it_is_filled),
        cmocka_unit_test(only_what_was_not_taken_is_tried_again),
        cmocka_unit_test(attempts_become_rarer),
    };
    return cmocka_run_group_tests_name("notify/parcel", tests, NULL, NULL);
}
