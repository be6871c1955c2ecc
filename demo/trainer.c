/* SPDX-License-Identifier: MIT */
/*
 * demo-trainer: trains the demo's models one after the other and tells streamd how it goes.
 *
 * Everything it reports was measured: the losses, accuracies and the norm are the model's, and
 * grokProgress is the validation accuracy in percent. A figure of the training part is from before
 * the step, one of the validation part from after it. It trains the same without a daemon. A step
 * sees all pairs, which makes every one an epoch; called so are a hundred of them, counted across
 * the models.
 *
 * SIGINT and SIGTERM end the run as failed, "interrupted"; `stop` from the daemon ends it as
 * completed, since then somebody had what he wanted; `pause` holds it until `resume` or `stop`; a
 * knob multiplies its learning rates.
 */
#include "clients/c/streamd_client.h"
#include "demo/trainee.h"
#include "demo/trainer_options.h"
#include "proto/json_write.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    REPORT_EVERY = 4, /* steps: about a hundred lines a second */
    EPOCH_STEPS = 100,
    SAY_EVERY = 500,  /* steps between two lines on the terminal */
    PAUSE_US = 50000, /* between two looks at whether the pause is over */
    EXIT_USAGE = 2,
    EXIT_INTERRUPTED = 130,
    CONFIG_BYTES = 4096,
};

/* The knob: every model has a learning rate of its own, which this multiplies. */
static const char RATE_FACTOR[] = "learning_rate_factor";

/* What goes on in all models. */
struct training {
    const struct trainer_options *options;
    struct streamd_run *run;
    unsigned index;
};

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
}

/* ---- what is reported ---- */

static unsigned long epochs_of_model(const struct trainer_options *o)
{
    return (o->steps + EPOCH_STEPS - 1) / EPOCH_STEPS;
}

/* The fields of `start` that the daemon knows, and what else says what this run is. */
static void write_config(struct buf *b, const struct trainer_options *o)
{
    buf_init(b, CONFIG_BYTES);
    buf_add_char(b, '{');
    json_write_pair_u64(b, "model_count", o->models);
    json_write_pair_u64(b, "batch_size", trainee_batch_size());
    json_write_pair_double(b, "learning_rate", plan_of(0)->learning_rate);
    json_write_pair_u64(b, "epochs", o->models * epochs_of_model(o));
    json_write_pair_u64(b, "steps_per_epoch", EPOCH_STEPS);
    json_write_pair_u64(b, "total_steps", o->steps);
    json_write_pair_string(b, "task", SPAN("modular addition"));
    json_write_pair_u64(b, "modulus", TRAINEE_MODULUS);
    json_write_pair_u64(b, "seed", o->seed);
    json_write_name(b, "models");
    buf_add_char(b, '[');
    for (unsigned i = 0; i < o->models; i++) {
        json_write_comma(b);
        json_write_string(b, span_of(plan_of(i)->name));
    }
    buf_add_str(b, "]}");
    buf_add_char(b, '\0');
}

static struct streamd_run *begin_run(const struct trainer_options *o)
{
    struct buf config;
    const struct streamd_knob factor = {RATE_FACTOR, STREAMD_FLOAT, 1, 0, 10};
    write_config(&config, o);
    const struct streamd_options options = {.project = "demo",
                                            .name = "modular addition (C)",
                                            .config_json = config.ptr,
                                            .session_id = o->session,
                                            .socket_path = o->socket,
                                            .knobs = &factor,
                                            .knob_count = 1};
    struct streamd_run *run = streamd_init(&options);
    buf_fini(&config);
    return run;
}

/* The plan's, times the knob; a run that could not begin has none. */
static double learning_rate(const struct training *tr, const struct trainee *t)
{
    double factor = streamd_knob(tr->run, RATE_FACTOR);
    return t->plan->learning_rate * (isnan(factor) ? 1 : factor);
}

/* The number of the epoch that this step is in. */
static unsigned long epoch_of(const struct training *tr, unsigned long step)
{
    return tr->index * epochs_of_model(tr->options) + (step + EPOCH_STEPS - 1) / EPOCH_STEPS;
}

