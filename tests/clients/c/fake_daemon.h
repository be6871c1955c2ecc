/* SPDX-License-Identifier: MIT */
/*
 * fake_daemon: the daemon's end of the trainer socket, played by the test itself.
 *
 * Listens on a socket in a folder of its own, which is also where the client's spool is. What the
 * client is to say is waited for with a deadline; anything that does not come, or is no trainer
 * line, ends the test.
 */
#ifndef TESTS_CLIENTS_C_FAKE_DAEMON_H
#define TESTS_CLIENTS_C_FAKE_DAEMON_H

#include "proto/framer.h"
#include "proto/line.h"

#include <dirent.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

enum { FAKE_DEADLINE_MS = 10000 };

struct fake_daemon {
    char folder[64];
    char path[96];
    char spool[96];
    int listener;
    int connection;
    struct framer framer;
    char chunk[65536];
    struct line_decoder decoder;
    struct line line; /* heard last */
    char text[LINE_BYTES_MAX + 1];
};

static inline void fake_folder(struct fake_daemon *d)
{
    memset(d, 0, sizeof(*d));
    (void)snprintf(d->folder, sizeof(d->folder), "/tmp/fake-daemon-XXXXXX");
    assert_non_null(mkdtemp(d->folder));
    (void)snprintf(d->path, sizeof(d->path), "%s/streamd.sock", d->folder);
    (void)snprintf(d->spool, sizeof(d->spool), "%s/state/spool", d->folder);
    (void)setenv("STREAMD_SPOOL", d->spool, 1);
    d->listener = -1;
    d->connection = -1;
    framer_init(&d->framer, LINE_BYTES_MAX);
    line_decoder_init(&d->decoder, 1);
}

static inline void fake_listen(struct fake_daemon *d)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, d->path, strlen(d->path) + 1);
    d->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(d->listener >= 0);
    assert_int_equal(bind(d->listener, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(d->listener, 8), 0);
}

static inline void fake_hang_up(struct fake_daemon *d)
{
    if (d->connection >= 0)
        (void)close(d->connection);
    d->connection = -1;
    framer_fini(&d->framer);
}

/* The path of a file in the spool that is one under its final name; answers how many there are. */
static inline size_t fake_spooled(const struct fake_daemon *d, char *out, size_t out_bytes)
{
    size_t count = 0;
    DIR *folder = opendir(d->spool);
    for (struct dirent *e; folder && (e = readdir(folder)) != NULL;) {
        size_t len = strlen(e->d_name);
        bool made = len > 4 && strcmp(e->d_name + len - 4, ".new") == 0;
        if (e->d_name[0] != '.' && !made && count++ == 0 && out)
            (void)snprintf(out, out_bytes, "%s/%s", d->spool, e->d_name);
    }
    if (folder)
        (void)closedir(folder);
    return count;
}

static inline void fake_clear_spool(struct fake_daemon *d)
{
    char path[512];
    while (fake_spooled(d, path, sizeof(path)) > 0)
        assert_int_equal(unlink(path), 0);
    (void)rmdir(d->spool);
    (void)snprintf(path, sizeof(path), "%s/state", d->folder);
    (void)rmdir(path);
}

static inline void fake_end(struct fake_daemon *d)
{
    fake_clear_spool(d);
    fake_hang_up(d);
    if (d->listener >= 0)
        (void)close(d->listener);
    line_decoder_fini(&d->decoder);
    (void)unlink(d->path);
    (void)rmdir(d->folder);
}

static inline void fake_await(int fd, const char *what)
{
    struct pollfd pollfd = {.fd = fd, .events = POLLIN};
    if (poll(&pollfd, 1, FAKE_DEADLINE_MS) != 1)
        fail_msg("no %s within the deadline", what);
}

static inline void fake_accept(struct fake_daemon *d)
{
    fake_await(d->listener, "connection");
    d->connection = accept(d->listener, NULL, NULL);
    assert_true(d->connection >= 0);
}

/* False at the end of the connection. */
static inline bool fake_read(struct fake_daemon *d)
{
    fake_await(d->connection, "line");
    ssize_t got = recv(d->connection, d->chunk, sizeof(d->chunk), 0);
    if (got <= 0)
        return false;
    framer_push(&d->framer, (struct span){d->chunk, (size_t)got});
    return true;
}

/* The next line into d->text and d->line; false at the end of the connection. */
static inline bool fake_hear_or_end(struct fake_daemon *d)
{
    struct span text;
    enum framer_result result;
    while ((result = framer_next(&d->framer, &text)) == FRAMER_NEED_MORE) {
        if (!fake_read(d))
            return false;
    }
    assert_int_equal(result, FRAMER_LINE);
    memcpy(d->text, text.ptr, text.len);
    d->text[text.len] = '\0';
    struct line_error error;
    if (line_decode(&d->decoder, span_of(d->text), &d->line, &error) != OK)
        fail_msg("%s: %s", error.why, d->text);
    return true;
}

static inline void fake_hear(struct fake_daemon *d)
{
    if (!fake_hear_or_end(d))
        fail_msg("the connection ended where a line was due");
}

static inline void fake_say(struct fake_daemon *d, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static inline void fake_say(struct fake_daemon *d, const char *format, ...)
{
    char text[8192];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    assert_in_range(len, 1, sizeof(text) - 1);
    assert_int_equal(send(d->connection, text, (size_t)len, MSG_NOSIGNAL), len);
}

/* Accepts, hears `start`, answers where the session stands. */
static inline void fake_begin(struct fake_daemon *d, uint64_t last_seq)
{
    fake_accept(d);
    fake_hear(d);
    assert_int_equal(d->line.type, LINE_START);
    fake_say(d, "{\"type\":\"started\",\"lastSeq\":%llu}\n", (unsigned long long)last_seq);
}

static inline void fake_ack(struct fake_daemon *d, uint64_t seq)
{
    fake_say(d, "{\"type\":\"ack\",\"seq\":%llu}\n", (unsigned long long)seq);
}

static inline void fake_expect(struct fake_daemon *d, enum line_type type, uint64_t seq)
{
    fake_hear(d);
    assert_string_equal(line_type_name(d->line.type), line_type_name(type));
    assert_true(d->line.has_seq);
    assert_int_equal(d->line.seq, seq);
}

#endif
