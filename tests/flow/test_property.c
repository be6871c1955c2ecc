/* SPDX-License-Identifier: MIT */
/* Ten thousand things that trainers, watchers, disks and time may do, in an order that chance
 * chooses, with the invariants checked and the watchers judged after each. */
#include "tests/flow/chance.h"
#include "tests/flow/invariants.h"
#include "tests/support/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { OPERATIONS = 10000, REST_EACH = 500 };

struct property {
    struct choice choice; /* first */
    struct random random;
    uint64_t seed;
    struct chance *chance; /* owns */
    unsigned operation;    /* the one at hand */
};

static uint64_t below(struct choice *c, uint64_t n)
{
    return random_below(&((struct property *)(void *)c)->random, n);
}

static void the_invariants_hold_whatever_happens(void **state)
{
    struct property *p = *state;
    struct chance *x = p->chance;
    for (; p->operation < OPERATIONS; p->operation++) {
        chance_step(x);
        if (p->operation % REST_EACH == REST_EACH - 1)
            chance_rest(x);
    }
    chance_count(x);
    const struct stats *s = &x->before;
    /* It was no quiet world. */
    assert_true(s->peers_opened > 200 && s->peers_closed_slow > 5 && s->peers_closed_timeout > 2);
    assert_true(s->messages_superseded > 100 && s->sessions_created > 50);
    assert_true(x->chronicle.events > 500 && x->restarts > 5 && x->acks > 200 && x->late > 20);
}

/* Who comes, goes and speaks does so in the wake-up in which its rooms are published to. */
static void rooms_churn_while_they_are_published_to(void **state)
{
    enum { WATCHERS = 12, WAKE_UPS = 2000 };
    static const char *const ids[] = {"a", "b", "c", "*"};
    struct property *p = *state;
    struct world *w = p->chance->world;
    struct client *clients[WATCHERS] = {NULL};
    for (p->operation = 0; p->operation < WAKE_UPS; p->operation++) {
        for (unsigned i = 0; i < WATCHERS; i++) {
            if (!clients[i] || client_is_gone(clients[i]))
                clients[i] = client_open(w, i % 2 ? PLAIN : SOCKETIO_DEFLATED);
        }
        world_enter(w);
        for (unsigned i = 0; i < 20; i++) {
            struct client *c = clients[below(&p->choice, WATCHERS)];
            const char *id = ids[below(&p->choice, 4)];
            uint64_t what = below(&p->choice, 100);
            if (what < 35)
                client_subscribes(c, id);
            else if (what < 60)
                client_unsubscribes(c, id);
            else if (what < 90)
                trainer_logs(w, ids[below(&p->choice, 3)], i);
            else if (what < 99)
                trainer_starts(w, ids[below(&p->choice, 3)]);
            else
                client_leaves(c);
        }
        world_leave(w);
        world_holds(w);
        world_advance(w, below(&p->choice, 60 * MS));
    }
    assert_true(w->app->stats.peers_opened > 200 && w->app->stats.messages_sent > 10000);
    p->operation = OPERATIONS;
}

static int setup(void **state)
{
    struct property *p = calloc(1, sizeof(*p));
    assert_non_null(p);
    const char *seed = getenv("STREAMD_TEST_SEED");
    p->seed = seed ? strtoull(seed, NULL, 10) : 20260731;
    p->random = random_seeded(p->seed);
    p->choice.below = below;
    p->chance = chance_create(&p->choice);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct property *p = *state;
    if (p->operation < OPERATIONS)
        print_error("STREAMD_TEST_SEED=%llu, operation %u: %s\n", (unsigned long long)p->seed,
                    p->operation, p->chance->doing ? p->chance->doing : "");
    chance_destroy(p->chance);
    free(p);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rooms_churn_while_they_are_published_to, setup, teardown),
        cmocka_unit_test_setup_teardown(the_invariants_hold_whatever_happens, setup, teardown),
    };
    return cmocka_run_group_tests_name("flow/property", tests, NULL, NULL);
}
