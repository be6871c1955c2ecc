/* SPDX-License-Identifier: MIT */
#include "load_options.h"

/*
 * Subscribers connect, a trainer ticks, and the server's CPU clock is read at two quiet moments:
 * after the warm-up has been received, and after the last measured tick has. What lies between
 * belongs to exactly the messages counted, so nothing is estimated at the edges. A server that
 * cannot keep up is given ten seconds to drain; what has not come by then is not delivered. The
 * quiet before a reading also brings greetings, and messages sent twice, to where they are seen.
 *
 * The same run with no rooms measures idle connections, and with one room a tick in turn the
 * latency of the first update of a quiet session.
 */

#include <err.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "load_meter.h"
#include "load_pusher.h"
#include "load_swarm.h"

enum { DRAIN_LIMIT_US = 10 * 1000000, DRAIN_QUIET_US = 1000000, SETTLE_QUIET_US = 150000 };

struct reading {
    int64_t cpu_ns;
    int64_t server_wait_ns;
    int64_t load_wait_ns;
    uint64_t wall_us;
    uint64_t segments;
};

static struct reading take_reading(const struct swarm *swarm)
{
    return (struct reading){
        .segments = swarm_segments(swarm),
        .wall_us = meter_now_us(),
        .load_wait_ns = meter_wait_ns(getpid()),
        .server_wait_ns = meter_wait_ns(swarm->options->server_pid),
        .cpu_ns = meter_cpu_ns(swarm->options->server_pid),
    };
}

static unsigned lines_per_tick(const struct load_options *options)
{
    return options->stagger ? 1 : options->rooms;
}

/* How many have gone and come back after so many ticks. */
static unsigned churn_until(const struct load_options *options, unsigned tick)
{
    uint64_t percent_ticks = (uint64_t)options->churn * tick;
    return (unsigned)(options->subscribers * percent_ticks / 100 / options->rate_per_s);
}

/* Returns the stamp of the last tick: what everybody has to have in the end, whatever was shed. */
static uint64_t push_ticks(struct swarm *swarm, struct trainer *trainer, unsigned ticks)
{
    const struct load_options *options = swarm->options;
    static struct pusher pusher;

    pusher_begin(&pusher, options, trainer);
    while (pusher.ticks < ticks) {
        unsigned tick = pusher.ticks;
        pusher_push(&pusher, swarm);
        if (pusher.ticks > tick)
            swarm_churn(swarm, churn_until(options, tick + 1) - churn_until(options, tick));
    }
    return pusher.tick_stamp;
}

/* Receives until nothing has come for `quiet_us`, or `expected` messages are in. */
static void receive_until(struct swarm *swarm, double expected, uint64_t quiet_us)
{
    uint64_t deadline_us = meter_now_us() + DRAIN_LIMIT_US;
    uint64_t last_us = meter_now_us();
    uint64_t received = swarm->tally.receives;

    while (tally_messages(&swarm->tally) < expected) {
        uint64_t now_us = meter_now_us();
        if (swarm->tally.receives != received)
            last_us = now_us;
        received = swarm->tally.receives;
        if (now_us > deadline_us || now_us > last_us + quiet_us)
            return;
        swarm_poll(swarm, now_us + 10000);
    }
}

static void settle(struct swarm *swarm)
{
    receive_until(swarm, INFINITY, SETTLE_QUIET_US);
}

static double expected_messages(const struct load_options *options, unsigned ticks)
{
    unsigned each = options->spread ? 1 : lines_per_tick(options);
    return (double)options->subscribers * each * ticks;
}

static double ratio(double part, double whole)
{
    return whole > 0 ? part / whole : 0;
}

static void print_waits(const struct reading *from, const struct reading *to)
{
    double wall_ns = (double)(to->wall_us - from->wall_us) * 1e3;

    printf("server_wait_percent %.2f\n",
           100 * ratio((double)(to->server_wait_ns - from->server_wait_ns), wall_ns));
    printf("load_wait_percent %.2f\n",
           100 * ratio((double)(to->load_wait_ns - from->load_wait_ns), wall_ns));
}

