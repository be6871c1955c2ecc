/* SPDX-License-Identifier: MIT */
#include "streamd/options.h"

#include "streamd/options_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { ARGS_MAX = 24, TEXT_MAX = 16384 };

/* The environment of one test: name, value, name, value, NULL. */
static const char *const *environment;

static const char *env(const char *name)
{
    for (size_t i = 0; environment && environment[i]; i += 2) {
        if (strcmp(environment[i], name) == 0)
            return environment[i + 1];
    }
    return NULL;
}

struct run {
    enum options_result result;
    struct config config;
    char out[TEXT_MAX];
    char err[TEXT_MAX];
    char words[1024];
    char *argv[ARGS_MAX];
};

static void collect(FILE *from, char *text)
{
    rewind(from);
    size_t n = fread(text, 1, TEXT_MAX - 1, from);
    text[n] = '\0';
    (void)fclose(from);
}

/* Runs with a command line of words between single spaces. */
static void run(struct run *r, const char *command_line)
{
    FILE *out = tmpfile();
    FILE *err = tmpfile();
    assert_non_null(out);
    assert_non_null(err);
    int argc = 0;
    assert_true(strlen(command_line) < sizeof(r->words));
    strcpy(r->words, command_line);
    r->argv[argc++] = (char[]){"streamd"};
    for (char *word = strtok(r->words, " "); word; word = strtok(NULL, " ")) {
        assert_true(argc < ARGS_MAX - 1);
        r->argv[argc++] = word;
    }
    r->argv[argc] = NULL;
    r->result = options_parse(argc, r->argv, env, out, err, &r->config);
    collect(out, r->out);
    collect(err, r->err);
}

static int setup(void **state)
{
    *state = calloc(1, sizeof(struct run));
    environment = NULL;
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    free(*state);
    return 0;
}

static void no_argument_is_needed(void **state)
{
    struct run *r = *state;
    char socket[64];
    run(r, "");
    assert_int_equal(r->result, OPTIONS_RUN);
    assert_string_equal(r->err, "");
    const struct config *c = &r->config;
    (void)snprintf(socket, sizeof(socket), "/tmp/streamd-%lu.sock", (unsigned long)geteuid());
    assert_int_equal(c->listen_count, 1);
    assert_string_equal(c->listen[0], "127.0.0.1:5001");
    assert_string_equal(c->socket_path, socket);
    assert_string_equal(c->data_dir, "/var/lib/streamd");
    assert_true(c->throttle && c->compression && !c->compat_clamp && !c->ephemeral);
    assert_true(c->max_rate == 10);
    assert_int_equal(c->ping_interval_ms, 25000);
    assert_int_equal(c->ping_timeout_ms, 20000);
    assert_int_equal(c->max_payload, 1000000);
    assert_int_equal(c->max_line, 65536);
    assert_int_equal(c->max_outbox_bytes, 1048576);
    assert_int_equal(c->max_outbox_messages, 1000);
    assert_int_equal(c->live_completed_s, 3600);
    assert_int_equal(c->live_idle_s, 14400);
    assert_int_equal(c->retain_s, 30 * 86400);
    assert_int_equal(c->log_level, LOG_INFO);
    assert_int_equal(c->allow_origin_count, 0);
    assert_null(c->trainer_command);
    assert_null(c->web_dir);
}

static void the_defaults_alone_are_those_of_an_empty_command_line(void **state)
{
    struct run *r = *state;
    struct config c;
    run(r, "");
    options_defaults(&c);
    assert_string_equal(c.listen[0], r->config.listen[0]);
    assert_string_equal(c.socket_path, r->config.socket_path);
    assert_int_equal(c.max_history_bytes, r->config.max_history_bytes);
    assert_int_equal(c.max_sessions, r->config.max_sessions);
}

static void a_bot_may_be_named_as_elsewhere(void **state)
{
    struct run *r = *state;
    environment = (const char *const[]){"TELEGRAM_TOKEN", "t", "TELEGRAM_CHAT", "c", NULL};
    run(r, "");
    assert_string_equal(r->config.telegram_token, "t");
    assert_string_equal(r->config.telegram_chat, "c");
    run(r, "--telegram-token T --telegram-chat=C");
    assert_string_equal(r->config.telegram_token, "T");
    assert_string_equal(r->config.telegram_chat, "C");
    environment = (const char *const[]){"TELEGRAM_TOKEN", "", NULL};
    run(r, "");
    assert_null(r->config.telegram_token);
}

