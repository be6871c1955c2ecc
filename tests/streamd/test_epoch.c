/* SPDX-License-Identifier: MIT */
#include "streamd/session/epoch.h"

#include "proto/line.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct reader {
    struct line_decoder decoder;
    struct line line;
    struct epoch epoch;
    struct buf out;
};

static int setup(void **state)
{
    static struct reader r;
    line_decoder_init(&r.decoder, 1);
    buf_init(&r.out, 4096);
    *state = &r;
    return 0;
}

static int teardown(void **state)
{
    struct reader *r = *state;
    line_decoder_fini(&r->decoder);
    buf_fini(&r->out);
    return 0;
}

/* The epoch that this `metrics` object becomes, written. */
static const char *read(struct reader *r, const char *metrics, uint64_t index)
{
    char text[1024];
    struct line_error error;
    (void)snprintf(text, sizeof(text), "{\"type\":\"epoch\",\"metrics\":%s}", metrics);
    assert_int_equal(line_decode(&r->decoder, span_of(text), &r->line, &error), OK);
    const struct series_entry entry = {.offset = 5, .record = r->line.record};
    epoch_of_entry(&entry, &r->epoch);
    buf_reset(&r->out);
    epoch_write(&r->epoch, index, &r->out);
    buf_add_char(&r->out, '\0');
    return r->out.ptr;
}

static void all_eight_fields_are_kept_with_their_types(void **state)
{
    assert_string_equal(read(*state,
                             "{\"epoch\":3,\"train_loss\":1,\"train_accuracy\":0.5,\"val_loss\":0,"
                             "\"val_accuracy\":1e-9,\"learning_rate\":0.001,\"duration\":12.25,"
                             "\"timestamp\":1700000000.25}",
                             0),
                        "{\"epoch\":3,\"train_loss\":1.0,\"train_accuracy\":0.5,\"val_loss\":0.0,"
                        "\"val_accuracy\":1e-9,\"learning_rate\":0.001,\"duration\":12.25,"
                        "\"timestamp\":\"2023-11-14T22:13:20.250Z\"}");
}

static void what_is_absent_or_no_number_is_null(void **state)
{
    assert_string_equal(read(*state, "{\"train_loss\":NaN,\"val_loss\":null,\"timestamp\":0}", 7),
                        "{\"epoch\":7,\"train_loss\":null,\"train_accuracy\":null,"
                        "\"val_loss\":null,\"val_accuracy\":null,\"learning_rate\":null,"
                        "\"duration\":null,\"timestamp\":\"1970-01-01T00:00:00Z\"}");
}

static void trainers_may_spell_them_otherwise(void **state)
{
    struct reader *r = *state;
    (void)read(r,
               "{\"Epoch\":4,\"loss\":2,\"val/loss\":3,\"Val.Acc\":0.25,\"acc\":0.5,\"lr\":0.125,"
               "\"epoch_time\":9}",
               0);
    assert_true(epoch_value(&r->epoch, EPOCH_NUMBER) == 4);
    assert_true(epoch_value(&r->epoch, EPOCH_TRAIN_LOSS) == 2);
    assert_true(epoch_value(&r->epoch, EPOCH_VAL_LOSS) == 3);
    assert_true(epoch_value(&r->epoch, EPOCH_VAL_ACCURACY) == 0.25);
    assert_true(epoch_value(&r->epoch, EPOCH_TRAIN_ACCURACY) == 0.5);
    assert_true(epoch_value(&r->epoch, EPOCH_LEARNING_RATE) == 0.125);
    assert_true(epoch_value(&r->epoch, EPOCH_DURATION) == 9);
    (void)read(r, "{\"train_loss_epoch\":2.5}", 0);
    assert_true(epoch_value(&r->epoch, EPOCH_TRAIN_LOSS) == 2.5);
    assert_int_equal(r->epoch.offset, 5);
}

static void times_are_read_as_they_are_written(void **state)
{
    static const struct {
        const char *text;
        double epoch_s; /* NaN: refused */
    } cases[] = {
        {"2023-11-14T22:13:20Z", 1700000000},
        {"2023-11-14T22:13:20.250Z", 1700000000.25},
        {"2023-11-14T22:13:20", 1700000000},
        {"2023-11-14 22:13:20", 1700000000},
        {"2023-11-14T23:13:20+01:00", 1700000000},
        {"2023-11-14T20:43:20.5-0130", 1700000000.5},
        {"2024-02-29T00:00:00Z", 1709164800},
        {"2023-11-14", NAN},
        {"2023-13-14T22:13:20Z", NAN},
        {"2023-11-14T25:13:20Z", NAN},
        {"2023-11-14T22:13:20X", NAN},
        {"2023-11-14T22:13:20+1", NAN},
        {"", NAN},
        {"yesterday", NAN},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        double epoch_s = (double)NAN;
        bool good = time_read_iso(span_of(cases[i].text), &epoch_s);
        assert_int_equal(good, !isnan(cases[i].epoch_s));
        if (good)
            assert_true(epoch_s == cases[i].epoch_s);
    }
}

static void a_time_out_of_reach_is_null(void **state)
{
    struct reader *r = *state;
    static const double times[] = {NAN, INFINITY, -1, 1e300};
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        buf_reset(&r->out);
        time_write_iso(times[i], &r->out);
        assert_true(span_is(buf_span(&r->out), "null"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_eight_fields_are_kept_with_their_types, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_is_absent_or_no_number_is_null, setup, teardown),
        cmocka_unit_test_setup_teardown(trainers_may_spell_them_otherwise, setup, teardown),
        cmocka_unit_test(times_are_read_as_they_are_written),
        cmocka_unit_test_setup_teardown(a_time_out_of_reach_is_null, setup, teardown),
    };
    return cmocka_run_group_tests_name("session/epoch", tests, NULL, NULL);
}
