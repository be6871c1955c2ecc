/* SPDX-License-Identifier: MIT */
/* What waits for the disk on a trainer's connection, over a real socket. */
#include "streamd/ingest/trainer.h"

#include "streamd/session/shedding.h"

#include "tests/streamd/domain.h"
#include "tests/support/lasting_store.h"
#include "tests/support/oom.h"
#include "tests/support/socket_place.h"

#include <errno.h>
#include <ev.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define LINE(id, n)                                                                                \
    "{\"type\":\"progress\",\"sessionId\":\"" id "\",\"seq\":" #n ",\"metrics\":{\"step\":" #n     \
    "}}\n"
#define ACK(id, n) "{\"type\":\"ack\",\"sessionId\":\"" id "\",\"seq\":" #n "}\n"

struct bench {
    struct domain d;
    struct lasting_store store;
    struct ev_loop *loop;
    struct unix_ingest *ingest;
    struct socket_place place;
};

static struct keeping *keeping_of(struct bench *b)
{
    return &b->d.registry.keeping;
}

static int setup(void **state)
{
    struct bench *b = calloc(1, sizeof(*b));
    assert_non_null(b);
    domain_defaults(&b->d);
    socket_place_make(&b->place);
    b->d.config.socket_path = b->place.path;
    b->d.config.max_unkept_bytes = 4096;
    domain_open(&b->d);
    lasting_store_init(&b->store);
    assert_int_equal(registry_open(&b->d.registry,
                                   &(struct keeping_params){.config = &b->d.config,
                                                            .timers = &b->d.timers,
                                                            .stats = &b->d.stats,
                                                            .store = &b->store.base,
                                                            .inline_work = true},
                                   b->d.now),
                     OK);
    keeping_enter(keeping_of(b), b->d.now.us);
    b->loop = ev_loop_new(EVFLAG_AUTO);
    b->ingest = unix_ingest_create(&(struct unix_ingest_params){.config = &b->d.config,
                                                                .registry = &b->d.registry,
                                                                .decoder = &b->d.decoder,
                                                                .stats = &b->d.stats,
                                                                .loop = b->loop,
                                                                .now = &b->d.now});
    assert_non_null(b->ingest);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;
    unix_ingest_destroy(b->ingest);
    ev_loop_destroy(b->loop);
    domain_close(&b->d);
    lasting_store_fini(&b->store);
    socket_place_remove(&b->place);
    free(b);
    return 0;
}

/* Everything that can be done now. A local socket has at once what was written to it. */
static void run(struct bench *b)
{
    for (unsigned i = 0; i < 20; i++)
        ev_run(b->loop, EVRUN_NOWAIT);
}

static void hand_over(struct bench *b)
{
    keeping_flush(keeping_of(b));
}

/* As app_receive does. */
static void receive(struct bench *b)
{
    keeping_receive(keeping_of(b));
    if (shedding_ends(&b->d.registry)) {
        unix_ingest_resend(b->ingest);
        shedding_told(&b->d.registry);
    }
    unix_ingest_relieve(b->ingest);
    run(b);
}

static int connects(struct bench *b)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    (void)strcpy(address.sun_path, b->place.path);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    run(b);
    assert_int_equal(b->d.stats.trainers, 1);
    return fd;
}

static void says(struct bench *b, int fd, const char *lines)
{
    assert_int_equal(write(fd, lines, strlen(lines)), (ssize_t)strlen(lines));
    run(b);
}

static void hears(int fd, const char *text)
{
    char heard[4096];
    ssize_t n = read(fd, heard, sizeof(heard) - 1);
    heard[n > 0 ? n : 0] = '\0';
    assert_string_equal(heard, text);
}

static void hears_the_end(struct bench *b, int fd)
{
    char byte;
    assert_int_equal(read(fd, &byte, 1), 0);
    assert_int_equal(b->d.stats.trainers, 0);
    close(fd);
}

