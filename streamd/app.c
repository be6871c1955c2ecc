/* SPDX-License-Identifier: MIT */
#include "streamd/app.h"

#include "streamd/ingest/unix.h"
#include "streamd/log.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/random.h>

static uint64_t random_seed(void)
{
    uint64_t seed = 0;
    ssize_t n = getrandom(&seed, sizeof(seed), 0);
    assert(n == (ssize_t)sizeof(seed));
    return seed;
}

struct app *app_create(const struct config *config, struct now now)
{
    struct app *app = calloc(1, sizeof(*app));
    if (!app)
        return NULL;
    app->config = config;
    app->now = app->started = now;
    timers_init(&app->timers);
    hub_init(&app->hub, &app->stats, config->max_outbox_bytes, config->max_outbox_messages,
             random_seed());
    line_decoder_init(&app->decoder, random_seed());
    if (encoder_init(&app->encoder, &app->stats, config->compression) != OK)
        goto fail;
    if (registry_init(&app->registry, config, &app->timers, &app->hub, &app->encoder, &app->stats,
                      now) != OK)
        goto fail;
    if (peers_init(&app->peers,
                   &(struct peers_params){
                       .timers = &app->timers,
                       .hub = &app->hub,
                       .encoder = &app->encoder,
                       .registry = &app->registry,
                       .config = config,
                       .stats = &app->stats,
                   },
                   random_seed()) != OK)
        goto fail;
    peers_enter(&app->peers, now);
    app->assets =
        assets_create(config->web_dir, config->compression ? app->encoder.deflater : NULL);
    if (!app->assets)
        goto fail;
    if (config->trainer_command) {
        app->trainers = trainer_command_create(config, &app->registry);
        if (!app->trainers)
            goto fail;
    }
    return app;
fail:
    log_error("app", "out of memory at start");
    app_destroy(app);
    return NULL;
}

void app_destroy(struct app *app)
{
    if (!app)
        return;
    trainer_command_destroy(app->trainers);
    assets_destroy(app->assets);
    if (app->peers.registry)
        peers_fini(&app->peers);
    if (app->registry.hub)
        registry_fini(&app->registry);
    encoder_fini(&app->encoder);
    line_decoder_fini(&app->decoder);
    hub_fini(&app->hub);
    timers_fini(&app->timers);
    free(app);
}

void app_enter(struct app *app, struct now now)
{
    assert(now.us >= app->now.us);
    app->now = now;
    peers_enter(&app->peers, now);
    timers_run(&app->timers, now.us);
}

void app_leave(struct app *app)
{
    registry_publish_due(&app->registry, app->now.us);
    hub_flush(&app->hub);
    peers_reap(&app->peers);
}

uint64_t app_next_us(const struct app *app)
{
    return timers_next_us(&app->timers);
}
