/* SPDX-License-Identifier: MIT */
/* What scripts POST to a relay that is short of something, or whose hub does not answer. */
#include "streamd/relay/posting.h"

#include "streamd/http/later.h"
#include "streamd/ingest/refusal.h"
#include "tests/streamd/relay/relay_world.h"

struct asker {
    struct later_waiter waiter;
    struct reply reply;
    bool answered;
};

static const struct posting_ask host = {
    .kind = POSTING_HOST, .id = {"run", 3}, .object = {"{\"rows\":3}", 10}};
static const struct posting_ask operation = {
    .kind = POSTING_BEGIN, .id = {"run", 3}, .object = {"{}", 2}, .type = {"data_load", 9}};

static void is_answered(struct later_waiter *waiter, struct reply *reply)
{
    struct asker *a = LIST_ENTRY(waiter, struct asker, waiter);
    a->answered = true;
    a->reply.status = reply->status;
    buf_add_span(&a->reply.body, buf_span(&reply->body));
}

static struct asker posts(struct relay_world *w, const struct posting_ask *ask)
{
    struct asker a = {.waiter = {.answered = is_answered}};
    reply_init(&a.reply, REPLY_BODY_MAX);
    posting_take(w->relay, ask, &a.reply);
    a.answered = !a.reply.later;
    return a;
}

static void expect_answer(struct asker *a, int status, const char *body)
{
    assert_true(a->answered);
    assert_int_equal(a->reply.status, status);
    buf_add_char(&a->reply.body, '\0');
    if (!strstr(a->reply.body.ptr, body))
        fail_msg("\"%s\" is not in %s", body, a->reply.body.ptr);
    reply_fini(&a->reply);
}

static void the_hub_goes_away(struct relay_world *w)
{
    (void)close(w->hub.listener);
    w->hub.listener = -1;
    w->relay->reached = false;
}

static void a_hub_that_is_silent_is_waited_for_no_longer_than_five_seconds(void **state)
{
    static const struct posting_ask *const asks[] = {&host, &operation};
    static const char *const answers[] = {"{\"success\":true}", "\"status\":\"pending\""};
    for (size_t i = 0; i < sizeof(asks) / sizeof(asks[0]); i++) {
        struct relay_world *w = *state;
        struct asker a = posts(w, asks[i]);
        assert_false(a.answered);
        later_await(&a.reply, &a.waiter);
        passes(w, POSTING_PATIENCE_US - 1);
        assert_false(a.answered);
        passes(w, 1);
        expect_answer(&a, 200, answers[i]);
        (void)relay_world_teardown(state);
        (void)relay_world_setup(state);
    }
}

static void a_relay_that_is_to_end_begins_no_run(void **state)
{
    static const char full[] = "as many runs are on their way as the relay may have";
    struct relay_world *w = *state;
    relay_drain(w->relay);
    struct asker a = posts(w, &host);
    expect_answer(&a, 503, full);
    a = posts(w, &operation);
    expect_answer(&a, 503, full);
}

static void what_the_disk_does_not_take_is_to_be_said_again(void **state)
{
    static const char full[] = "the spool is full, or its disk fails: send again later";
    static const struct posting_ask *const asks[] = {&host, &operation};
    for (size_t i = 0; i < sizeof(asks) / sizeof(asks[0]); i++) {
        struct relay_world *w = *state;
        the_hub_goes_away(w);
        relay_ends(w);
        w->params.spool_bytes = 16;
        relay_begins(w);
        w->relay->reached = false;
        struct asker a = posts(w, asks[i]);
        expect_answer(&a, 503, full);
        a = posts(w, asks[i]);
        expect_answer(&a, 503, full);
        (void)relay_world_teardown(state);
        (void)relay_world_setup(state);
    }
}

static void a_run_whose_trainer_has_ended_it_takes_nothing_more(void **state)
{
    struct relay_world *w = *state;
    the_hub_goes_away(w);
    trainer_comes(w, 0);
    trainer_says(w, "{\"type\":\"start\",\"sessionId\":\"run\"}");
    trainer_says(w, "{\"type\":\"complete\"}");
    struct asker a = posts(w, &host);
    expect_answer(&a, 400, refusal_finished.why);
}

static void a_config_that_no_line_can_take_is_not_to_be_said_again(void **state)
{
    struct relay_world *w = *state;
    static char config[RELAY_START_MAX];
    struct posting_ask large = operation;
    the_hub_goes_away(w);
    memset(config, ' ', sizeof(config));
    config[0] = '{';
    config[sizeof(config) - 1] = '}';
    large.object = (struct span){config, sizeof(config)};
    struct asker a = posts(w, &large);
    expect_answer(&a, 422, "at most 63000 bytes");
    a = posts(w, &operation);
    expect_answer(&a, 200, "pending");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RELAY_TEST(a_hub_that_is_silent_is_waited_for_no_longer_than_five_seconds),
        RELAY_TEST(a_relay_that_is_to_end_begins_no_run),
        RELAY_TEST(a_run_whose_trainer_has_ended_it_takes_nothing_more),
        RELAY_TEST(a_config_that_no_line_can_take_is_not_to_be_said_again),
        RELAY_TEST(what_the_disk_does_not_take_is_to_be_said_again),
    };
    return cmocka_run_group_tests_name("streamd/relay/posting", tests, NULL, NULL);
}
