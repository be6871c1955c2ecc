/* SPDX-License-Identifier: MIT */
/* Who subscribed to a run is told when something happens to it: P-113. */
#include "tests/flow/agent.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define LISTENS "\"notifications\":{\"resourceSubscriptions\":[\"training://sessions/run\"]}"

static void says_epoch(struct world *w, const char *id, int epoch)
{
    char line[256];
    (void)snprintf(line, sizeof(line),
                   "{\"type\":\"epoch\",\"sessionId\":\"%s\",\"metrics\":{\"epoch\":%d,"
                   "\"train_loss\":1,\"val_loss\":1}}",
                   id, epoch);
    trainer_says(w, line);
}

static void a_listener_hears_of_its_run_at_most_once_a_second(void **state)
{
    struct world *w = *state;
    struct agent a;
    trainer_starts(w, "run");
    trainer_starts(w, "other");
    agent_asks(&a, w, "\"sub\"", "subscriptions/listen", LISTENS);
    agent_hears(&a, "notifications/subscriptions/acknowledged");
    says_epoch(w, "other", 1);
    world_advance(w, 2 * (uint64_t)SECOND);
    agent_hears_nothing(&a);
    says_epoch(w, "run", 1);
    agent_hears(&a, "notifications/resources/updated");
    agent_hears(&a, "training://sessions/run\"");
    for (int e = 2; e < 30; e++)
        says_epoch(w, "run", e);
    agent_hears_nothing(&a);
    world_advance(w, 2 * (uint64_t)SECOND);
    agent_hears(&a, "notifications/resources/updated");
    agent_leaves(&a);
}

static void a_listener_hears_that_runs_come(void **state)
{
    struct world *w = *state;
    struct agent a;
    agent_asks(&a, w, "\"sub\"", "subscriptions/listen",
               "\"notifications\":{\"resourcesListChanged\":true}");
    agent_hears(&a, "notifications/subscriptions/acknowledged");
    trainer_starts(w, "run");
    world_advance(w, 2 * (uint64_t)SECOND);
    agent_hears(&a, "notifications/resources/list_changed");
    agent_leaves(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_listener_hears_of_its_run_at_most_once_a_second),
        WORLD_TEST(a_listener_hears_that_runs_come),
    };
    return cmocka_run_group_tests_name("mcp/training_changes", tests, NULL, NULL);
}
