/* SPDX-License-Identifier: MIT */
/* One client that is cut off again and again, at moments and in ways that chance chooses, in
 * several rooms: each offset and each event once, in order, over all its lives. */
#include "tests/flow/client.h"
#include "tests/flow/client_engine.h"
#include "tests/flow/world.h"
#include "tests/support/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { OPERATIONS = 5000, RUNS = 3, PENDING_MAX = 4096 };

/* What the client has to hear of one run. */
struct part {
    bool joined;
    unsigned next;   /* offset */
    unsigned newest; /* that was logged */
    unsigned models; /* completed */
    struct {
        unsigned index;
        unsigned after; /* 0: heard in the run list, where it has no place */
    } events[PENDING_MAX];
    unsigned head, tail; /* of the events that it has not heard */
};

struct life {
    struct world *world;
    struct client *client;
    struct random random;
    struct part parts[RUNS];
    bool lists; /* it is in `*` */
    bool cut;   /* the connection takes no more: the next thing is that it is lost */
    unsigned lives;
};

static const char *const names[RUNS] = {"a", "b", "c"};

static unsigned below(struct life *l, unsigned n)
{
    return (unsigned)random_below(&l->random, n);
}

static struct part *part_of(struct life *l, const struct heard *h)
{
    for (unsigned i = 0; i < RUNS; i++) {
        if (heard_is(h, "sessionId", names[i]))
            return &l->parts[i];
    }
    fail_msg("of no run: %s %s", h->event, h->data);
    return NULL;
}

static void hears_model(struct life *l, const struct heard *h)
{
    struct part *p = part_of(l, h);
    assert_true(p->head < p->tail);
    unsigned at = p->head++ % PENDING_MAX;
    assert_int_equal(heard_number(h, "modelIndex"), p->events[at].index);
    if (p->events[at].after)
        assert_int_equal(p->next, p->events[at].after + 1);
}

static void judge(struct life *l)
{
    struct client *c = l->client;
    while (c->next < c->count) {
        const struct heard *h = &c->inbox[c->next++];
        if (strcmp(h->event, "progress_update") == 0)
            assert_int_equal(heard_number(h, "offset"), part_of(l, h)->next++);
        else if (strcmp(h->event, "model_completed") == 0)
            hears_model(l, h);
        else
            assert_string_equal(h->event, "session_status");
    }
}

static void a_run_logs(struct life *l)
{
    unsigned run = below(l, RUNS);
    for (unsigned n = 1 + below(l, 3); n > 0; n--)
        trainer_logs(l->world, names[run], ++l->parts[run].newest);
}

static void a_model_ends(struct life *l)
{
    unsigned run = below(l, RUNS);
    struct part *p = &l->parts[run];
    if (p->joined || l->lists) {
        unsigned at = p->tail++ % PENDING_MAX;
        assert_true(p->tail - p->head < PENDING_MAX);
        p->events[at].index = p->models;
        p->events[at].after = p->joined ? p->newest : 0;
    }
    trainer_ends_model(l->world, names[run], p->models++);
}

static void it_subscribes(struct life *l)
{
    unsigned run = below(l, RUNS);
    struct part *p = &l->parts[run];
    if (p->joined || (l->cut && p->next > 0))
        return; /* what is on its way of an earlier subscription could not be told from this one */
    unsigned since = below(l, p->newest + 1);
    p->joined = true;
    if (below(l, 2)) {
        p->next = p->newest ? p->newest : 1;
        client_subscribes(l->client, names[run]);
    } else {
        p->next = since + 1;
        client_subscribes_since(l->client, names[run], since);
    }
}

static void it_unsubscribes(struct life *l)
{
    unsigned run = below(l, RUNS);
    if (l->cut)
        return;
    client_unsubscribes(l->client, names[run]);
    judge(l);
    l->parts[run].joined = false;
}

static void it_opens_the_run_list(struct life *l)
{
    if (!l->lists)
        client_subscribes(l->client, "*");
    else if (!l->cut)
        client_unsubscribes(l->client, "*");
    else
        return;
    l->lists = !l->lists;
}

static void the_connection_takes_no_more(struct life *l)
{
    struct client *c = l->client;
    if (l->cut)
        return; /* to open a window again would let newer values replace older ones */
    l->cut = true;
    if (c->tongue == POLLING)
        c->polls_on = false;
    else
        client_takes(c, below(l, 2) ? 0 : below(l, 3000));
}

static void it_upgrades(struct life *l)
{
    if (l->client->tongue == POLLING && !l->cut)
        client_upgrades(l->client);
}

static void it_comes_back(struct life *l)
{
    static const enum tongue tongues[] = {SOCKETIO, SOCKETIO_DEFLATED, POLLING};
    struct client *before = l->client;
    judge(l);
    client_leaves(before);
    if (below(l, 4) == 0) { /* a try whose answer does not arrive */
        struct client *lost = client_comes_back(l->world, tongues[below(l, 3)], before);
        assert_string_equal(lost->pid, before->pid);
        client_leaves(lost);
    }
    l->client = client_comes_back(l->world, tongues[below(l, 3)], before);
    assert_string_equal(l->client->pid, before->pid);
    l->cut = false;
    l->lives++;
}

static void (*const operations[])(struct life *l) = {
    a_run_logs,
    a_run_logs,
    a_run_logs,
    a_run_logs,
    a_run_logs,
    a_model_ends,
    it_subscribes,
    it_unsubscribes,
    it_opens_the_run_list,
    the_connection_takes_no_more,
    it_upgrades,
    it_comes_back,
};

static void lives(uint64_t seed)
{
    struct life l = {.world = world_create(), .random = random_seeded(seed)};
    l.world->config.throttle = false;
    world_begin(l.world);
    for (unsigned i = 0; i < RUNS; i++)
        trainer_starts(l.world, names[i]);
    l.client = client_recovers(l.world, SOCKETIO, NULL);
    for (unsigned i = 0; i < OPERATIONS; i++) {
        operations[below(&l, sizeof(operations) / sizeof(operations[0]))](&l);
        judge(&l);
    }
    it_comes_back(&l);
    judge(&l);
    assert_true(l.lives > OPERATIONS / 20);
    for (unsigned i = 0; i < RUNS; i++) {
        const struct part *p = &l.parts[i];
        assert_int_equal(p->head, p->tail);
        if (p->joined && p->newest > 0)
            assert_int_equal(p->next, p->newest + 1);
    }
    world_destroy(l.world);
}

static void each_offset_and_event_comes_once_over_all_its_lives(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        print_message("seed %u\n", (unsigned)seed);
        lives(seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_offset_and_event_comes_once_over_all_its_lives),
    };
    return cmocka_run_group_tests_name("flow/recovery_property", tests, NULL, NULL);
}
