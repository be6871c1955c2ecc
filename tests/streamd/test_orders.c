/* SPDX-License-Identifier: MIT */
/* What becomes of an order: docs/protocol.md P-14, P-75. */
#include "streamd/session/orders.h"

#include "streamd/notify/notify.h"
#include "tests/streamd/domain.h"

static int setup(void **state)
{
    struct domain *d = calloc(1, sizeof(*d));
    assert_non_null(d);
    domain_defaults(d);
    domain_open(d);
    domain_take(d, "{\"type\":\"start\",\"sessionId\":\"a\",\"config\":{\"knobs\":{\"lr\":{}}}}");
    *state = d;
    return 0;
}

static int teardown(void **state)
{
    domain_close(*state);
    free(*state);
    return 0;
}

static struct order *ask(struct domain *d, enum order_command command)
{
    const struct order_ask a = {.command = command,
                                .reason = SPAN("flat"),
                                .knob = command == ORDER_SET ? SPAN("lr") : SPAN(""),
                                .value = {false, 0.5},
                                .who = {.via = SPAN("ws"), .peer = SPAN("127.0.0.1:7")}};
    struct order *o = orders_add(domain_session(d, "a"), &a, d->now);
    assert_non_null(o);
    return o;
}

static struct order *tell(struct domain *d, enum order_command command)
{
    struct order *o = ask(d, command);
    orders_told(o, 1, false, d->now);
    return o;
}

/* An answer line of the trainer; what it is answered, "" for nothing. */
static const char *answer(struct domain *d, const struct order *o, const char *members)
{
    char line[256];
    (void)snprintf(line, sizeof(line), "{\"type\":\"answer\",\"id\":%llu,%s}",
                   (unsigned long long)o->id, members);
    d->answers.len = 0;
    (void)domain_line(d, line);
    return text_of(&d->answers);
}

static const char *status(struct domain *d, struct buf *b)
{
    buf_reset(b);
    session_write_status(domain_session(d, "a"), b, false);
    return text_of(b);
}

static void each_change_is_told_to_the_room(void **state)
{
    struct domain *d = *state;
    struct watcher w;
    watcher_init(&w, d);
    watcher_join(&w, "a");
    const struct order *o = tell(d, ORDER_SET);
    domain_leave(d);
    assert_has(watcher_heard(&w),
               "[\"control\",{\"id\":1,\"sessionId\":\"a\",\"command\":\"set\",\"knob\":\"lr\","
               "\"value\":0.5,\"applied\":null,\"reason\":\"flat\",\"dryRun\":false,"
               "\"state\":\"told\",\"trainers\":1,\"signalled\":false,\"askedAt\":1700000000,"
               "\"answeredAt\":null,\"answer\":null,\"who\":{\"via\":\"ws\",\"peer\":"
               "\"127.0.0.1:7\",\"caller\":null,\"client\":null},\"timestamp\":1700000000}]");
    domain_advance(d, 1500000);
    assert_string_equal(answer(d, o, "\"outcome\":\"accepted\",\"message\":\"at the next step\""),
                        "");
    domain_leave(d);
    const char *heard = watcher_heard(&w);
    assert_has(heard, "\"state\":\"accepted\"");
    assert_has(heard, "\"answeredAt\":1700000001.5,\"answer\":\"at the next step\"");
    assert_string_equal(answer(d, o, "\"outcome\":\"done\",\"value\":0.25"), "");
    domain_leave(d);
    assert_has(watcher_heard(&w), "\"applied\":0.25");
    watcher_fini(&w);
}