static void report(const struct training *tr, const struct trainee *t, unsigned long step,
                   struct mlp_score train, struct mlp_score val)
{
    const struct streamd_metric metrics[] = {
        {"loss", train.loss},
        {"val_loss", val.loss},
        {"train_accuracy", train.accuracy},
        {"val_accuracy", val.accuracy},
        {"grokProgress", 100.0 * val.accuracy},
        {"totalSteps", (double)tr->options->steps},
        {"modelIndex", tr->index},
        {"totalModels", (double)tr->options->models},
        {"modelParams", (double)mlp_param_count(t->mlp)},
        {"learning_rate", learning_rate(tr, t)},
        {"weight_decay", t->plan->weight_decay},
        {"weight_norm", mlp_weight_norm(t->mlp)},
        {"step", (double)step}, /* from here on in an epoch line alone */
        {"epoch", (double)epoch_of(tr, step)},
    };
    const size_t count = sizeof(metrics) / sizeof(metrics[0]);
    if (step % EPOCH_STEPS == 0 || step == tr->options->steps)
        streamd_log_epoch(tr->run, metrics, count);
    else
        streamd_log(tr->run, (int64_t)step, metrics, count - 2);
}

static void say(const struct training *tr, unsigned long step, struct mlp_score train,
                struct mlp_score val)
{
    if (tr->options->quiet)
        return;
    printf("model %u/%lu  step %5lu/%lu  train %8.5f %5.1f %%  validation %8.5f %5.1f %%%s\n",
           tr->index + 1, tr->options->models, step, tr->options->steps, train.loss,
           100.0 * train.accuracy, val.loss, 100.0 * val.accuracy,
           streamd_connected(tr->run) ? "" : "  (no daemon)");
    (void)fflush(stdout);
}

/* When a model first knew its training pairs, and when it had found the rule. */
struct milestones {
    unsigned long memorised; /* steps; 0: not yet */
    unsigned long grokked;
};

static void note(struct milestones *m, unsigned long step, struct mlp_score train,
                 struct mlp_score val)
{
    if (!m->memorised && train.accuracy > 0.99)
        m->memorised = step;
    if (!m->grokked && val.accuracy > 0.95)
        m->grokked = step;
}

static void say_milestones(const struct training *tr, const struct trainee *t,
                           const struct milestones *m)
{
    if (tr->options->quiet)
        return;
    printf("model %u (%s, %zu parameters): training pairs known (> 99 %%) at step %lu, "
           "rule found (> 95 %% of the others) at step %lu\n",
           tr->index + 1, t->plan->name, mlp_param_count(t->mlp), m->memorised, m->grokked);
}

/* ---- training ---- */

static void wait_us(unsigned long us)
{
    const struct timespec time = {.tv_sec = (time_t)(us / 1000000),
                                  .tv_nsec = (long)(us % 1000000) * 1000};
    if (us > 0)
        (void)nanosleep(&time, NULL);
}

/* Between two steps; false when the training is to end. */
static bool goes_on(const struct training *tr)
{
    wait_us(tr->options->step_delay_us);
    while (streamd_paused(tr->run) && !streamd_should_stop(tr->run) && !interrupted)
        wait_us(PAUSE_US);
    return !streamd_should_stop(tr->run) && !interrupted;
}

/* False when the training was ended before its last step. */
static bool train(const struct training *tr, struct trainee *t)
{
    struct milestones milestones = {0};
    unsigned long steps = tr->options->steps;
    for (unsigned long step = 1; step <= steps; step++) {
        trainee_set_learning_rate(t, learning_rate(tr, t));
        struct mlp_score score = trainee_step(t);
        if (step % REPORT_EVERY == 0 || step == 1 || step == steps) {
            struct mlp_score val = trainee_validate(t);
            note(&milestones, step, score, val);
            report(tr, t, step, score, val);
            if (step % SAY_EVERY == 0 || step == 1 || step == steps)
                say(tr, step, score, val);
        }
        if (step < steps && !goes_on(tr))
            return false;
    }
    say_milestones(tr, t, &milestones);
    return true;
}

/* NULL, or why not all models were trained. */
static const char *train_all(struct training *tr)
{
    for (; tr->index < tr->options->models; tr->index++) {
        struct trainee t;
        if (trainee_init(&t, tr->options->seed, tr->index) != OK)
            return "out of memory";
        bool whole = train(tr, &t);
        trainee_fini(&t);
        if (!whole)
            return interrupted ? "interrupted" : NULL;
        streamd_model_completed(tr->run, tr->index);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    struct trainer_options options;
    if (!trainer_options_parse(argc, argv, &options))
        return EXIT_USAGE;
    if (options.help) {
        trainer_options_print();
        return 0;
    }
    catch_signals();
    struct training training = {.options = &options, .run = begin_run(&options)};
    if (!options.quiet)
        printf("session %s\n", streamd_run_id(training.run));
    const char *error = train_all(&training);
    if (error) {
        (void)fprintf(stderr, "demo-trainer: %s\n", error);
        (void)streamd_fail(training.run, error);
        return interrupted ? EXIT_INTERRUPTED : EXIT_FAILURE;
    }
    (void)streamd_finish(training.run);
    return 0;
}