static void paths_follow_the_environment_when_it_is_absolute(void **state)
{
    static const struct {
        const char *environment[9];
        const char *socket; /* NULL: not looked at */
        const char *data;
    } cases[] = {
        {{"XDG_RUNTIME_DIR", "/run/user/7", "HOME", "/home/u"},
         "/run/user/7/streamd.sock",
         "/home/u/.local/state/streamd"},
        {{"XDG_STATE_HOME", "/state", "HOME", "/home/u"}, NULL, "/state/streamd"},
        {{"XDG_STATE_HOME", "state", "HOME", "/home/u"}, NULL, "/home/u/.local/state/streamd"},
        {{"STREAMD_SOCKET", "/s", "STREAMD_DATA", "/d", "XDG_RUNTIME_DIR", "/run"}, "/s", "/d"},
        {{"STREAMD_SOCKET", "", "STREAMD_DATA", "", "XDG_RUNTIME_DIR", "/run", "HOME", "/h"},
         "/run/streamd.sock",
         "/h/.local/state/streamd"},
    };
    struct run *r = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        environment = cases[i].environment;
        run(r, "");
        assert_int_equal(r->result, OPTIONS_RUN);
        if (cases[i].socket)
            assert_string_equal(r->config.socket_path, cases[i].socket);
        assert_string_equal(r->config.data_dir, cases[i].data);
    }
}

static void every_flag_sets_its_field(void **state)
{
    struct run *r = *state;
    run(r, "--listen [::1]:0 --listen=0.0.0.0:65535 --socket /s --data /d --ephemeral --web /w "
           "--max-rate 2.5 --no-throttle --no-compression --compat-clamp --trainer-command train");
    const struct config *c = &r->config;
    assert_int_equal(r->result, OPTIONS_RUN);
    assert_int_equal(c->listen_count, 2);
    assert_string_equal(c->listen[0], "[::1]:0");
    assert_string_equal(c->listen[1], "0.0.0.0:65535");
    assert_string_equal(c->socket_path, "/s");
    assert_string_equal(c->data_dir, "/d");
    assert_string_equal(c->web_dir, "/w");
    assert_string_equal(c->trainer_command, "train");
    assert_true(c->ephemeral && !c->throttle && !c->compression && c->compat_clamp);
    assert_true(c->max_rate == 2.5);
    run(r, "--ping-interval-ms 300 --ping-timeout-ms 200 --connect-timeout-ms 1000 "
           "--drain-timeout-ms 0 --max-payload 2000 --max-line 4096 --max-connections 5 "
           "--max-trainers 6 --max-sessions 7");
    assert_int_equal(r->result, OPTIONS_RUN);
    assert_int_equal(c->ping_interval_ms, 300);
    assert_int_equal(c->ping_timeout_ms, 200);
    assert_int_equal(c->connect_timeout_ms, 1000);
    assert_int_equal(c->drain_timeout_ms, 0);
    assert_int_equal(c->max_payload, 2000);
    assert_int_equal(c->max_line, 4096);
    assert_int_equal(c->max_connections, 5);
    assert_int_equal(c->max_trainers, 6);
    assert_int_equal(c->max_sessions, 7);
    run(r, "--max-rooms-per-peer 8 --max-outbox-bytes 5000 --max-outbox-messages 9 "
           "--max-history-records 10 --max-history-bytes 2000000 --live-completed-s 11 "
           "--live-idle-s 12m --retain 2h --log-level debug --allow-origin https://a.b:1");
    assert_int_equal(r->result, OPTIONS_RUN);
    assert_int_equal(c->max_rooms_per_peer, 8);
    assert_int_equal(c->max_outbox_bytes, 5000);
    assert_int_equal(c->max_outbox_messages, 9);
    assert_int_equal(c->max_history_records, 10);
    assert_int_equal(c->max_history_bytes, 2000000);
    assert_int_equal(c->live_completed_s, 11);
    assert_int_equal(c->live_idle_s, 720);
    assert_int_equal(c->retain_s, 7200);
    assert_int_equal(c->log_level, LOG_DEBUG);
    assert_string_equal(c->allow_origin[0], "https://a.b:1");
}

