/* SPDX-License-Identifier: MIT */
#include "streamd/app.h"

#include "streamd/ingest/unix.h"
#include "streamd/log.h"
#include "streamd/session/recount.h"
#include "streamd/session/shedding.h"
#include "streamd/session/trim.h"
#include "streamd/transport/random_id.h"
#include "streamd/transport/replay.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* On the keeper's thread. */
static void wake(void *wake_fd)
{
    uint64_t one = 1;
    ssize_t n = write(*(const int *)wake_fd, &one, sizeof(one));
    (void)n; /* EAGAIN: it is readable already */
}

static enum status open_store(struct app *app, const struct app_params *params)
{
    if (!params->store)
        return OK;
    return registry_open(&app->registry,
                         &(struct keeping_params){
                             .config = params->config,
                             .timers = &app->timers,
                             .stats = &app->stats,
                             .store = params->store,
                             .wake = wake,
                             .wake_context = &app->wake_fd,
                             .inline_work = params->inline_store,
                         },
                         app->now);
}

static void give_back(struct store *store)
{
    if (store)
        store->ops->destroy(store);
}

struct app *app_create(const struct app_params *params, struct now now)
{
    const struct config *config = params->config;
    bool store_taken = false;
    struct app *app = calloc(1, sizeof(*app));
    if (!app) {
        give_back(params->store);
        return NULL;
    }
    app->config = config;
    app->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    app->now = app->started = now;
    timers_init(&app->timers);
    app->control.registry = &app->registry;
    mcp_init(&app->mcp, app, random_seed());
    hub_init(&app->hub, &app->stats, config->max_outbox_bytes, config->max_outbox_messages,
             random_seed());
    line_decoder_init(&app->decoder, random_seed());
    if (!guard_init(&app->guard, config))
        goto fail;
    if (encoder_init(&app->encoder, &app->stats, config->compression) != OK)
        goto fail;
    if (registry_init(&app->registry, config, &app->timers, &app->hub, &app->encoder, &app->stats,
                      now) != OK)
        goto fail;
    if (app->wake_fd < 0)
        goto fail;
    store_taken = true;
    if (open_store(app, params) != OK)
        goto fail;
    if (peers_init(&app->peers,
                   &(struct peers_params){
                       .timers = &app->timers,
                       .hub = &app->hub,
                       .encoder = &app->encoder,
                       .registry = &app->registry,
                       .control = &app->control,
                       .guard = &app->guard,
                       .config = config,
                       .stats = &app->stats,
                   },
                   random_seed()) != OK)
        goto fail;
    peers_enter(&app->peers, now);
    training_changes_init(&app->changes, app);
    app->assets = assets_create(config, config->compression ? app->encoder.deflater : NULL);
    if (!app->assets)
        goto fail;
    if (config->trainer_command) {
        app->control.trainers = trainer_command_create(config, &app->registry);
        if (!app->control.trainers)
            goto fail;
    }
    return app;
fail:
    log_error("app", "cannot start");
    if (!store_taken)
        give_back(params->store);
    app_destroy(app);
    return NULL;
}

void app_destroy(struct app *app)
{
    if (!app)
        return;
    mcp_fini(&app->mcp);
    trainer_command_destroy(app->control.trainers);
    assets_destroy(app->assets);
    if (app->peers.registry)
        peers_fini(&app->peers);
    if (app->registry.hub)
        registry_fini(&app->registry);
    guard_fini(&app->guard);
    encoder_fini(&app->encoder);
    line_decoder_fini(&app->decoder);
    hub_fini(&app->hub);
    timers_fini(&app->timers);
    if (app->wake_fd >= 0)
        close(app->wake_fd);
    free(app);
}

void app_enter(struct app *app, struct now now)
{
    assert(now.us >= app->now.us);
    app->now = now;
    keeping_enter(&app->registry.keeping, now.us);
    peers_enter(&app->peers, now);
    timers_run(&app->timers, now.us);
}

void app_receive(struct app *app)
{
    uint64_t count;
    ssize_t n = read(app->wake_fd, &count, sizeof(count));
    (void)n;
    keeping_receive(&app->registry.keeping);
    trim_history(&app->registry);
    if (shedding_ends(&app->registry)) {
        if (app->control.unix_ingest)
            unix_ingest_resend(app->control.unix_ingest);
        shedding_told(&app->registry);
    }
    if (app->control.unix_ingest)
        unix_ingest_relieve(app->control.unix_ingest);
}

bool app_is_kept(const struct app *app)
{
    return keeping_is_idle(&app->registry.keeping);
}

void app_leave(struct app *app)
{
    registry_publish_due(&app->registry, app->now.us);
    recounts_start(&app->registry);
    bulletin_wake(&app->registry.bulletin);
    keeping_flush_if_urgent(&app->registry.keeping);
    hub_flush(&app->hub);
    chain_forget(&app->encoder.chain);
    replay_next_turns(&app->peers);
    peers_reap(&app->peers);
}

void app_left(struct app *app, uint64_t now_us)
{
    lag_note(&app->lag, now_us - app->now.us, now_us);
}

void app_measure(struct app *app)
{
    struct lag_figures lag = lag_figures(&app->lag, app->now.us);
    app->stats.loop_held_p99_us = lag.p99_us;
    app->stats.loop_held_max_us = lag.max_us;
}

uint64_t app_next_us(const struct app *app)
{
    /* Who came to be dirty in the flush itself has no other wake-up to wait for. */
    return list_empty(&app->hub.dirty) ? timers_next_us(&app->timers) : app->now.us;
}