static void what_was_said_before_leaving_is_taken_though_an_ack_finds_nobody(void **state)
{
    struct bench *b = *state;
    int fd = connects(b);
    says(b, fd, LINE("a", 1));
    hand_over(b);
    static const char last[] = LINE("a", 2) "{\"type\":\"complete\",\"sessionId\":\"a\"}\n";
    assert_int_equal(write(fd, last, strlen(last)), (ssize_t)strlen(last));
    close(fd);
    receive(b);
    assert_int_equal(b->d.stats.lines_received, 3);
    assert_int_equal(b->d.stats.trainers, 0);
}

/* A trainer that is seen going after its run has ended changes nothing of it. */
static void what_needs_no_disk_is_acknowledged_at_once(void **state)
{
    struct bench *b = *state;
    int fd = connects(b);
    says(b, fd, LINE("a", 1) "{\"type\":\"complete\",\"sessionId\":\"a\",\"seq\":2}\n");
    hand_over(b);
    receive(b);
    hears(fd, ACK("a", 2));
    says(b, fd, "{\"type\":\"gone\",\"sessionId\":\"a\",\"seq\":3,\"pid\":12}\n");
    hears(fd, ACK("a", 3));
    close(fd);
    run(b);
}

static void who_half_closes_still_hears_that_it_is_kept(void **state)
{
    struct bench *b = *state;
    int fd = connects(b);
    says(b, fd, LINE("a", 1) LINE("b", 1) LINE("a", 2) LINE("c", 9) LINE("b", 2));
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    run(b);
    hears(fd, "");
    assert_int_equal(b->d.stats.trainers, 1);
    hand_over(b);
    receive(b);
    hears(fd, ACK("a", 2) ACK("b", 2) ACK("c", 9));
    hears_the_end(b, fd);
}

static void who_half_closes_while_the_disk_is_in_trouble_is_let_go(void **state)
{
    struct bench *b = *state;
    int fd = connects(b);
    b->store.broken = true;
    says(b, fd, LINE("a", 1));
    hand_over(b);
    receive(b);
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    run(b);
    hears_the_end(b, fd);
    b->store.broken = false;
    receive(b);
    assert_int_equal(domain_session(&b->d, "a")->durable_seq, 1);
}

static void who_waits_to_hear_it_is_let_go_when_trouble_comes(void **state)
{
    struct bench *b = *state;
    int fd = connects(b);
    says(b, fd, LINE("a", 1));
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    run(b);
    b->store.broken = true;
    hand_over(b);
    receive(b);
    hears_the_end(b, fd);
    b->store.broken = false;
}

static void nobody_is_read_while_too_much_waits_for_the_disk(void **state)
{
    struct bench *b = *state;
    int fd = connects(b);
    char lines[8192] = "";
    for (unsigned n = 0; n < 60; n++)
        (void)strcat(lines,
                     "{\"type\":\"progress\",\"sessionId\":\"a\",\"metrics\":{\"step\":1}}\n");
    says(b, fd, lines);
    hand_over(b);
    assert_true(keeping_full(keeping_of(b)));
    says(b, fd, LINE("a", 1)); /* it is asked for before anybody knows that it is too much */
    uint64_t read = b->d.stats.lines_received;
    says(b, fd, LINE("a", 2) LINE("a", 3));
    assert_int_equal(b->d.stats.lines_received, read);
    receive(b);
    assert_int_equal(b->d.stats.lines_received, read + 2);
    hand_over(b);
    receive(b);
    hears(fd, ACK("a", 3));
    close(fd);
    run(b);
}

/* More than a socket and the answers hold together: each ack takes about a kilobyte of a socket. */
static void acks_of_thousands_of_sessions_wait_for_who_is_late_to_read(void **state)
{
    enum { SESSIONS = 2000 };
    struct bench *b = *state;
    char text[65536];
    unsigned told = 0;
    int fd = connects(b);
    keeping_of(b)->max_bytes = 1 << 24;
    for (int i = 0; i < SESSIONS; i++) {
        (void)snprintf(text, sizeof(text),
                       "{\"type\":\"progress\",\"sessionId\":\"%0120d\",\"seq\":1,"
                       "\"metrics\":{\"step\":1}}\n",
                       i);
        says(b, fd, text);
    }
    hand_over(b);
    receive(b);
    for (ssize_t n; (n = read(fd, text, sizeof(text))) > 0; run(b)) {
        for (ssize_t i = 0; i < n; i++)
            told += text[i] == '\n';
    }
    assert_int_equal(told, SESSIONS);
    assert_int_equal(b->d.stats.trainers, 1);
    close(fd);
    run(b);
}

