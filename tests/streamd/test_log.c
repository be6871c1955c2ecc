/* SPDX-License-Identifier: MIT */
#include "streamd/log.h"

#include "tests/support/guarded.h"

#include <fcntl.h>
#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* stderr is a pipe while a test runs; `kept` is what it was. */
struct captured {
    int kept;
    int ends[2];
    char text[8192];
};

static int setup(void **state)
{
    static struct captured c;
    c.kept = dup(STDERR_FILENO);
    if (c.kept < 0 || pipe2(c.ends, O_NONBLOCK) != 0)
        return -1;
    (void)dup2(c.ends[1], STDERR_FILENO);
    log_set_level(LOG_INFO);
    *state = &c;
    return 0;
}

static int teardown(void **state)
{
    struct captured *c = *state;
    (void)dup2(c->kept, STDERR_FILENO);
    (void)close(c->kept);
    (void)close(c->ends[0]);
    (void)close(c->ends[1]);
    return 0;
}

/* What was logged since the last time. */
static const char *said(struct captured *c)
{
    ssize_t n = read(c->ends[0], c->text, sizeof(c->text) - 1);
    c->text[n > 0 ? n : 0] = '\0';
    return c->text;
}

static void a_line_has_time_level_module_and_text(void **state)
{
    struct captured *c = *state;
    regex_t line;
    assert_int_equal(regcomp(&line,
                             "^20[0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]"
                             "\\.[0-9][0-9][0-9]Z warn  room: join run=a viewers=7\n$",
                             REG_EXTENDED),
                     0);
    log_warn("room", "join run=%s viewers=%d", "a", 7);
    assert_int_equal(regexec(&line, said(c), 0, NULL, 0), 0);
    regfree(&line);
}

static void what_is_above_the_level_is_silent(void **state)
{
    struct captured *c = *state;
    log_set_level(LOG_WARN);
    log_info("x", "no");
    log_debug("x", "no");
    assert_string_equal(said(c), "");
    log_error("x", "yes");
    assert_non_null(strstr(said(c), " error x: yes\n"));
    log_set_level(LOG_DEBUG);
    log_debug("x", "yes");
    assert_non_null(strstr(said(c), " debug x: yes\n"));
}

static int arguments;

static int count_argument(void)
{
    return ++arguments;
}

static void arguments_of_a_silent_debug_line_are_not_computed(void **state)
{
    (void)state;
    arguments = 0;
    log_debug("x", "n=%d", count_argument());
    assert_int_equal(arguments, 0);
}

static void a_line_too_long_is_cut_and_still_ends(void **state)
{
    struct captured *c = *state;
    static char text[4000];
    memset(text, 'a', sizeof(text) - 1);
    log_info("x", "%s", text);
    size_t len = strlen(said(c));
    assert_in_range(len, 1000, 1024);
    assert_int_equal(c->text[len - 1], '\n');
    assert_int_equal(c->text[len - 2], 'a');
    for (size_t n = 960; n < 1024; n++) { /* all around the edge */
        log_info("x", "%.*s", (int)n, text);
        len = strlen(said(c));
        assert_true(len <= 1024 && c->text[len - 1] == '\n');
    }
}

static void a_line_that_would_block_is_dropped_and_counted(void **state)
{
    struct captured *c = *state;
    static char full[4096];
    uint64_t before = log_dropped();
    while (write(c->ends[1], full, sizeof(full)) > 0)
        continue;
    log_info("x", "no room");
    assert_int_equal(log_dropped(), before + 1);
}

static void a_closed_stderr_is_no_failure(void **state)
{
    (void)state;
    uint64_t before = log_dropped();
    (void)close(STDERR_FILENO);
    log_info("x", "nobody reads");
    assert_int_equal(log_dropped(), before + 1);
}

static void levels_have_names(void **state)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    enum log_level level = LOG_DEBUG;
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        assert_true(log_level_parse(span_of(names[i]), &level));
        assert_int_equal(level, i);
    }
    assert_false(log_level_parse(SPAN("verbose"), &level));
    assert_false(log_level_parse(SPAN("Error"), &level));
    assert_false(log_level_parse(SPAN(""), &level));
    assert_int_equal(level, LOG_DEBUG);
    log_set_level(LOG_WARN);
    assert_true(log_enabled(LOG_ERROR) && log_enabled(LOG_WARN));
    assert_false(log_enabled(LOG_INFO) || log_enabled(LOG_DEBUG));
}

static void what_a_peer_said_is_quoted_and_escaped(void **state)
{
    static const struct {
        const char *text;
        const char *quoted;
    } cases[] = {
        {"", "\"\""},
        {"plain text", "\"plain text\""},
        {"a\nb\r\t\x1b[31m\x7f", "\"a\\x0ab\\x0d\\x09\\x1b[31m\\x7f\""},
        {"say \"x\\y\"", "\"say \\x22x\\x5cy\\x22\""},
        {"caf\xc3\xa9", "\"caf\xc3\xa9\""},
    };
    struct log_text out;
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t len = strlen(cases[i].text);
        struct guarded g = guarded_copy(cases[i].text, len);
        assert_string_equal(log_quoted(&out, g.span), cases[i].quoted);
        guarded_free(&g);
    }
    assert_string_equal(log_quoted(&out, (struct span){"a\0b", 3}), "\"a\\x00b\"");
}

static void a_quotation_is_cut_where_there_is_no_more_room(void **state)
{
    static const struct {
        char byte;
        size_t shown; /* of it, at most */
    } fills[] = {{'a', 128}, {'\x01', 38}};
    static char text[1000];
    struct log_text out;
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        memset(text, fills[i].byte, sizeof(text));
        for (size_t len = 0; len < 300; len++) {
            const char *quoted = log_quoted(&out, (struct span){text, len});
            size_t shown = strlen(quoted);
            assert_true(shown < sizeof(out.text) && quoted[0] == '"');
            bool cut = shown > 4 && strcmp(quoted + shown - 4, "\"...") == 0;
            assert_true(cut || quoted[shown - 1] == '"');
            assert_int_equal(cut, len > fills[i].shown);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_line_has_time_level_module_and_text, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_above_the_level_is_silent, setup, teardown),
        cmocka_unit_test_setup_teardown(arguments_of_a_silent_debug_line_are_not_computed, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_line_too_long_is_cut_and_still_ends, setup, teardown),
        cmocka_unit_test_setup_teardown(a_line_that_would_block_is_dropped_and_counted, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_closed_stderr_is_no_failure, setup, teardown),
        cmocka_unit_test(levels_have_names),
        cmocka_unit_test(what_a_peer_said_is_quoted_and_escaped),
        cmocka_unit_test(a_quotation_is_cut_where_there_is_no_more_room),
    };
    return cmocka_run_group_tests_name("streamd/log", tests, NULL, NULL);
}
