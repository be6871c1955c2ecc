/* SPDX-License-Identifier: MIT */
#include "streamd/store/mailbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { LETTERS = 20000 };

struct numbered {
    struct letter letter;
    unsigned number;
};

static void count_wake(void *context)
{
    ++*(unsigned *)context;
}

static void post(struct mailbox *m, struct numbered *n, unsigned number)
{
    n->number = number;
    mailbox_post(m, &n->letter);
}

/* Takes all there is; it must be from *next on, which is moved on. */
static void take(struct mailbox *m, unsigned *next)
{
    struct list letters;
    struct list *first;
    mailbox_take(m, &letters);
    while ((first = list_first(&letters)) != NULL) {
        list_remove(first);
        assert_int_equal(LIST_ENTRY(first, struct numbered, letter.link)->number, (*next)++);
    }
}

static void letters_come_in_the_order_in_which_they_were_posted(void **state)
{
    (void)state;
    struct mailbox m;
    struct numbered letters[3];
    unsigned next = 0;
    mailbox_init(&m, NULL, NULL);
    take(&m, &next);
    assert_int_equal(next, 0);
    for (unsigned i = 0; i < 3; i++)
        post(&m, &letters[i], i);
    take(&m, &next);
    assert_int_equal(next, 3);
    take(&m, &next);
    assert_int_equal(next, 3);
    mailbox_fini(&m);
}

static void a_letter_can_be_sent_there_and_back_again(void **state)
{
    (void)state;
    struct mailbox there;
    struct mailbox back;
    struct numbered n;
    struct list letters;
    mailbox_init(&there, NULL, NULL);
    mailbox_init(&back, NULL, NULL);
    for (unsigned i = 0; i < 5; i++) {
        post(i % 2 ? &back : &there, &n, i);
        mailbox_take(i % 2 ? &back : &there, &letters);
        assert_ptr_equal(list_first(&letters), &n.letter.link);
        list_remove(&n.letter.link);
    }
    mailbox_fini(&there);
    mailbox_fini(&back);
}

static void only_a_letter_into_an_empty_box_wakes(void **state)
{
    (void)state;
    struct mailbox m;
    struct numbered letters[4];
    unsigned woken = 0;
    unsigned next = 0;
    mailbox_init(&m, count_wake, &woken);
    for (unsigned i = 0; i < 3; i++)
        post(&m, &letters[i], i);
    assert_int_equal(woken, 1);
    take(&m, &next);
    assert_int_equal(woken, 1);
    post(&m, &letters[3], 3);
    assert_int_equal(woken, 2);
    take(&m, &next);
    mailbox_fini(&m);
}

static void who_waits_for_a_letter_that_is_there_does_not_sleep(void **state)
{
    static const uint64_t at_most[] = {0, 1, 999999, 1000000, 3600000000, UINT64_MAX};
    (void)state;
    struct mailbox m;
    struct numbered n;
    unsigned next = 7;
    mailbox_init(&m, NULL, NULL);
    post(&m, &n, 7);
    for (size_t i = 0; i < sizeof(at_most) / sizeof(at_most[0]); i++)
        mailbox_wait(&m, at_most[i]);
    take(&m, &next);
    assert_int_equal(next, 8);
    mailbox_fini(&m);
}

static void waiting_in_vain_ends(void **state)
{
    static const uint64_t at_most[] = {0, 1, 1500};
    (void)state;
    struct mailbox m;
    mailbox_init(&m, NULL, NULL);
    for (size_t i = 0; i < sizeof(at_most) / sizeof(at_most[0]); i++)
        mailbox_wait(&m, at_most[i]);
    mailbox_fini(&m);
}

struct two {
    struct mailbox there, back;
    struct numbered letters[LETTERS];
};

/* Sends back what comes. */
static void *echo(void *context)
{
    struct two *t = context;
    unsigned seen = 0;
    while (seen < LETTERS) {
        struct list letters;
        struct list *first;
        mailbox_wait(&t->there, UINT64_MAX);
        mailbox_take(&t->there, &letters);
        while ((first = list_first(&letters)) != NULL) {
            struct numbered *n = LIST_ENTRY(first, struct numbered, letter.link);
            list_remove(first);
            n->number++;
            seen++;
            mailbox_post(&t->back, &n->letter);
        }
    }
    return NULL;
}

static void two_threads_lose_no_letter_and_share_none(void **state)
{
    (void)state;
    struct two *t = calloc(1, sizeof(*t));
    pthread_t thread;
    unsigned next = 1;
    assert_non_null(t);
    mailbox_init(&t->there, NULL, NULL);
    mailbox_init(&t->back, NULL, NULL);
    assert_int_equal(pthread_create(&thread, NULL, echo, t), 0);
    for (unsigned i = 0; i < LETTERS; i++) {
        post(&t->there, &t->letters[i], i);
        if (i % 7 == 0)
            take(&t->back, &next);
    }
    while (next <= LETTERS) {
        mailbox_wait(&t->back, UINT64_MAX);
        take(&t->back, &next);
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    mailbox_fini(&t->there);
    mailbox_fini(&t->back);
    free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(letters_come_in_the_order_in_which_they_were_posted),
        cmocka_unit_test(a_letter_can_be_sent_there_and_back_again),
        cmocka_unit_test(only_a_letter_into_an_empty_box_wakes),
        cmocka_unit_test(who_waits_for_a_letter_that_is_there_does_not_sleep),
        cmocka_unit_test(waiting_in_vain_ends),
        cmocka_unit_test(two_threads_lose_no_letter_and_share_none),
    };
    return cmocka_run_group_tests_name("streamd/store/mailbox", tests, NULL, NULL);
}
