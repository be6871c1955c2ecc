/* SPDX-License-Identifier: MIT */
#include "streamd/tools/epoch_ends.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { NOTHING = -1 };

static struct epoch_ends ends;

static int begin(void **state)
{
    (void)state;
    epoch_ends_init(&ends);
    return 0;
}

static struct point record(double epoch, double loss, double val_loss)
{
    struct point p = {0};
    point_set(&p, POINT_EPOCH, epoch);
    if (!isnan(loss))
        point_set(&p, POINT_TRAIN_LOSS, loss);
    if (!isnan(val_loss))
        point_set(&p, POINT_VAL_LOSS, val_loss);
    return p;
}

/* The epochs that ended before and with the record. */
static void expect(double epoch, double loss, double val_loss, double before, double with)
{
    struct point p = record(epoch, loss, val_loss);
    struct epoch_end end = {.epoch = NOTHING};
    (void)epoch_ends_before(&ends, &p, &end);
    assert_true(end.epoch == before);
    end.epoch = NOTHING;
    (void)epoch_ends_with(&ends, &p, &end);
    assert_true(end.epoch == with);
}

static void an_epoch_ends_with_its_validation(void **state)
{
    (void)state;
    expect(1, 4, NAN, NOTHING, NOTHING);
    expect(1, 2, NAN, NOTHING, NOTHING);
    expect(1, NAN, 3, NOTHING, 1);
    expect(1, NAN, 3, NOTHING, NOTHING); /* of another set */
    expect(2, 1, NAN, NOTHING, NOTHING);
    expect(2, 1, 2, NOTHING, 2);
}

static void without_one_it_ends_where_the_next_begins(void **state)
{
    (void)state;
    struct epoch_end end;
    expect(3, 4, NAN, NOTHING, NOTHING);
    expect(3, 2, NAN, NOTHING, NOTHING);
    struct point p = record(4, 1, NAN);
    assert_true(epoch_ends_before(&ends, &p, &end));
    assert_true(end.epoch == 3 && end.train_loss == 3);
    assert_false(epoch_ends_with(&ends, &p, &end));
    expect(6, 1, NAN, 4, NOTHING);
    assert_true(epoch_ends_last(&ends, &end));
    assert_true(end.epoch == 6 && end.train_loss == 1);
    assert_false(epoch_ends_last(&ends, &end));
}

static void fractions_say_how_many_are_over(void **state)
{
    (void)state;
    expect(0.5, 4, NAN, NOTHING, NOTHING);
    expect(1.0, 4, NAN, NOTHING, NOTHING);
    expect(1.0, NAN, 3, NOTHING, 1);
    expect(1.5, 4, 5, NOTHING, NOTHING); /* judged in the middle */
    expect(2.1, 4, NAN, 2, NOTHING);
}

static void a_run_that_is_taken_up_earlier_ends_them_again(void **state)
{
    (void)state;
    expect(5, 4, 4, NOTHING, 5);
    expect(6, 4, 4, NOTHING, 6);
    expect(5, 4, 4, NOTHING, 5);
    expect(6, 4, 4, NOTHING, 6);
}

static void records_without_an_epoch_end_none(void **state)
{
    (void)state;
    struct point p = {0};
    struct epoch_end end;
    point_set(&p, POINT_VAL_LOSS, 1);
    assert_false(epoch_ends_before(&ends, &p, &end));
    assert_false(epoch_ends_with(&ends, &p, &end));
    assert_false(epoch_ends_last(&ends, &end));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_epoch_ends_with_its_validation, begin),
        cmocka_unit_test_setup(without_one_it_ends_where_the_next_begins, begin),
        cmocka_unit_test_setup(fractions_say_how_many_are_over, begin),
        cmocka_unit_test_setup(a_run_that_is_taken_up_earlier_ends_them_again, begin),
        cmocka_unit_test_setup(records_without_an_epoch_end_none, begin),
    };
    return cmocka_run_group_tests_name("tools/epoch_ends", tests, NULL, NULL);
}