static void a_flag_wins_over_its_variable_and_that_over_the_default(void **state)
{
    static const char *const variables[] = {"STREAMD_MAX_RATE",
                                            "5",
                                            "STREAMD_NO_THROTTLE",
                                            "1",
                                            "STREAMD_EPHEMERAL",
                                            "0",
                                            "STREAMD_LISTEN",
                                            "127.0.0.1:1, [::]:2",
                                            "STREAMD_ALLOW_ORIGIN",
                                            "http://a",
                                            "STREAMD_LOG_LEVEL",
                                            "nonsense",
                                            NULL};
    struct run *r = *state;
    environment = variables;
    run(r, "--log-level warn --allow-origin http://b --allow-origin http://c");
    assert_string_equal(r->err, "");
    assert_int_equal(r->result, OPTIONS_RUN);
    assert_true(r->config.max_rate == 5);
    assert_false(r->config.throttle);
    assert_false(r->config.ephemeral);
    assert_int_equal(r->config.log_level, LOG_WARN);
    assert_int_equal(r->config.listen_count, 2);
    assert_string_equal(r->config.listen[0], "127.0.0.1:1");
    assert_string_equal(r->config.listen[1], "[::]:2");
    assert_int_equal(r->config.allow_origin_count, 2);
    assert_string_equal(r->config.allow_origin[0], "http://b");
    run(r, "--max-rate 1 --max-rate 7 --log-level warn");
    assert_true(r->config.max_rate == 7);
}

static void a_bad_flag_is_one_line_that_says_what_is_wrong(void **state)
{
    static const struct {
        const char *command_line;
        const char *said[3];
    } cases[] = {
        {"--colour", {"\"--colour\"", "no such option"}},
        {"--Max-Rate 1", {"\"--Max-Rate\"", "no such option"}},
        {"-h", {"\"-h\"", "not an option"}},
        {"serve", {"\"serve\"", "not an option"}},
        {"--", {"\"--\"", "not an option"}},
        {"--max-rate", {"--max-rate", "0.1 to 1000"}},
        {"--max-rate --ephemeral", {"--max-rate \"\"", "0.1 to 1000"}},
        {"--max-rate 0.09", {"\"0.09\"", "0.1 to 1000"}},
        {"--max-rate 1001", {"\"1001\"", "0.1 to 1000"}},
        {"--max-rate NaN", {"\"NaN\"", "0.1 to 1000"}},
        {"--max-rate 1x", {"\"1x\"", "0.1 to 1000"}},
        {"--max-rate +1", {"\"+1\"", "0.1 to 1000"}},
        {"--max-line 1023", {"--max-line \"1023\"", "1024 to 65536"}},
        {"--max-line 65537", {"\"65537\"", "1024 to 65536"}},
        {"--max-sessions -1", {"\"-1\"", "1 to 1000000"}},
        {"--max-sessions 99999999999999999999", {"from 1 to"}},
        {"--retain 0", {"\"0\"", "seconds"}},
        {"--retain 30y", {"\"30y\"", "s, m, h or d"}},
        {"--retain d", {"\"d\"", "s, m, h or d"}},
        {"--retain 18446744073709551615d", {"s, m, h or d"}},
        {"--log-level loud", {"\"loud\"", "error, warn, info or debug"}},
        {"--ephemeral=1", {"takes no value"}},
        {"--socket=", {"--socket \"\"", "not empty"}},
        {"--listen 5001", {"\"5001\"", "ADDR:PORT"}},
        {"--listen :5001", {"\":5001\"", "ADDR:PORT"}},
        {"--listen localhost:5001", {"ADDR:PORT"}},
        {"--listen 127.0.0.1:", {"ADDR:PORT"}},
        {"--listen 127.0.0.1:65536", {"ADDR:PORT"}},
        {"--listen ::1:5001", {"ADDR:PORT"}},
        {"--listen [::1]5001", {"ADDR:PORT"}},
        {"--listen []:1", {"ADDR:PORT"}},
        {"--listen 127.0.0.01:1", {"ADDR:PORT"}},
        {"--listen [1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb]:1", {"ADDR:PORT"}},
        {"--allow-origin *", {"\"*\"", "scheme://host"}},
        {"--allow-origin null", {"scheme://host"}},
        {"--allow-origin http://", {"scheme://host"}},
        {"--allow-origin http://a/", {"scheme://host"}},
        {"--allow-origin HTTP://a", {"lower case"}},
        {"--allow-origin ://a", {"scheme://host"}},
    };
    struct run *r = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        run(r, cases[i].command_line);
        assert_int_equal(r->result, OPTIONS_BAD);
        assert_string_equal(r->out, "");
        assert_int_equal(strncmp(r->err, "streamd: ", 9), 0);
        assert_ptr_equal(strchr(r->err, '\n'), r->err + strlen(r->err) - 1);
        for (size_t n = 0; n < 3 && cases[i].said[n]; n++) {
            if (!strstr(r->err, cases[i].said[n]))
                fail_msg("%s: '%s' expected in: %s", cases[i].command_line, cases[i].said[n],
                         r->err);
        }
    }
}