static void an_answer_that_comes_too_late_or_to_nothing_is_refused(void **state)
{
    struct domain *d = *state;
    const struct order *o = tell(d, ORDER_PAUSE);
    const struct order *asked = ask(d, ORDER_STOP);
    const struct order none = {.id = 99};
    assert_has(answer(d, &none, "\"outcome\":\"done\""), "unknown_order");
    assert_has(answer(d, asked, "\"outcome\":\"done\""), "\"answered\"");
    assert_has(answer(d, o, "\"outcome\":\"told\""), "\"answered\"");
    assert_has(answer(d, o, "\"outcome\":\"later\""), "\"answered\"");
    assert_has(answer(d, o, "\"message\":\"x\""), "an answer needs");
    assert_string_equal(answer(d, o, "\"outcome\":\"refused\",\"message\":[1]"), "");
    assert_string_equal(answer(d, o, "\"outcome\":\"refused\""), "");
    assert_has(answer(d, o, "\"outcome\":\"done\""), "\"answered\"");
    assert_int_equal(o->state, ORDER_REFUSED);
    domain_take(d, "{\"type\":\"progress\",\"metrics\":{\"loss\":1},\"id\":\"x\",\"value\":[],"
                   "\"message\":{\"a\":1},\"outcome\":2}");
}

static void no_answer_by_the_deadline_is_said_and_an_answer_after_it_counts(void **state)
{
    struct domain *d = *state;
    struct watcher w;
    watcher_init(&w, d);
    watcher_join(&w, "a");
    struct order *o = tell(d, ORDER_CHECKPOINT);
    domain_advance(d, 4999999);
    assert_int_equal(o->state, ORDER_TOLD);
    assert_lacks(watcher_heard(&w), "alert");
    domain_advance(d, 1);
    assert_int_equal(o->state, ORDER_UNANSWERED);
    const char *heard = watcher_heard(&w);
    assert_order(heard, "\"state\":\"unanswered\"",
                 "[\"alert\",{\"sessionId\":\"a\",\"kind\":"
                 "\"unanswered\",\"severity\":\"warning\","
                 "\"evidence\":\"order 1 (checkpoint) has had "
                 "no answer for 5 s\"");
    assert_has(heard, "\"timestamp\":1700000005}");
    assert_string_equal(answer(d, o, "\"outcome\":\"done\""), "");
    assert_int_equal(o->state, ORDER_DONE);
    watcher_fini(&w);
}

static void an_accepted_order_has_no_deadline_any_more(void **state)
{
    struct domain *d = *state;
    const struct order *o = tell(d, ORDER_STOP);
    assert_string_equal(answer(d, o, "\"outcome\":\"accepted\""), "");
    domain_advance(d, 60000000);
    assert_int_equal(o->state, ORDER_ACCEPTED);
}

static void the_end_of_the_run_answers_a_stop_and_nothing_else(void **state)
{
    struct domain *d = *state;
    const struct order *pause = tell(d, ORDER_PAUSE);
    const struct order *missed = tell(d, ORDER_STOP);
    domain_advance(d, 5000000);
    const struct order *stop = tell(d, ORDER_STOP);
    const struct order *save = tell(d, ORDER_CHECKPOINT);
    domain_take(d, "{\"type\":\"complete\"}");
    assert_int_equal(pause->state, ORDER_UNANSWERED);
    assert_int_equal(missed->state, ORDER_DONE);
    assert_int_equal(stop->state, ORDER_DONE);
    assert_int_equal(save->state, ORDER_UNANSWERED);
    /* Its trainer saved, and had no time to say so. */
    assert_string_equal(answer(d, save, "\"sessionId\":\"a\",\"outcome\":\"done\""), "");
    assert_int_equal(save->state, ORDER_DONE);
    domain_advance(d, 5000000);
    assert_int_equal(stop->state, ORDER_DONE);
}

static void the_status_shows_what_waits_and_the_knobs_as_applied(void **state)
{
    struct domain *d = *state;
    struct buf b;
    buf_init(&b, 1 << 20);
    assert_has(status(d, &b), "\"knobs\":{\"lr\":{\"type\":\"float\",\"value\":null}}");
    assert_lacks(status(d, &b), "\"control\"");
    const struct order *set = tell(d, ORDER_SET);
    const struct order *stop = tell(d, ORDER_STOP);
    assert_order(status(d, &b), "\"control\":[{\"id\":1", "{\"id\":2");
    assert_string_equal(answer(d, set, "\"outcome\":\"done\""), "");
    assert_has(status(d, &b), "\"knobs\":{\"lr\":{\"type\":\"float\",\"value\":0.5}}");
    assert_has(status(d, &b), "\"control\":[{\"id\":2");
    domain_advance(d, 5000000);
    assert_int_equal(stop->state, ORDER_UNANSWERED);
    assert_has(status(d, &b), "\"control\":[{\"id\":2");
    const struct order *again = tell(d, ORDER_STOP);
    assert_has(status(d, &b), "\"control\":[{\"id\":3");
    assert_string_equal(answer(d, again, "\"outcome\":\"refused\""), "");
    assert_lacks(status(d, &b), "\"control\"");
    buf_fini(&b);
}

