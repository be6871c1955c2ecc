/* SPDX-License-Identifier: MIT */
#include "load_options.h"

/*
 * As many trainer lines as the socket takes, then a ping: its pong says that every line before it
 * has been taken in, so the CPU time between two readings is that of the lines and nothing else.
 * The lines are made beforehand and only their step digits change; composing them in the loop
 * would let the server idle and wake for each one, which costs it more than the line.
 */

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load_meter.h"
#include "load_trainer.h"

enum { LINES_READY = 1000, STEP_DIGITS = 6 };

static void set_step(char *digits, unsigned step)
{
    for (int i = STEP_DIGITS - 1; i >= 0; i--) {
        digits[i] = (char)('0' + step % 10);
        step /= 10;
    }
}

static char *prepare_lines(struct trainer *trainer, unsigned rooms)
{
    char *lines = malloc((size_t)LINES_READY * TRAINER_LINE_BYTES + TRAINER_LINE_MAX);

    if (!lines)
        err(1, "malloc");
    for (unsigned i = 0; i < LINES_READY; i++)
        (void)trainer_line(trainer, i % rooms, lines + (size_t)i * TRAINER_LINE_BYTES);
    return lines;
}

static void push_lines(struct trainer *trainer, char *lines, unsigned count, unsigned batch)
{
    static const char key[] = "\"currentStep\":";
    const char *found = strstr(lines, key);
    size_t step_at = (size_t)(found - lines) + sizeof(key) - 1;

    for (unsigned sent = 0; sent < count; sent += batch) {
        char *from = lines + (size_t)(sent % LINES_READY) * TRAINER_LINE_BYTES;
        for (unsigned i = 0; i < batch; i++)
            set_step(from + (size_t)i * TRAINER_LINE_BYTES + step_at, 100000 + (sent + i) % 800000);
        trainer_send(trainer, from, (size_t)batch * TRAINER_LINE_BYTES);
    }
    trainer_sync(trainer);
}

int load_ingest(const struct load_options *options)
{
    struct trainer trainer;

    if (LINES_READY % options->batch != 0 || options->lines % options->batch != 0)
        errx(2, "--batch: %u must divide %d and --lines", options->batch, LINES_READY);
    trainer_open(&trainer, options->trainer, options->rooms, false);
    char *lines = prepare_lines(&trainer, options->rooms);
    push_lines(&trainer, lines, options->lines / 10 / options->batch * options->batch,
               options->batch);
    int64_t from_ns = meter_cpu_ns(options->server_pid);
    uint64_t from_us = meter_now_us();
    push_lines(&trainer, lines, options->lines, options->batch);
    double cpu_s = (double)(meter_cpu_ns(options->server_pid) - from_ns) / 1e9;
    double wall_s = (double)(meter_now_us() - from_us) / 1e6;
    printf("lines %u\n", options->lines);
    printf("cpu_s %.6f\n", cpu_s);
    printf("wall_s %.6f\n", wall_s);
    printf("lines_per_cpu_s %.0f\n", options->lines / cpu_s);
    printf("lines_per_wall_s %.0f\n", options->lines / wall_s);
    printf("rss_kib %ld\n", meter_rss_kib(options->server_pid));
    free(lines);
    trainer_close(&trainer);
    return 0;
}