static void a_bad_variable_is_named_with_its_value(void **state)
{
    static const struct {
        const char *environment[3];
        const char *said;
    } cases[] = {
        {{"STREAMD_MAX_RATE", "fast"}, "STREAMD_MAX_RATE \"fast\": expected a number"},
        {{"STREAMD_EPHEMERAL", "yes"}, "STREAMD_EPHEMERAL \"yes\": expected 0 or 1"},
        {{"STREAMD_LISTEN", "127.0.0.1:1,,"}, "STREAMD_LISTEN \"127.0.0.1:1,,\": expected ADDR"},
        {{"STREAMD_LISTEN", "1.1.1.1:1\n2"}, "STREAMD_LISTEN \"1.1.1.1:1\\x0a2\": expected ADDR"},
    };
    struct run *r = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        environment = cases[i].environment;
        run(r, "");
        assert_int_equal(r->result, OPTIONS_BAD);
        assert_non_null(strstr(r->err, cases[i].said));
        assert_ptr_equal(strchr(r->err, '\n'), r->err + strlen(r->err) - 1);
    }
}

static void too_many_of_a_repeatable_option_are_refused(void **state)
{
    struct run *r = *state;
    char listen[1024] = "";
    for (int i = 0; i <= CONFIG_LISTEN_MAX; i++)
        strcat(listen, "--listen=127.0.0.1:0 ");
    run(r, listen);
    assert_int_equal(r->result, OPTIONS_BAD);
    assert_non_null(strstr(r->err, "not so many"));
}

static void a_list_too_long_for_the_config_is_refused(void **state)
{
    static char origin[CONFIG_LISTS_MAX + 64];
    struct run *r = *state;
    memset(origin, 'a', sizeof(origin) - 1);
    memcpy(origin, "http://", 7);
    environment = (const char *const[]){"STREAMD_ALLOW_ORIGIN", origin, NULL};
    run(r, "");
    assert_int_equal(r->result, OPTIONS_BAD);
    assert_non_null(strstr(r->err, "STREAMD_ALLOW_ORIGIN"));
}

static void help_shows_every_option_in_eighty_columns(void **state)
{
    struct run *r = *state;
    run(r, "--ephemeral --help --nonsense");
    assert_int_equal(r->result, OPTIONS_DONE);
    assert_string_equal(r->err, "");
    for (size_t i = 0; option_at(i); i++) {
        char flag[64];
        (void)snprintf(flag, sizeof(flag), "\n  --%s", option_at(i)->name);
        assert_non_null(strstr(r->out, flag));
    }
    for (char *line = strtok(r->out, "\n"); line; line = strtok(NULL, "\n"))
        assert_true(strlen(line) <= 80);
}

static void version_is_one_line(void **state)
{
    struct run *r = *state;
    char expected[64];
    run(r, "--version");
    assert_int_equal(r->result, OPTIONS_DONE);
    (void)snprintf(expected, sizeof(expected), "streamd %s\n", STREAMD_VERSION);
    assert_string_equal(r->out, expected);
}

static void the_table_for_the_docs_has_a_row_for_every_option(void **state)
{
    struct run *r = *state;
    FILE *out = tmpfile();
    assert_non_null(out);
    options_write_markdown(out);
    collect(out, r->out);
    size_t lines = 0;
    for (const char *at = r->out; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    size_t rows = 0;
    for (; option_at(rows); rows++) {
        char cell[64];
        (void)snprintf(cell, sizeof(cell), "\n| `--%s", option_at(rows)->name);
        assert_non_null(strstr(r->out, cell));
    }
    assert_int_equal(lines, rows + 2);
    assert_non_null(strstr(r->out, "| `--max-rate HZ` | `STREAMD_MAX_RATE` | a number from 0.1 to "
                                   "1000 | `10` | "));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_bot_may_be_named_as_elsewhere),
        TEST(no_argument_is_needed),
        TEST(the_defaults_alone_are_those_of_an_empty_command_line),
        TEST(paths_follow_the_environment_when_it_is_absolute),
        TEST(every_flag_sets_its_field),
        TEST(a_flag_wins_over_its_variable_and_that_over_the_default),
        TEST(a_bad_flag_is_one_line_that_says_what_is_wrong),
        TEST(a_bad_variable_is_named_with_its_value),
        TEST(too_many_of_a_repeatable_option_are_refused),
        TEST(a_list_too_long_for_the_config_is_refused),
        TEST(help_shows_every_option_in_eighty_columns),
        TEST(version_is_one_line),
        TEST(the_table_for_the_docs_has_a_row_for_every_option),
    };
#undef TEST
    return cmocka_run_group_tests_name("streamd/options", tests, NULL, NULL);
}
