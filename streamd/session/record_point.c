/* SPDX-License-Identifier: MIT */
#include "streamd/session/record_point.h"

#include "proto/fields.h"
#include "proto/goal.h"

#include <string.h>

enum { PLAIN_MAX = 96 };

/* A name in small letters, its words joined by `_`. */
struct plain {
    char text[PLAIN_MAX];
    size_t len;
};

static const struct {
    const char *name;
    enum point_field field;
} meanings[] = {
    {"train_loss", POINT_TRAIN_LOSS},
    {"training_loss", POINT_TRAIN_LOSS},
    {"learning_rate", POINT_LR},
    {"train_learning_rate", POINT_LR},
    {"lr_pg0", POINT_LR},
    {"grad_norm", POINT_GRAD_NORM},
    {"train_grad_norm", POINT_GRAD_NORM},
    {"gradient_norm", POINT_GRAD_NORM},
    {"epoch", POINT_EPOCH},
    {"train_epoch", POINT_EPOCH},
    {"accuracy", POINT_ACCURACY},
    {"acc", POINT_ACCURACY},
    {"train_accuracy", POINT_ACCURACY},
    {"train_acc", POINT_ACCURACY},
    {"gpu_memory_mb", POINT_GPU_MEMORY_MB},
    {"memory_mb", POINT_GPU_MEMORY_MB},
    {"memory", POINT_GPU_MEMORY_MB},
    {"gpu_memory_total_mb", POINT_GPU_TOTAL_MB},
};

/* Whose loss and metrics are of data the model was not trained on. */
static const char *const held_out[] = {"val_",  "valid_", "validation_", "eval_",
                                       "test_", "dev_",   "metrics_",    "coco_"};

static char plain_char(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c - 'A' + 'a');
    bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (plain)
        return c;
    return '_';
}

static struct plain plain_of(struct span name)
{
    struct plain p = {.len = 0};
    for (size_t i = 0; i < name.len && p.len + 1 < sizeof(p.text); i++)
        p.text[p.len++] = plain_char(name.ptr[i]);
    return p;
}

static bool begins_with(const struct plain *p, const char *start, size_t *out_len)
{
    *out_len = strlen(start);
    return p->len > *out_len && memcmp(p->text, start, *out_len) == 0;
}

/* The first rising metric of held-out data is the one that is followed, unless one was told. */
static enum point_field metric_or_nothing(struct point_names *names, struct span name)
{
    bool followed = span_eq(span_of(names->metric), name);
    bool may_begin = !names->told && names->metric[0] == '\0' && goal_is_highest(name) &&
                     name.len < sizeof(names->metric);
    if (may_begin)
        memcpy(names->metric, name.ptr, name.len);
    return followed || may_begin ? POINT_VAL_METRIC : POINT_FIELDS;
}

static enum point_field work_out(struct point_names *names, struct span name)
{
    struct plain p = plain_of(name);
    size_t len;
    if (names->told && span_eq(span_of(names->metric), name))
        return POINT_VAL_METRIC;
    for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
        if (strcmp(p.text, meanings[i].name) == 0)
            return meanings[i].field;
    }
    for (size_t i = 0; i < sizeof(held_out) / sizeof(held_out[0]); i++) {
        if (!begins_with(&p, held_out[i], &len))
            continue;
        return strcmp(p.text + len, "loss") == 0 ? POINT_VAL_LOSS : metric_or_nothing(names, name);
    }
    return POINT_FIELDS;
}

static enum point_field look_up(struct point_names *names, size_t place, struct span name)
{
    if (place >= POINT_SLOTS || name.len > POINT_NAME_MAX)
        return work_out(names, name);
    if (names->slot[place].len == name.len &&
        memcmp(names->slot[place].name, name.ptr, name.len) == 0)
        return (enum point_field)names->slot[place].field;
    enum point_field field = work_out(names, name);
    memcpy(names->slot[place].name, name.ptr, name.len);
    names->slot[place].len = (uint8_t)name.len;
    names->slot[place].field = (uint8_t)field;
    return field;
}

/* ---- the config ---- */

static bool first_number(const struct fields *config, const char *const *names, double *out)
{
    for (; *names; names++) {
        if (fields_number(config, *names, out))
            return true;
    }
    return false;
}