static void the_oldest_that_nobody_waits_for_makes_room(void **state)
{
    struct domain *d = *state;
    struct session *s = domain_session(d, "a");
    const struct order *first = tell(d, ORDER_PAUSE);
    assert_string_equal(answer(d, first, "\"outcome\":\"accepted\""), "");
    for (int i = 0; i < ORDERS_OF_SESSION; i++)
        orders_refuse(ask(d, ORDER_STOP), "no", d->now);
    assert_int_equal(d->registry.orders.count, ORDERS_OF_SESSION);
    assert_int_equal(orders_open(s), 1);
    assert_int_equal(LIST_ENTRY(list_first(&s->orders), struct order, link)->id, 1);
    assert_int_equal(LIST_ENTRY(list_first(&s->orders)->next, struct order, link)->id, 3);
    registry_remove(&d->registry, s);
    assert_int_equal(d->registry.orders.count, 0);
}

static void all_runs_together_are_bounded_too(void **state)
{
    struct domain *d = *state;
    for (int i = 0; i < ORDERS_MAX / ORDERS_OF_SESSION + 1; i++) {
        char line[64];
        char id[16];
        const struct order_ask a = {.command = ORDER_STOP};
        (void)snprintf(id, sizeof(id), "s%d", i);
        (void)snprintf(line, sizeof(line), "{\"type\":\"start\",\"sessionId\":\"%s\"}", id);
        domain_take(d, line);
        for (int n = 0; n < ORDERS_OF_SESSION; n++)
            orders_refuse(orders_add(domain_session(d, id), &a, d->now), "no", d->now);
    }
    assert_int_equal(d->registry.orders.count, ORDERS_MAX);
    assert_true(list_empty(&domain_session(d, "s0")->orders));
}

static void who_is_notified_hears_of_an_order_without_an_answer(void **state)
{
    struct domain *d = *state;
    char *text = NULL;
    size_t len;
    const char *why;
    FILE *console = open_memstream(&text, &len);
    assert_non_null(console);
    d->registry.notify = notify_create(&(struct notify_options){.console = console}, &why);
    assert_non_null(d->registry.notify);
    (void)tell(d, ORDER_PAUSE);
    domain_advance(d, d->config.control_deadline_ms * 1000);
    notify_destroy(d->registry.notify);
    d->registry.notify = NULL;
    assert_int_equal(fclose(console), 0);
    assert_non_null(strstr(text, "order 1 (pause) has had no answer for"));
    free(text);
}

static void of_orders_that_all_wait_the_oldest_makes_room(void **state)
{
    struct domain *d = *state;
    struct session *s = domain_session(d, "a");
    for (int i = 0; i <= ORDERS_OF_SESSION; i++)
        (void)tell(d, ORDER_PAUSE);
    assert_int_equal(d->registry.orders.count, ORDERS_OF_SESSION);
    assert_int_equal(LIST_ENTRY(list_first(&s->orders), struct order, link)->id, 2);
}

static void of_all_runs_orders_that_all_wait_the_oldest_makes_room(void **state)
{
    struct domain *d = *state;
    for (int i = 0; i <= ORDERS_MAX / ORDERS_OPEN_MAX; i++) {
        char line[64];
        const struct order_ask a = {.command = ORDER_PAUSE};
        (void)snprintf(line, sizeof(line), "{\"type\":\"start\",\"sessionId\":\"s%d\"}", i);
        domain_take(d, line);
        struct session *s = LIST_ENTRY(list_first(&d->registry.sessions), struct session, link);
        for (int n = 0; n < ORDERS_OPEN_MAX; n++)
            orders_told(orders_add(s, &a, d->now), 1, false, d->now);
        assert_int_equal(orders_open(s), ORDERS_OPEN_MAX);
    }
    assert_int_equal(d->registry.orders.count, ORDERS_MAX);
    assert_true(list_empty(&domain_session(d, "s0")->orders));
}