static void print_messages(const struct swarm *swarm, const struct reading *from,
                           const struct reading *to)
{
    const struct load_options *options = swarm->options;
    const struct tally *tally = &swarm->tally;
    double messages = tally_messages(tally);
    double cpu_s = (double)(to->cpu_ns - from->cpu_ns) / 1e9;
    double visits = (double)options->subscribers * options->ticks;

    printf("messages %.0f\n", messages);
    printf("delivered_percent %.3f\n",
           100 * ratio(messages, expected_messages(options, options->ticks)));
    printf("cpu_s %.6f\n", cpu_s);
    printf("wall_s %.3f\n", (double)(to->wall_us - from->wall_us) / 1e6);
    print_waits(from, to);
    printf("cpu_s_per_million %.4f\n", ratio(cpu_s * 1e6, messages));
    printf("messages_per_cpu_s %.0f\n", ratio(messages, cpu_s));
    printf("wire_bytes_per_message %.1f\n", ratio((double)tally->wire_bytes, messages));
    printf("frame_bytes_per_update %.1f\n",
           ratio((double)tally->update_bytes, (double)tally->updates));
    printf("receives_per_subscriber_tick %.3f\n", ratio((double)tally->receives, visits));
    printf("writes_per_subscriber_tick %.3f\n",
           ratio((double)(to->segments - from->segments), visits));
    printf("compressed_percent %.1f\n",
           100 * ratio((double)tally->compressed, (double)(tally->updates + tally->unread)));
    printf("inflated %llu\n", (unsigned long long)tally->inflated);
    printf("events %llu\n", (unsigned long long)tally->events);
    printf("bad_frames %llu\n", (unsigned long long)tally->bad);
    printf("repeated %llu\n", (unsigned long long)tally->repeated);
    printf("latency_samples %llu\n", (unsigned long long)tally->samples);
    printf("latency_p50_us %llu\n", (unsigned long long)tally_percentile_us(tally, 50));
    printf("latency_p99_us %llu\n", (unsigned long long)tally_percentile_us(tally, 99));
    printf("latency_max_us %llu\n", (unsigned long long)tally->worst_us);
}

static uint64_t run_ticks(struct swarm *swarm, struct trainer *trainer, unsigned ticks)
{
    tally_reset(&swarm->tally);
    uint64_t stamp = push_ticks(swarm, trainer, ticks);
    receive_until(swarm, expected_messages(swarm->options, ticks), DRAIN_QUIET_US);
    settle(swarm);
    return stamp;
}

/* Of those whose messages are read: how many have an update of the last tick. */
static void print_newest(const struct swarm *swarm, uint64_t stamp)
{
    unsigned read = 0, newest = 0;

    for (unsigned i = 0; i < swarm->opened; i++) {
        read += swarm->conns[i].last_stamp > 0;
        newest += swarm->conns[i].last_stamp >= stamp;
    }
    printf("newest_percent %.3f\n", 100 * ratio(newest, read));
}

static void measure(struct swarm *swarm, struct trainer *trainer)
{
    settle(swarm);
    (void)run_ticks(swarm, trainer, swarm->options->warm_ticks);
    struct reading from = take_reading(swarm);
    uint64_t stamp = run_ticks(swarm, trainer, swarm->options->ticks);
    struct reading to = take_reading(swarm);
    print_messages(swarm, &from, &to);
    print_newest(swarm, stamp);
}

/* Connects everybody; memory is counted from the first tenth on, so that what a server sets up
 * once, at its first connection, is not shared out among them. */
static void connect_all(struct swarm *swarm)
{
    const struct load_options *options = swarm->options;
    unsigned first = (options->subscribers + 9) / 10;
    unsigned rest = options->subscribers - first;
    uint64_t from_us = meter_now_us();

    swarm_grow(swarm, first);
    long first_kib = meter_rss_kib(options->server_pid);
    swarm_grow(swarm, options->subscribers);
    long all_kib = meter_rss_kib(options->server_pid);
    printf("connect_s %.3f\n", (double)(meter_now_us() - from_us) / 1e6);
    printf("rss_bytes_per_connection %.0f\n", ratio((double)(all_kib - first_kib) * 1024, rest));
}

int load_fanout(const struct load_options *options)
{
    struct swarm *swarm = calloc(1, sizeof(*swarm));
    struct trainer trainer = {.fd = -1};
    long empty_kib = meter_rss_kib(options->server_pid);

    if (!swarm)
        err(1, "calloc");
    if (options->rooms > 0)
        trainer_open(&trainer, options->trainer, options->rooms, options->publish);
    if (options->metrics)
        trainer_play(&trainer, options->metrics);
    swarm_init(swarm, options, &trainer);
    connect_all(swarm);
    if (options->rooms > 0)
        measure(swarm, &trainer);
    long busy_kib = meter_rss_kib(options->server_pid);
    printf("rss_idle_kib %ld\n", empty_kib);
    printf("rss_busy_bytes_per_connection %.0f\n",
           ratio((double)(busy_kib - empty_kib) * 1024, options->subscribers));
    printf("lost_connections %u\n", swarm->failed);
    swarm_close(swarm);
    free(swarm);
    if (options->rooms > 0)
        trainer_close(&trainer);
    return 0;
}
