/* SPDX-License-Identifier: MIT */
#include "streamd/tools/import_file.h"

#include "streamd/options.h"
#include "streamd/store/store_memory.h"
#include "streamd/store/store_whole.h"
#include "streamd/tools/verify_run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MODIFIED_MS = 1600000000 };

/* A store in memory, and an app over it as an import has one. */
struct world {
    struct config config;
    struct store *memory; /* borrows */
    struct store *store;  /* borrows */
    struct app *app;
    struct progress progress;
    struct import_file file;
    const char *why;
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    options_defaults(&w->config);
    log_set_level(LOG_ERROR);
    w->config.max_history_records = 1;
    w->memory = store_memory_create();
    w->store = store_whole_create(w->memory);
    w->app = app_create(
        &(struct app_params){.config = &w->config, .store = w->store, .inline_store = true},
        (struct now){.us = IMPORT_NOW_US, .wall_s = 1700000000});
    assert_non_null(w->app);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    app_destroy(w->app);
    free(w);
    return 0;
}

/* Looks and feeds as a run `a`; all that came of it. */
static enum status take(struct world *w, const char *text)
{
    struct span bytes = span_of(text);
    struct import_file *f = &w->file;
    *f = (struct import_file){.app = w->app, .progress = &w->progress, .modified_ms = MODIFIED_MS};
    source_init(&f->source, source_find("auto", bytes), bytes);
    source_row_init(&f->row);
    enum status status = import_look(f);
    if (status == OK)
        status = store_whole_begin(w->store);
    if (status == OK)
        status = import_feed(f, &(struct import_names){.id = SPAN("a")}, &w->why);
    if (status == OK)
        status = store_whole_commit(w->store);
    source_row_fini(&f->row);
    source_fini(&f->source);
    return status;
}

static struct session *session_a(struct world *w)
{
    struct session *s = registry_find(&w->app->registry, SPAN("a"));
    assert_non_null(s);
    return s;
}

/* The newest record's field. */
static double newest(struct world *w, enum record_field field)
{
    struct series_cursor cursor;
    struct series_entry entry;
    assert_true(session_latest(session_a(w), &cursor, &entry));
    double value = num_double(entry.record.field[field]);
    series_cursor_fini(&cursor);
    return value;
}

static void on_progress(struct verify *v)
{
    (void)v;
}

static void on_problem(struct verify *v, const char *text)
{
    v->problems++;
    fail_msg("%s", text);
}

static void records_are_sealed_and_the_run_is_over(void **state)
{
    struct world *w = *state;
    assert_int_equal(take(w, "step,loss\n1,2\n2,1\n"), OK);
    struct verify v = {.store = w->store,
                       .decoder = &w->app->decoder,
                       .progress = on_progress,
                       .problem = on_problem};
    assert_int_equal(session_a(w)->state, SESSION_COMPLETED);
    assert_int_equal(verify_run(&v, session_a(w)), OK);
    assert_int_equal(v.records, 2);
    assert_int_equal(v.segments, 1);
    assert_int_equal(v.runs, 0);
}

static void without_times_a_run_was_when_the_file_was_written(void **state)
{
    struct world *w = *state;
    assert_int_equal(take(w, "step,loss\n1,2\n2,1\n"), OK);
    assert_true(session_a(w)->start_time_s == MODIFIED_MS / 1000.0);
    assert_true(session_a(w)->last_update_s == MODIFIED_MS / 1000.0);
    assert_true(newest(w, F_TRAINING_TIME) == 0);
}

static void spans_end_when_the_file_was_written(void **state)
{
    struct world *w = *state;
    assert_int_equal(take(w, "step,loss,time_s\n1,2,0.5\n2,1,60.25\n"), OK);
    assert_true(session_a(w)->start_time_s == (MODIFIED_MS - 60250) / 1000.0);
    assert_true(newest(w, F_TRAINING_TIME) == 60.25);
    assert_true(session_a(w)->last_us == IMPORT_NOW_US);
}

static void moments_are_kept_and_never_go_back(void **state)
{
    struct world *w = *state;
    assert_int_equal(
        take(w, "step,loss,wall_time\n1,2,1000000000\n2,1,1000000100\n3,1,1000000050\n"), OK);
    assert_true(session_a(w)->start_time_s == 1000000000);
    assert_true(session_a(w)->last_update_s == 1000000100);
    assert_true(newest(w, F_TIMESTAMP) == 1000000100);
    assert_true(session_a(w)->last_us == IMPORT_NOW_US);
}

static void epochs_are_steps_where_there_are_none(void **state)
{
    struct world *w = *state;
    assert_int_equal(take(w, "epoch,loss\n5,2\n6,1\n"), OK);
    assert_true(newest(w, F_CURRENT_STEP) == 6);
}

static void records_are_counted_where_there_is_neither(void **state)
{
    struct world *w = *state;
    assert_int_equal(take(w, "a,b\n5,2\n,\n6,1\n"), OK);
    assert_true(newest(w, F_CURRENT_STEP) == 2);
    assert_int_equal(w->file.facts.blank, 1);
}

static void damage_is_found_before_anything_is_done(void **state)
{
    struct world *w = *state;
    assert_int_equal(take(w, "step,loss\n1,2\n2\n"), E_MALFORMED);
    assert_null(registry_find(&w->app->registry, SPAN("a")));
    assert_string_equal(w->file.source.why, "fewer cells than there are names");
}

static void a_name_that_no_trainer_may_use_is_damage_too(void **state)
{
    struct world *w = *state;
    char text[400];
    memset(text, 'n', sizeof(text));
    memcpy(text + 300, "\n1\n", 4);
    assert_int_equal(take(w, text), E_MALFORMED);
    assert_string_equal(w->file.source.why, "the name of a metric is longer than 256 bytes");
}

static void a_store_in_trouble_ends_it(void **state)
{
    struct world *w = *state;
    store_memory_fail(w->memory, 2);
    assert_int_equal(take(w, "step,loss\n1,2\n"), E_IO);
    assert_string_equal(w->why, "the store did not take it");
    store_memory_fail(w->memory, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(records_are_sealed_and_the_run_is_over),
        TEST(without_times_a_run_was_when_the_file_was_written),
        TEST(spans_end_when_the_file_was_written),
        TEST(moments_are_kept_and_never_go_back),
        TEST(epochs_are_steps_where_there_are_none),
        TEST(records_are_counted_where_there_is_neither),
        TEST(damage_is_found_before_anything_is_done),
        TEST(a_name_that_no_trainer_may_use_is_damage_too),
        TEST(a_store_in_trouble_ends_it),
    };
    return cmocka_run_group_tests_name("tools/import_file", tests, NULL, NULL);
}
