/* SPDX-License-Identifier: MIT */
#include "load_pusher.h"

/*
 * Pushes are never closer than six tenths of their interval. On a busy machine this program may
 * wake late, and pushing what was missed at once would make a server's throttle merge the two.
 */

#include "load_meter.h"

void pusher_begin(struct pusher *pusher, const struct load_options *options,
                  struct trainer *trainer)
{
    *pusher = (struct pusher){.options = options, .trainer = trainer, .due_us = meter_now_us()};
}

static size_t write_room(struct pusher *pusher, unsigned room, char *out)
{
    const struct load_options *options = pusher->options;
    size_t bytes = trainer_next(pusher->trainer, room, options->rooms, out);

    pusher->told[room]++;
    if (options->events > 0 && (pusher->ticks + 1) % options->events == 0)
        bytes += trainer_event(pusher->trainer, room, out + bytes);
    return bytes;
}

static void push_slice(struct pusher *pusher)
{
    static char lines[LOAD_ROOMS_MAX * 2 * TRAINER_LINE_MAX];
    const struct load_options *options = pusher->options;
    unsigned from = options->rooms * pusher->slice / options->slices;
    unsigned end = options->rooms * (pusher->slice + 1) / options->slices;
    size_t bytes = 0;

    if (options->stagger) {
        from = pusher->ticks % options->rooms;
        end = from + 1;
    }
    for (unsigned room = from; room < end; room++)
        bytes += write_room(pusher, room, lines + bytes);
    trainer_send(pusher->trainer, lines, bytes);
}

void pusher_push(struct pusher *pusher, struct swarm *swarm)
{
    const struct load_options *options = pusher->options;
    uint64_t interval_us = 1000000 / options->rate_per_s / options->slices;

    while (meter_now_us() < pusher->due_us)
        swarm_poll(swarm, pusher->due_us);
    if (pusher->slice == 0)
        pusher->tick_stamp = trainer_stamp(pusher->trainer);
    push_slice(pusher);
    uint64_t least_us = meter_now_us() + interval_us * 6 / 10;
    pusher->due_us += interval_us;
    if (pusher->due_us < least_us)
        pusher->due_us = least_us;
    pusher->slice = (pusher->slice + 1) % options->slices;
    if (pusher->slice == 0)
        pusher->ticks++;
}