static void the_table_of_states_is_the_picture(void **state)
{
    static const char *const allowed[] = {
        "asked told",          "asked refused",       "told accepted",   "told done",
        "told refused",        "told unanswered",     "accepted done",   "accepted refused",
        "accepted unanswered", "unanswered accepted", "unanswered done", "unanswered refused"};
    (void)state;
    size_t seen = 0;
    for (int from = 0; from < ORDER_STATES; from++) {
        for (int to = 0; to < ORDER_STATES; to++) {
            char pair[32];
            bool listed = false;
            (void)snprintf(pair, sizeof(pair), "%s %s", order_state_name((enum order_state)from),
                           order_state_name((enum order_state)to));
            for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
                listed = listed || strcmp(allowed[i], pair) == 0;
            assert_int_equal(order_may_enter((enum order_state)from, (enum order_state)to), listed);
            seen += listed;
        }
    }
    assert_int_equal(seen, sizeof(allowed) / sizeof(allowed[0]));
}

static void what_is_written_is_read_again_whatever_the_texts(void **state)
{
    struct domain *d = *state;
    char reason[ORDER_REASON_BYTES_MAX + 3];
    struct buf first;
    struct buf second;
    memset(reason, 1, sizeof(reason));
    memcpy(reason + ORDER_REASON_BYTES_MAX - 1, "\xc3\xa4", 3);
    const struct order_ask a = {
        .command = ORDER_STOP,
        .reason = span_of(reason),
        .mode = SPAN("after_epoch"),
        .dry_run = true,
        .who = {SPAN("http"), SPAN("[::1]:5"), SPAN("local"), SPAN("c\"u\\rl")}};
    struct order *o = orders_add(domain_session(d, "a"), &a, d->now);
    struct order *again;
    assert_non_null(o);
    assert_int_equal(strlen(o->reason), ORDER_REASON_BYTES_MAX - 1);
    buf_init(&first, ORDER_BYTES_MAX);
    buf_init(&second, ORDER_BYTES_MAX);
    order_write(o, &first);
    assert_int_equal(buf_status(&first), OK);
    assert_int_equal(order_read(&d->registry, buf_span(&first), &again), OK);
    order_write(again, &second);
    assert_string_equal(text_of(&first), text_of(&second));
    free(again);
    assert_int_equal(order_read(&d->registry, SPAN("{\"sessionId\":\"a\"}"), &again), E_MALFORMED);
    assert_int_equal(order_read(&d->registry, SPAN("[]"), &again), E_MALFORMED);
    buf_fini(&first);
    buf_fini(&second);
}

int main(void)
{
#define IN_DOMAIN(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        IN_DOMAIN(each_change_is_told_to_the_room),
        IN_DOMAIN(an_answer_that_comes_too_late_or_to_nothing_is_refused),
        IN_DOMAIN(no_answer_by_the_deadline_is_said_and_an_answer_after_it_counts),
        IN_DOMAIN(an_accepted_order_has_no_deadline_any_more),
        IN_DOMAIN(the_end_of_the_run_answers_a_stop_and_nothing_else),
        IN_DOMAIN(the_status_shows_what_waits_and_the_knobs_as_applied),
        IN_DOMAIN(the_oldest_that_nobody_waits_for_makes_room),
        IN_DOMAIN(all_runs_together_are_bounded_too),
        IN_DOMAIN(of_orders_that_all_wait_the_oldest_makes_room),
        IN_DOMAIN(who_is_notified_hears_of_an_order_without_an_answer),
        IN_DOMAIN(of_all_runs_orders_that_all_wait_the_oldest_makes_room),
        cmocka_unit_test(the_table_of_states_is_the_picture),
        IN_DOMAIN(what_is_written_is_read_again_whatever_the_texts),
    };
    return cmocka_run_group_tests_name("streamd/orders", tests, NULL, NULL);
}
