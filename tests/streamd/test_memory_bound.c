/* SPDX-License-Identifier: MIT */
#include "streamd/memory_bound.h"

#include "streamd/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void the_sum_is_that_of_its_rows(void **state)
{
    (void)state;
    struct config config;
    options_defaults(&config);
    struct memory_bound bound = memory_bound(&config);
    uint64_t sum = 0;
#define ADD(name, formula, help)                                                                   \
    assert_true(bound.name > 0);                                                                   \
    sum += bound.name;
    MEMORY_TABLE(ADD)
#undef ADD
    assert_int_equal(bound.total, sum);
}

static void each_limit_of_the_options_counts(void **state)
{
    (void)state;
    static const struct {
        size_t option; /* its place in struct config */
        uint64_t by;   /* what one more of it adds, with everything else at its default */
    } rows[] = {
#define MORE(field, by) {offsetof(struct config, field), by}
        MORE(max_connections, 65536 + 2000000 + 2097152 + 32000 + 128 * 256 + 24 * 4096),
        MORE(max_payload, 2 * 20000 + 256),
        MORE(max_outbox_bytes, 2 * 20000 + 256),
        MORE(max_outbox_messages, 32 * 20000),
        MORE(max_rooms_per_peer, 256 * 20000),
        MORE(max_recoveries, 24 * 4096),
        MORE(max_trail, 24 * 21000),
        MORE(max_trainers, 65536 + 65536 + 1048576),
        MORE(max_line, 1024),
        MORE(max_history_bytes, 1),
        MORE(max_unkept_bytes, 1),
        MORE(max_sessions, 16 * 65536 + (2 << 20)),
        MORE(max_insights, 24576),
        MORE(mcp_max_replay_bytes, 256),
#undef MORE
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct config config;
        options_defaults(&config);
        uint64_t before = memory_bound(&config).total;
        ++*(uint64_t *)((char *)&config + rows[i].option);
        assert_int_equal(memory_bound(&config).total - before, rows[i].by);
    }
}

static void who_may_not_come_back_leaves_no_trail(void **state)
{
    (void)state;
    struct config config;
    options_defaults(&config);
    config.recovery_ms = 0;
    assert_int_equal(memory_bound(&config).recoveries, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sum_is_that_of_its_rows),
        cmocka_unit_test(each_limit_of_the_options_counts),
        cmocka_unit_test(who_may_not_come_back_leaves_no_trail),
    };
    return cmocka_run_group_tests_name("streamd/memory_bound", tests, NULL, NULL);
}