static void follow(struct span name, struct point_names *names, struct insight_config *out)
{
    struct plain p = plain_of(name);
    if (strcmp(p.text, "loss") == 0) {
        out->monitor = MONITOR_TRAIN_LOSS;
        return;
    }
    enum point_field field = work_out(names, name);
    if (field == POINT_TRAIN_LOSS || field == POINT_VAL_LOSS) {
        out->monitor = field == POINT_VAL_LOSS ? MONITOR_VAL_LOSS : MONITOR_TRAIN_LOSS;
        return;
    }
    if (name.len == 0 || name.len >= sizeof(names->metric))
        return;
    memset(names->metric, 0, sizeof(names->metric));
    memcpy(names->metric, name.ptr, name.len);
    names->told = true;
    out->monitor = MONITOR_VAL_METRIC;
    out->goal = goal_is_highest(name) ? GOAL_HIGHEST : GOAL_AUTO;
}

void record_point_config(struct span config, struct point_names *names, struct insight_config *out)
{
    static const char *const steps[] = {"total_steps", "max_steps", "totalSteps", NULL};
    static const char *const epochs[] = {"epochs", "num_epochs", "max_epochs", NULL};
    static const char *const devices[] = {"devices", "num_gpus", "gpus", "world_size", NULL};
    static const char *const memory[] = {"gpu_memory_total_mb", NULL};
    struct fields *told;
    struct span text;
    memset(names, 0, sizeof(*names));
    *out = (struct insight_config){.total = 0};
    if (config.len == 0 || fields_parse(config, &told, NULL) != OK)
        return;
    (void)first_number(told, steps, &out->total);
    (void)first_number(told, epochs, &out->total_epochs);
    (void)first_number(told, devices, &out->devices);
    (void)first_number(told, memory, &out->memory_mb);
    if (fields_string(told, "monitor", &text))
        follow(text, names, out);
    if (fields_string(told, "monitor_mode", &text))
        out->goal = span_is(text, "min")   ? GOAL_LOWEST
                    : span_is(text, "max") ? GOAL_HIGHEST
                                           : out->goal;
    fields_destroy(told);
}

/* ---- a record ---- */

const char *record_point_metric(const struct point_names *names)
{
    return names->metric;
}

static void set_known(struct point *out, enum point_field field, struct num value)
{
    if (value.kind != NUM_NONE)
        point_set(out, field, num_double(value));
}

void record_point(struct point_names *names, const struct record *r, double wall_s,
                  struct point *out)
{
    out->has = 0;
    bool own_time = record_was_sent(r, F_TIMESTAMP) && num_is_finite(r->field[F_TIMESTAMP]);
    point_set(out, POINT_TIME_S, own_time ? num_double(r->field[F_TIMESTAMP]) : wall_s);
    set_known(out, POINT_STEP, r->field[F_CURRENT_STEP]);
    set_known(out, POINT_MODEL, r->field[F_CURRENT_MODEL]);
    if (record_was_sent(r, F_LOSS))
        set_known(out, POINT_TRAIN_LOSS, r->field[F_LOSS]);
    for (size_t i = 0; i < r->extra_count; i++) {
        enum point_field field = look_up(names, i, r->extra[i].name);
        if (field != POINT_FIELDS)
            set_known(out, field, r->extra[i].value);
    }
}

/* What the name means to the interpreter: val_loss for the validation loss, whatever the trainer
 * calls it. */
static bool find_meaning(const struct point *p, struct span name, double *out)
{
    for (unsigned f = POINT_TRAIN_LOSS; f < POINT_MODEL; f++) {
        bool meant =
            span_is(name, point_field_name(f)) || (f == POINT_LR && span_is(name, "learning_rate"));
        if (!meant || !point_has(p, f))
            continue;
        *out = p->value[f];
        return true;
    }
    return false;
}

bool record_metric(const struct record *r, const struct point *p, struct span name, double *out)
{
    const struct num *extra = record_extra(r, name);
    if (extra) {
        *out = num_double(*extra);
        return true;
    }
    for (unsigned f = 0; f < RECORD_FIELDS; f++) {
        if (!record_was_sent(r, f) || !span_is(name, record_field_name(f)))
            continue;
        *out = num_double(r->field[f]);
        return true;
    }
    return p && find_meaning(p, name, out);
}
