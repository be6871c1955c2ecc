/* SPDX-License-Identifier: MIT */
/* What a watcher hears that wants to steer and cannot: docs/protocol.md P-41, P-71. */
#include "tests/flow/client.h"
#include "tests/flow/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void whoever_is_told_nothing_hears_why(void **state)
{
    static const struct {
        const char *asked;
        const char *why;
    } cases[] = {
        {"{\"command\":\"stop\"}", "sessionId required"},
        {"{\"sessionId\":\"a b\",\"command\":\"stop\"}", "sessionId is not valid"},
        {"{\"sessionId\":\"run\"}", "command must be stop, pause, resume or checkpoint"},
        {"\"run\"", "command must be stop, pause, resume or checkpoint"},
        {"{\"sessionId\":\"run\",\"command\":\"Stop\"}",
         "command must be stop, pause, resume or checkpoint"},
        {"{\"sessionId\":\"run\",\"command\":[\"stop\"]}",
         "command must be stop, pause, resume or checkpoint"},
        {"{\"sessionId\":\"run\",\"command\":\"stop\",\"reason\":7}",
         "reason must be a string of at most 1024 bytes"},
        {"{\"sessionId\":\"nobody\",\"command\":\"stop\"}", "Session not found"},
        {"{\"sessionId\":\"*\",\"command\":\"stop\"}", "Session not found"},
        {"{\"sessionId\":\"done\",\"command\":\"stop\"}", "The run is over"},
        {"{\"sessionId\":\"run\",\"command\":\"stop\"}", "No trainer of this session is connected"},
    };
    struct world *w = *state;
    trainer_starts(w, "run");
    trainer_starts(w, "done");
    trainer_completes(w, "done");
    for (enum tongue t = 0; t < SSE; t++) {
        struct client *c = client_open(w, t);
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
            char ack[128];
            client_asks(c, "control_session", cases[i].asked);
            assert_true(heard_is(client_hears(c, "error"), "message", cases[i].why));
            (void)snprintf(ack, sizeof(ack), "{\"success\":false,\"error\":\"%s\"}", cases[i].why);
            assert_string_equal(client_hears(c, "ack")->data, ack);
        }
        client_hears_nothing(c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(whoever_is_told_nothing_hears_why),
    };
    return cmocka_run_group_tests_name("flow/control", tests, NULL, NULL);
}