/* It is not read on while its answers wait, and picked up in the middle of what was read. */
static void nonsense_is_answered_line_by_line_to_who_is_late_to_read(void **state)
{
    struct bench *b = *state;
    static char text[65536];
    unsigned told = 0;
    size_t said = 0; /* bytes, of two a line */
    int fd = connects(b);
    memset(text, 'x', sizeof(text));
    for (size_t i = 1; i < sizeof(text); i += 2)
        text[i] = '\n';
    for (ssize_t n = 1; n > 0 && said < 40000; run(b)) {
        n = write(fd, text + said % 2, 40000 - said);
        said += n > 0 ? (size_t)n : 0;
    }
    assert_true(b->d.stats.lines_received < said / 2);
    static char heard[65536];
    for (ssize_t n; (n = read(fd, heard, sizeof(heard))) > 0; run(b)) {
        for (ssize_t i = 0; i < n; i++)
            told += heard[i] == '\n';
    }
    assert_int_equal(told, said / 2);
    assert_int_equal(b->d.stats.lines_rejected, said / 2);
    close(fd);
    run(b);
}

static void who_waits_to_be_read_is_read_when_trouble_comes(void **state)
{
    struct bench *b = *state;
    int fd = connects(b);
    char lines[8192] = "";
    for (unsigned n = 0; n < 60; n++)
        (void)strcat(lines,
                     "{\"type\":\"progress\",\"sessionId\":\"a\",\"metrics\":{\"step\":1}}\n");
    b->store.broken = true;
    says(b, fd, lines);
    hand_over(b);
    says(b, fd, LINE("a", 1));
    uint64_t read = b->d.stats.lines_received;
    says(b, fd, LINE("a", 2));
    assert_int_equal(b->d.stats.lines_received, read);
    receive(b);
    assert_int_equal(b->d.stats.lines_received, read + 1);
    hears(fd, "");
    close(fd);
    run(b);
    assert_int_equal(b->d.stats.trainers, 0);
    b->store.broken = false;
}

static void says_numbered(struct bench *b, int fd, const char *id, unsigned from, unsigned to)
{
    char line[160];
    for (unsigned n = from; n <= to; n++) {
        (void)snprintf(line, sizeof(line),
                       "{\"type\":\"progress\",\"sessionId\":\"%s\",\"seq\":%u,\"metrics\":{"
                       "\"step\":%u}}\n",
                       id, n, n);
        says(b, fd, line);
    }
}

static void whose_run_was_not_kept_is_to_send_it_again(void **state)
{
    struct bench *b = *state;
    int fd = connects(b);
    says(b, fd, LINE("a", 1));
    hand_over(b);
    receive(b);
    hears(fd, ACK("a", 1));
    b->store.broken = true;
    says_numbered(b, fd, "a", 2, 60);
    hand_over(b);
    receive(b);
    says_numbered(b, fd, "a", 61, 90);
    struct session *s = domain_session(&b->d, "a");
    assert_true(s->lost);
    b->store.broken = false;
    receive(b);
    assert_false(s->lost);
    assert_true(s->last_seq < 90);
    char heard[4096];
    ssize_t n = read(fd, heard, sizeof(heard) - 1);
    heard[n > 0 ? n : 0] = '\0';
    assert_non_null(strstr(heard, "\"code\":\"resend\""));
    hears_the_end(b, fd);
}

static void who_lost_nothing_is_not_asked_for_anything(void **state)
{
    struct bench *b = *state;
    int fd = connects(b);
    says(b, fd, LINE("b", 1));
    hand_over(b);
    receive(b);
    hears(fd, ACK("b", 1));
    domain_session(&b->d, "b")->registry->keeping.shedding = true; /* another's run is to go back */
    receive(b);
    says(b, fd, LINE("b", 2));
    hand_over(b);
    receive(b);
    hears(fd, ACK("b", 2));
    close(fd);
    run(b);
}

