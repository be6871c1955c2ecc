/* SPDX-License-Identifier: MIT */
#include "streamd/store/batch.h"

#include "tests/streamd/store_rows.h"
#include "tests/support/oom.h"

static void span_is_text(struct span s, const char *text)
{
    if (!text)
        assert_null(s.ptr);
    else
        assert_true(s.ptr && s.len == strlen(text) && memcmp(s.ptr, text, s.len) == 0);
}

static void a_row_is_copied_with_all_its_texts(void **state)
{
    static const struct {
        const char *project, *name, *config;
    } cases[] = {
        {NULL, NULL, NULL},          {"p", "n", "{}"},        {"", "", ""},
        {NULL, "only a name", NULL}, {"", NULL, "{\"a\":1}"},
    };
    (void)state;
    struct batch *b = batch_create(1);
    assert_non_null(b);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char id[] = "run";
        char text[] = "state";
        struct store_session row = session_row(i + 1, id, text);
        row.project = cases[i].project ? span_of(cases[i].project) : (struct span){NULL, 0};
        row.name = cases[i].name ? span_of(cases[i].name) : (struct span){NULL, 0};
        row.config = cases[i].config ? span_of(cases[i].config) : (struct span){NULL, 0};
        row.pinned = i % 2;
        must(batch_add_session(b, &row));
        memset(id, '-', sizeof(id));
        memset(text, '-', sizeof(text));
    }
    for (size_t i = 0; i < b->count; i++) { /* none moved when the array grew */
        const struct batch_item *item = &b->items[i];
        assert_int_equal(item->kind, BATCH_SESSION);
        assert_int_equal(item->session, i + 1);
        assert_int_equal(item->row.key, i + 1);
        assert_int_equal(item->row.pinned, i % 2);
        span_is_text(item->row.id, "run");
        span_is_text(item->row.project, cases[i].project);
        span_is_text(item->row.name, cases[i].name);
        span_is_text(item->row.config, cases[i].config);
        span_is_text(item->row.status, "running");
        span_is_text(item->row.state, "state");
    }
    batch_destroy(b);
}

static void a_run_is_moved_in(void **state)
{
    (void)state;
    struct batch *b = batch_create(1);
    struct buf run;
    buf_init(&run, 100);
    buf_add_str(&run, "records");
    const char *bytes = run.ptr;
    must(batch_add_run(b, 5, 11, 3, &run));
    assert_null(run.ptr);
    assert_int_equal(run.len, 0);
    assert_int_equal(run.limit, 100);
    assert_ptr_equal(b->items[0].bytes.ptr, bytes);
    assert_int_equal(b->items[0].session, 5);
    assert_int_equal(b->items[0].first, 11);
    assert_int_equal(b->items[0].count, 3);
    assert_int_equal(b->records, 3);
    assert_true(b->bytes >= 7);
    batch_destroy(b);
}

static void items_stand_in_the_order_in_which_they_were_added(void **state)
{
    enum { ITEMS = 100 };
    (void)state;
    struct batch *b = batch_create(42);
    assert_int_equal(b->number, 42);
    for (unsigned i = 0; i < ITEMS; i++) {
        struct buf run;
        buf_init(&run, 100);
        buf_addf(&run, "%u", i);
        if (i % 4 == 0)
            must(batch_add(b, i % 8 ? BATCH_SEAL : BATCH_DELETE, i));
        else if (i % 4 == 1)
            must(batch_add_meta(b, "name", buf_span(&run)));
        else
            must(batch_add_run(b, i, 1, 1, &run));
        buf_fini(&run);
    }
    assert_int_equal(b->count, ITEMS);
    for (unsigned i = 0; i < ITEMS; i++) {
        char text[8];
        (void)snprintf(text, sizeof(text), "%u", i);
        if (i % 4 == 1)
            assert_string_equal(b->items[i].name, "name");
        else
            assert_int_equal(b->items[i].session, i);
        if (i % 4)
            span_is_text(buf_span(&b->items[i].bytes), text);
    }
    batch_destroy(b);
}

static void what_finds_no_memory_is_not_there(void **state)
{
    (void)state;
    batch_destroy(NULL);
    for (size_t n = 1; oom_sweeps(n); n++) {
        struct batch *b = batch_create(1);
        struct store_session row = session_row(1, "id", "state");
        struct buf run;
        buf_init(&run, 1000);
        buf_add_str(&run, "run");
        bool whole = buf_status(&run) == OK;
        for (unsigned i = 0; b && i < 20; i++) {
            size_t count = b->count;
            size_t bytes = b->bytes;
            enum status status = i % 3 == 0   ? batch_add_session(b, &row)
                                 : i % 3 == 1 ? batch_add_meta(b, "m", SPAN("value"))
                                              : batch_add(b, BATCH_SEAL, 1);
            assert_true(status == OK || status == E_NOMEM);
            assert_int_equal(b->count, count + (status == OK));
            assert_int_equal(b->bytes > bytes, status == OK);
        }
        if (b && whole && batch_add_run(b, 1, 1, 1, &run) != OK)
            span_is_text(buf_span(&run), "run"); /* it is still the caller's */
        buf_fini(&run);
        batch_destroy(b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_is_copied_with_all_its_texts),
        cmocka_unit_test(a_run_is_moved_in),
        cmocka_unit_test(items_stand_in_the_order_in_which_they_were_added),
        cmocka_unit_test(what_finds_no_memory_is_not_there),
    };
    return cmocka_run_group_tests_name("streamd/store/batch", tests, NULL, NULL);
}
