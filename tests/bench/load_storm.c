/* SPDX-License-Identifier: MIT */
#include "load_options.h"

/*
 * Everybody is cut off at once, misses some updates, and comes back at once, from where he was.
 * The trainer goes on all the while. Back is who has his subscription again; caught up is who has
 * every update that was pushed until the return began. Nobody may see a gap or an update twice, so
 * the rate has to be one that the throttle lets through.
 */

#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load_meter.h"
#include "load_pusher.h"

enum { STORM_LIMIT_US = 60 * 1000000 };

struct storm {
    const struct load_options *options; /* borrowed */
    struct trainer trainer;
    struct pusher pusher;
    struct swarm swarm;
    uint64_t target[LOAD_ROOMS_MAX];
};

static void push_ticks(struct storm *storm, unsigned ticks)
{
    for (unsigned i = 0; i < ticks * storm->options->slices; i++)
        pusher_push(&storm->pusher, &storm->swarm);
}

static void await_all(struct storm *storm, const char *what, const unsigned *count)
{
    unsigned all = storm->options->subscribers;

    while (*count < all) {
        swarm_open_some(&storm->swarm, all);
        pusher_push(&storm->pusher, &storm->swarm);
        if (meter_now_us() - storm->swarm.since_us > STORM_LIMIT_US)
            errx(1, "%u of %u subscribers %s after a minute", *count, all, what);
    }
    printf("%s_s %.3f\n", what, (double)(meter_now_us() - storm->swarm.since_us) / 1e6);
}

/* The same for the first coming and for the return. */
static void come(struct storm *storm)
{
    memcpy(storm->target, storm->pusher.told, sizeof(storm->target));
    storm->swarm.caught_up = 0;
    storm->swarm.since_us = meter_now_us();
    await_all(storm, "back", &storm->swarm.ready);
    await_all(storm, "caught_up", &storm->swarm.caught_up);
}

static void cut_and_return(struct storm *storm)
{
    const struct load_options *options = storm->options;
    int64_t from_ns = meter_cpu_ns(options->server_pid);
    int64_t wait_ns = meter_wait_ns(options->server_pid);

    swarm_cut(&storm->swarm);
    push_ticks(storm, options->ticks);
    tally_reset(&storm->swarm.tally);
    come(storm);
    printf("cpu_s %.3f\n", (double)(meter_cpu_ns(options->server_pid) - from_ns) / 1e9);
    printf("server_wait_s %.3f\n", (double)(meter_wait_ns(options->server_pid) - wait_ns) / 1e9);
    const struct tally *tally = &storm->swarm.tally;
    printf("caught_up_p50_us %" PRIu64 "\n", tally_percentile_us(tally, 50));
    printf("caught_up_p99_us %" PRIu64 "\n", tally_percentile_us(tally, 99));
    printf("caught_up_max_us %" PRIu64 "\n", tally->worst_us);
    push_ticks(storm, options->warm_ticks); /* and goes on as before */
    printf("gaps %" PRIu64 "\n", tally->gaps);
    printf("repeated %" PRIu64 "\n", tally->repeated);
    printf("rss_kib %ld\n", meter_rss_kib(options->server_pid));
}

static void join_first(struct storm *storm)
{
    push_ticks(storm, 1); /* else there is nothing that a first one could catch up with */
    swarm_grow(&storm->swarm, storm->options->subscribers);
    push_ticks(storm, storm->options->warm_ticks);
    printf("rss_before_kib %ld\n", meter_rss_kib(storm->options->server_pid));
}

int load_storm(const struct load_options *options)
{
    struct storm *storm = calloc(1, sizeof(*storm));

    if (!storm)
        err(1, "calloc");
    if (options->rooms == 0 || !options->spread || options->deflate)
        errx(2, "storm: asks for --rooms and --spread, and knows no --deflate");
    storm->options = options;
    trainer_open(&storm->trainer, options->trainer, options->rooms, false);
    swarm_init(&storm->swarm, options, &storm->trainer);
    storm->swarm.target = storm->target;
    pusher_begin(&storm->pusher, options, &storm->trainer);
    join_first(storm);
    cut_and_return(storm);
    printf("lost_connections %u\n", storm->swarm.failed);
    swarm_close(&storm->swarm);
    trainer_close(&storm->trainer);
    free(storm);
    return 0;
}