/* Lines 1 to 3, while the nth allocation fails; false when none did. */
static bool a_line_finds_no_memory_at(size_t nth)
{
    struct bench *b;
    void *state;
    char heard[4096];
    unsigned acked = 0;
    (void)setup(&state);
    b = state;
    int fd = connects(b);
    oom_fail(nth);
    says(b, fd, LINE("a", 1) "{\"type\":\"progress\",");     /* and the line goes on */
    if (recv(fd, heard, 1, MSG_PEEK) < 0 && errno == EAGAIN) /* else it is refused already */
        says(b, fd, "\"sessionId\":\"a\",\"seq\":2,\"metrics\":{\"step\":2}}\n" LINE("a", 3));
    hand_over(b);
    receive(b);
    bool failed = oom_failed();
    hand_over(b);
    receive(b);
    ssize_t n = read(fd, heard, sizeof(heard) - 1);
    bool cut = n == 0 || (n < 0 && errno != EAGAIN);
    heard[n > 0 ? n : 0] = '\0';
    const char *ack = strstr(heard, "\"type\":\"ack\"");
    if (ack)
        assert_int_equal(sscanf(strstr(ack, "\"seq\":"), "\"seq\":%u", &acked), 1);
    const struct session *s = registry_find(&b->d.registry, SPAN("a"));
    assert_true(acked <= (s ? series_count(s->series) : 0));
    bool again = strstr(heard, "\"code\":\"resend\"");
    assert_true(again || cut || acked == 3);
    if (again)
        hears_the_end(b, fd);
    else
        close(fd);
    (void)teardown(&state);
    return failed;
}

static void what_is_acknowledged_has_found_memory_and_all_before_it_too(void **state)
{
    (void)state;
    size_t n = 1;
    while (a_line_finds_no_memory_at(n))
        n++;
    assert_true(n > 3);
}

static void who_finds_no_memory_to_come_in_is_hung_up_on(void **state)
{
    struct bench *b = *state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char byte;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    (void)strcpy(address.sun_path, b->place.path);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    oom_fail(1);
    run(b);
    assert_true(oom_failed());
    assert_int_equal(read(fd, &byte, 1), 0);
    close(fd);
    assert_int_equal(b->d.stats.connections_refused, 1);
    oom_fail(1);
    assert_int_equal(unix_ingest_adopt(b->ingest), -1);
    assert_true(oom_failed());
    assert_int_equal(b->d.stats.trainers, 0);
    fd = connects(b);
    close(fd);
    run(b);
}

#define TRAINER_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TRAINER_TEST(what_was_said_before_leaving_is_taken_though_an_ack_finds_nobody),
        TRAINER_TEST(what_needs_no_disk_is_acknowledged_at_once),
        TRAINER_TEST(who_half_closes_still_hears_that_it_is_kept),
        TRAINER_TEST(who_half_closes_while_the_disk_is_in_trouble_is_let_go),
        TRAINER_TEST(who_waits_to_hear_it_is_let_go_when_trouble_comes),
        TRAINER_TEST(nobody_is_read_while_too_much_waits_for_the_disk),
        TRAINER_TEST(acks_of_thousands_of_sessions_wait_for_who_is_late_to_read),
        TRAINER_TEST(nonsense_is_answered_line_by_line_to_who_is_late_to_read),
        TRAINER_TEST(who_waits_to_be_read_is_read_when_trouble_comes),
        TRAINER_TEST(whose_run_was_not_kept_is_to_send_it_again),
        TRAINER_TEST(who_lost_nothing_is_not_asked_for_anything),
        TRAINER_TEST(who_finds_no_memory_to_come_in_is_hung_up_on),
        cmocka_unit_test(what_is_acknowledged_has_found_memory_and_all_before_it_too),
    };
    return cmocka_run_group_tests_name("streamd/ingest/trainer", tests, NULL, NULL);
}
