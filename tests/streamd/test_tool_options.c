/* SPDX-License-Identifier: MIT */
#include "streamd/tools/tool_options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ARGUMENTS_MAX = 8 };

struct flags {
    const char *out;
    const char *kind;
    bool all;
};

static const struct tool_option options[] = {
    {"out", "PATH", NULL, "where to", offsetof(struct flags, out)},
    {"kind", "KIND", "a|b|c", "which", offsetof(struct flags, kind)},
    {"all", NULL, NULL, "all of them", offsetof(struct flags, all)},
    {0},
};

static const struct tool tool = {"try", "FILE...", "tries", options, NULL};

/* What a call came to. */
struct outcome {
    enum options_result result;
    struct flags flags;
    int count;
    char *rest[ARGUMENTS_MAX + 1];
    char *out, *err; /* own */
};

/* `words`: separated by spaces. */
static struct outcome parse(char *words)
{
    struct outcome o = {.count = 0};
    size_t size;
    int argc = 1;
    char *argv[ARGUMENTS_MAX + 2] = {(char[]){"try"}};
    for (char *word = strtok(words, " "); word; word = strtok(NULL, " "))
        argv[argc++] = word;
    FILE *out = open_memstream(&o.out, &size);
    FILE *err = open_memstream(&o.err, &size);
    o.result = tool_options_parse(&tool, argc, argv, &o.flags, &o.count, out, err);
    memcpy(o.rest, argv + 1, sizeof(o.rest));
    fclose(out);
    fclose(err);
    return o;
}

static void outcome_fini(struct outcome *o)
{
    free(o->out);
    free(o->err);
}

static void options_and_arguments_come_in_any_order(void **state)
{
    (void)state;
    char words[] = "x --all --out p y --kind=b - -- --out";
    struct outcome o = parse(words);
    assert_int_equal(o.result, OPTIONS_RUN);
    assert_string_equal(o.flags.out, "p");
    assert_string_equal(o.flags.kind, "b");
    assert_true(o.flags.all);
    assert_int_equal(o.count, 4);
    assert_string_equal(o.rest[0], "x");
    assert_string_equal(o.rest[1], "y");
    assert_string_equal(o.rest[2], "-");
    assert_string_equal(o.rest[3], "--out");
    outcome_fini(&o);
}

static void a_dash_is_a_value(void **state)
{
    (void)state;
    char words[] = "--out -";
    struct outcome o = parse(words);
    assert_int_equal(o.result, OPTIONS_RUN);
    assert_string_equal(o.flags.out, "-");
    outcome_fini(&o);
}

static void what_is_wrong_is_said_in_one_line(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"--nope", "streamd try: \"--nope\": no such option; streamd help try lists the options\n"},
        {"-x", "streamd try: \"-x\": no such option; streamd help try lists the options\n"},
        {"--all=1",
         "streamd try: \"--all=1\": this option takes no value; streamd help try lists the "
         "options\n"},
        {"--out", "streamd try: --out \"\": expected a text that is not empty\n"},
        {"--out --all", "streamd try: --out \"\": expected a text that is not empty\n"},
        {"--kind=d", "streamd try: --kind \"d\": expected a, b or c\n"},
        {"--kind=", "streamd try: --kind \"\": expected a, b or c\n"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char words[64];
        (void)snprintf(words, sizeof(words), "%s", cases[i][0]);
        struct outcome o = parse(words);
        assert_int_equal(o.result, OPTIONS_BAD);
        assert_string_equal(o.err, cases[i][1]);
        assert_string_equal(o.out, "");
        outcome_fini(&o);
    }
}

static void help_names_every_option(void **state)
{
    (void)state;
    char words[] = "x --help --nope";
    struct outcome o = parse(words);
    assert_int_equal(o.result, OPTIONS_DONE);
    assert_string_equal(o.out, "streamd try: tries\n\nusage: streamd try [OPTION]... FILE...\n\n"
                               "  --out PATH                 where to\n"
                               "  --kind KIND                which\n"
                               "  --all                      all of them\n"
                               "  --help                     print this and exit\n");
    outcome_fini(&o);
}

static void every_tool_is_found_by_its_name(void **state)
{
    (void)state;
    for (size_t i = 0; tool_at(i); i++) {
        assert_ptr_equal(tool_find(tool_at(i)->name), tool_at(i));
        assert_non_null(tool_at(i)->main);
    }
    assert_null(tool_find("nope"));
    assert_null(tool_find("--help"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_and_arguments_come_in_any_order),
        cmocka_unit_test(a_dash_is_a_value),
        cmocka_unit_test(what_is_wrong_is_said_in_one_line),
        cmocka_unit_test(help_names_every_option),
        cmocka_unit_test(every_tool_is_found_by_its_name),
    };
    return cmocka_run_group_tests_name("tools/tool_options", tests, NULL, NULL);
}
