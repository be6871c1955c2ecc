/* SPDX-License-Identifier: MIT */
#include "load_trainer.h"

/*
 * The values change from line to line as a real run's do, from a small fixed generator, so that a
 * compressor neither meets noise nor the same text again. They are written at fixed width, which
 * keeps every line at the 309 bytes that the figures are stated for.
 */

#include <assert.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "load_meter.h"

static unsigned random_below(struct trainer *trainer, unsigned limit)
{
    trainer->random = trainer->random * 6364136223846793005U + 1442695040888963407U;
    return (unsigned)(trainer->random >> 33) % limit;
}

static void start_session(struct trainer *trainer, unsigned room)
{
    char line[128];
    int n = snprintf(line, sizeof(line),
                     "{\"type\":\"start\",\"sessionId\":\"s%02u\",\"config\":"
                     "{\"model_count\":3,\"total_steps\":900000}}\n",
                     room);

    trainer_send(trainer, line, (size_t)n);
}

void trainer_open(struct trainer *trainer, const char *path, unsigned rooms, bool publishes)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval patience = {.tv_sec = 30};

    *trainer = (struct trainer){.random = 42, .publishes = publishes};
    if (strlen(path) >= sizeof(address.sun_path))
        errx(2, "--trainer: %s is too long for a Unix socket", path);
    memcpy(address.sun_path, path, strlen(path) + 1);
    trainer->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (trainer->fd < 0 || connect(trainer->fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        err(1, "trainer socket %s", path);
    setsockopt(trainer->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(trainer->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    trainer->base_us = meter_now_us();
    for (unsigned room = 0; room < rooms && !publishes; room++)
        start_session(trainer, room);
    if (!publishes)
        trainer_sync(trainer);
}

void trainer_close(struct trainer *trainer)
{
    close(trainer->fd);
    trainer->fd = -1;
    free(trainer->played);
    free(trainer->lines);
}

size_t trainer_line(struct trainer *trainer, unsigned room, char out[TRAINER_LINE_MAX])
{
    uint64_t stamp = trainer_stamp(trainer);
    unsigned step = (unsigned)(100000 + trainer->step++ % 800000);
    int n =
        snprintf(out, TRAINER_LINE_MAX,
                 "{\"type\":\"progress\",\"sessionId\":\"s%02u\",\"metrics\":{\"loss\":1.%04u,"
                 "\"perplexity\":4.%04u,\"grokProgress\":4%u.%u,\"modelParams\":25000000,"
                 "\"currentStep\":%06u,\"totalSteps\":900000,\"currentModel\":1,"
                 "\"totalModels\":3,\"overallProgress\":12.%u,\"trainingTime\":%04u.%02u,"
                 "\"estimatedTimeRemaining\":1%u.%02u,\"lr\":3e-4,\"sent_us\":%010llu}}\n",
                 room, random_below(trainer, 10000), random_below(trainer, 10000),
                 random_below(trainer, 10), random_below(trainer, 10), step,
                 random_below(trainer, 10), 1000 + step / 100 % 9000, random_below(trainer, 100),
                 random_below(trainer, 10), random_below(trainer, 100), (unsigned long long)stamp);

    assert(n == TRAINER_LINE_BYTES + (room > 99));
    return (size_t)n;
}

void trainer_play(struct trainer *trainer, const char *path)
{
    FILE *file = fopen(path, "r");
    size_t bytes = 0;

    if (!file || getdelim(&trainer->played, &bytes, '\0', file) <= 0)
        err(1, "%s", path);
    fclose(file);
    trainer->lines = calloc(bytes, sizeof(*trainer->lines)); /* more than there can be lines */
    if (!trainer->lines)
        err(1, "calloc");
    for (char *at = strtok(trainer->played, "\n"); at; at = strtok(NULL, "\n"))
        trainer->lines[trainer->line_count++] = at;
}

size_t trainer_next(struct trainer *trainer, unsigned room, unsigned rooms,
                    char out[TRAINER_LINE_MAX])
{
    if (!trainer->played && trainer->publishes) {
        char line[TRAINER_LINE_MAX];
        size_t bytes = trainer_line(trainer, room, line);
        return publish_request(line, bytes, trainer->step, out);
    }
    if (!trainer->played)
        return trainer_line(trainer, room, out);
    size_t at = room * (trainer->line_count / rooms) + trainer->step++ / rooms;
    int n = snprintf(out, TRAINER_LINE_MAX,
                     "{\"type\":\"progress\",\"sessionId\":\"s%02u\",\"metrics\":%s}\n", room,
                     trainer->lines[at % trainer->line_count]);
    if (n >= TRAINER_LINE_MAX)
        errx(1, "a line of metrics is too long");
    return (size_t)n;
}

size_t trainer_event(struct trainer *trainer, unsigned room, char out[TRAINER_LINE_MAX])
{
    return (size_t)snprintf(
        out, TRAINER_LINE_MAX,
        "{\"type\":\"model_completed\",\"sessionId\":\"s%02u\",\"modelIndex\":%u}\n", room,
        trainer->models++);
}

void trainer_send(struct trainer *trainer, const char *lines, size_t bytes)
{
    if (trainer->publishes)
        publish_answers(trainer->fd);
    while (bytes > 0) {
        ssize_t n = send(trainer->fd, lines, bytes, MSG_NOSIGNAL);
        if (n < 0)
            err(1, "the server does not take trainer lines");
        lines += n;
        bytes -= (size_t)n;
    }
}

void trainer_sync(struct trainer *trainer)
{
    static const char ping[] = "{\"type\":\"ping\"}\n";
    char answers[8192];
    size_t held = 0;

    trainer_send(trainer, ping, sizeof(ping) - 1);
    for (;;) {
        ssize_t n = recv(trainer->fd, answers + held, sizeof(answers) - held, 0);
        if (n <= 0)
            err(1, "the server does not answer a trainer's ping");
        held += (size_t)n;
        if (memmem(answers, held, "\"pong\"", 6))
            return;
        size_t kept = held < 8 ? held : 8; /* a pong may be cut by the end of a read */
        memmove(answers, answers + held - kept, kept);
        held = kept;
    }
}

uint64_t trainer_stamp(const struct trainer *trainer)
{
    return TRAINER_STAMP_BASE + meter_now_us() - trainer->base_us;
}

uint64_t trainer_age_us(const struct trainer *trainer, uint64_t stamp, uint64_t now_us)
{
    uint64_t sent_us = trainer->base_us + stamp - TRAINER_STAMP_BASE;

    return now_us > sent_us ? now_us - sent_us : 0;
}
