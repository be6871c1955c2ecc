/* SPDX-License-Identifier: MIT */
#include "load_trainer.h"

/*
 * nchan takes no trainer lines: whoever publishes hands it the message as its watchers get it. This
 * is done here rather than by a program between the two, which would cost latency and a share of a
 * core that nchan has no part in. The requests of a tick go out in one write, as the lines do.
 */

#include <assert.h>
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static const char lr[] = "\"lr\":3e-4,";

size_t publish_request(const char *line, size_t bytes, uint64_t offset, char out[TRAINER_LINE_MAX])
{
    char message[TRAINER_LINE_MAX / 2];
    const char *id = memmem(line, bytes, "\"sessionId\"", 11);
    const char *rate = memmem(line, bytes, lr, sizeof(lr) - 1);

    assert(id && rate);
    const char *after = rate + sizeof(lr) - 1;
    int length = snprintf(message, sizeof(message),
                          "{\"event\":\"progress_update\",\"data\":{%.*s"
                          "\"timestamp\":1700000000.000,\"learning_rate\":0.0003,%.*s,"
                          "\"status\":\"running\",\"offset\":%llu}}",
                          (int)(rate - id), id, (int)(line + bytes - 2 - after), after,
                          (unsigned long long)offset);
    assert(length > 0 && (size_t)length < sizeof(message));
    int n = snprintf(out, TRAINER_LINE_MAX,
                     "POST /publish/%.3s HTTP/1.1\r\nHost: localhost\r\n"
                     "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
                     id + 13, length, message);
    assert(n > 0 && n < TRAINER_LINE_MAX);
    return (size_t)n;
}

void publish_answers(int fd)
{
    static const char status[] = "HTTP/1.1 ";
    char answers[16384];
    ssize_t n = recv(fd, answers, sizeof(answers) - 1, MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0)
        errx(1, "the server does not take published messages");
    answers[n] = '\0';
    for (const char *at = strstr(answers, status); at; at = strstr(at + 1, status)) {
        if (at[sizeof(status) - 1] != '2' && at[sizeof(status) - 1] != '\0')
            errx(1, "the server refused a published message: %.60s", at);
    }
}
