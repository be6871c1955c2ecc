/* SPDX-License-Identifier: MIT */
/* The whole way, to a receiver on loopback that misbehaves. */
#include "streamd/notify/notify.h"

#include "streamd/log.h"
#include "streamd/notify/parcel.h"
#include "tests/streamd/notify/bad_server.h"
#include "tests/streamd/notify/events.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

static const struct now now = {.us = 1000000, .wall_s = 1700000000};

static struct notify *to_webhook(const struct bad_server *s, long timeout_ms, char url[64])
{
    const char *why;
    (void)snprintf(url, 64, "http://127.0.0.1:%u/hook", s->port);
    struct notify *n = notify_create(
        &(struct notify_options){.webhook_url = url, .timeout_ms = timeout_ms, .grace_ms = 500},
        &why);
    assert_non_null(n);
    return n;
}

static void until(const atomic_uint_fast64_t *counter, uint64_t value)
{
    for (int i = 0; i < 5000 && atomic_load(counter) < value; i++)
        (void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    assert_int_equal(atomic_load(counter), value);
}

static void tell(struct notify *n, struct assessment *a)
{
    struct notify_event e = event_to_phase(a, PHASE_DIVERGING);
    assert_true(notify_event(n, &e, now));
}

static void a_webhook_gets_json_with_a_key(void **state)
{
    (void)state;
    static const enum way ways[] = {WAY_GOOD};
    struct bad_server s;
    struct assessment a = {0};
    char url[64];
    bad_server_start(&s, ways, 1);
    struct notify *n = to_webhook(&s, 5000, url);
    tell(n, &a);
    until(&notify_webhook(n)->taken, 1);
    notify_destroy(n);
    bad_server_stop(&s);
    assert_int_equal(s.requests, 1);
    assert_non_null(strstr(s.last, "POST /hook HTTP/1.1\r\n"));
    assert_non_null(strstr(s.last, "Content-Type: application/json\r\n"));
    assert_non_null(strstr(s.last, "Idempotency-Key: run-1-phase-1-"));
    assert_non_null(strstr(s.last, "\"phase\":\"DIVERGING\""));
}

static void telegram_gets_its_message(void **state)
{
    (void)state;
    static const enum way ways[] = {WAY_GOOD};
    struct bad_server s;
    struct assessment a = {0};
    char base[64];
    const char *why;
    bad_server_start(&s, ways, 1);
    (void)snprintf(base, sizeof(base), "http://127.0.0.1:%u", s.port);
    struct notify *n = notify_create(&(struct notify_options){.telegram_token = "12:ab",
                                                              .telegram_chat = "-7",
                                                              .telegram_base = base},
                                     &why);
    assert_non_null(n);
    tell(n, &a);
    until(&notify_telegram(n)->taken, 1);
    notify_destroy(n);
    bad_server_stop(&s);
    assert_non_null(strstr(s.last, "POST /bot12:ab/sendMessage HTTP/1.1\r\n"));
    assert_non_null(strstr(s.last, "{\"chat_id\":\"-7\",\"text\":\"*💥 DIVERGING*\\n"));
}

/* A body that repeats the text too often: what was told is counted as what could not be. */
static void what_is_too_long_to_be_sent_is_counted(void **state)
{
    (void)state;
    enum { TIMES = 2000, LONG = sizeof("{text}") - 1 };
    static char body[TIMES * LONG + 3] = "\"";
    const char *why;
    struct assessment a = {0};
    for (size_t i = 0; i < TIMES; i++)
        memcpy(body + 1 + i * LONG, "{text}", LONG);
    body[TIMES * LONG + 1] = '"';
    struct notify *n = notify_create(
        &(struct notify_options){.webhook_url = "http://127.0.0.1:9", .webhook_body = body}, &why);
    assert_non_null(n);
    tell(n, &a);
    assert_int_equal(atomic_load(&notify_webhook(n)->dropped), 1);
    notify_destroy(n);
}

/* 500, then taken: twice on the wire, since the first was refused; the second goes out at the end.
 */
static void what_was_not_taken_is_sent_again(void **state)
{
    (void)state;
    static const enum way ways[] = {WAY_BROKEN, WAY_GOOD};
    struct bad_server s;
    struct assessment a = {0};
    char url[64];
    bad_server_start(&s, ways, 2);
    struct notify *n = to_webhook(&s, 5000, url);
    const struct poster_counts *counts = notify_webhook(n);
    tell(n, &a);
    until(&counts->retried, 1);
    until(&counts->taken, 1);
    notify_destroy(n);
    bad_server_stop(&s);
    assert_int_equal(s.requests, 2);
}

/* Each of these may have been taken, or will never be: one request, and no second. */
static void what_may_have_been_taken_is_not_sent_again(void **state)
{
    (void)state;
    static const enum way ways[] = {WAY_CLOSES, WAY_GARBAGE, WAY_SILENT, WAY_REFUSES};
    struct bad_server s;
    struct assessment a = {0};
    char url[64];
    bad_server_start(&s, ways, 4);
    struct notify *n = to_webhook(&s, 100, url);
    const struct poster_counts *counts = notify_webhook(n);
    for (int i = 0; i < 4; i++)
        tell(n, &a);
    until(&counts->failed, 4);
    assert_int_equal(atomic_load(&counts->retried), 0);
    notify_destroy(n);
    bad_server_stop(&s);
    assert_int_equal(s.requests, 4);
}

static void an_endless_answer_is_cut_off(void **state)
{
    (void)state;
    static const enum way ways[] = {WAY_FLOOD};
    struct bad_server s;
    struct assessment a = {0};
    char url[64];
    bad_server_start(&s, ways, 1);
    struct notify *n = to_webhook(&s, 5000, url);
    tell(n, &a);
    until(&notify_webhook(n)->taken, 1);
    notify_destroy(n);
    bad_server_stop(&s);
}

/* Nobody listens: it is told in no time, the loop is not held up, and the queue has an end. */
static void a_dead_receiver_holds_nobody_up(void **state)
{
    (void)state;
    static const enum way ways[] = {WAY_SILENT};
    struct bad_server s;
    struct assessment a = {0};
    char url[64];
    bad_server_start(&s, ways, 1);
    struct notify *n = to_webhook(&s, 60000, url);
    struct timespec begin;
    struct timespec end;
    (void)clock_gettime(CLOCK_MONOTONIC, &begin);
    for (int i = 0; i < POSTER_WAITING + 10; i++)
        tell(n, &a);
    (void)clock_gettime(CLOCK_MONOTONIC, &end);
    assert_in_range(end.tv_sec - begin.tv_sec, 0, 1);
    assert_int_equal(atomic_load(&notify_webhook(n)->dropped), 10);
    notify_destroy(n); /* half a second of grace, and then it is aborted */
    (void)clock_gettime(CLOCK_MONOTONIC, &end);
    assert_in_range(end.tv_sec - begin.tv_sec, 0, 5);
    bad_server_stop(&s);
}

static void a_console_gets_the_text(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    const char *why;
    struct assessment a = {0};
    FILE *out = open_memstream(&text, &size);
    struct notify *n = notify_create(&(struct notify_options){.console = out}, &why);
    assert_non_null(n);
    tell(n, &a);
    struct notify_event again = event_over(NOTIFY_PROGRESS, &a);
    again.name = "caf\xe9"; /* not UTF-8, and so nothing of it is to be */
    assert_true(notify_event(n, &again, now));
    assert_false(notify_event(n, &again, now));
    assert_null(notify_telegram(n));
    notify_destroy(n);
    fclose(out);
    assert_non_null(strstr(text, "\n💥 DIVERGING\n\n📊 Experiment: run-1\n"));
    assert_non_null(strstr(text, " Progress: caf?\n"));
    free(text);
}

static void options_that_cannot_work_are_refused(void **state)
{
    (void)state;
    static char endless[PARCEL_URL_MAX];
    memset(endless, '7', sizeof(endless) - 1);
    const struct notify_options bad[] = {
        {.telegram_token = endless, .telegram_chat = "x"},
        {.telegram_token = "x"},
        {.telegram_chat = "x"},
        {.webhook_url = "ftp://x"},
        {.webhook_url = "http://x", .webhook_body = "{text}"},
        {.telegram_token = "x", .telegram_chat = "x", .telegram_base = "x"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const char *why = NULL;
        assert_null(notify_create(&bad[i], &why));
        assert_non_null(why);
    }
}

int main(void)
{
    log_set_level(LOG_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_webhook_gets_json_with_a_key),
        cmocka_unit_test(telegram_gets_its_message),
        cmocka_unit_test(what_is_too_long_to_be_sent_is_counted),
        cmocka_unit_test(what_was_not_taken_is_sent_again),
        cmocka_unit_test(what_may_have_been_taken_is_not_sent_again),
        cmocka_unit_test(an_endless_answer_is_cut_off),
        cmocka_unit_test(a_dead_receiver_holds_nobody_up),
        cmocka_unit_test(a_console_gets_the_text),
        cmocka_unit_test(options_that_cannot_work_are_refused),
    };
    return cmocka_run_group_tests_name("notify/notify", tests, NULL, NULL);
}
