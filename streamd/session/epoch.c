/* SPDX-License-Identifier: MIT */
#include "streamd/session/epoch.h"

#include "proto/json_write.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const struct {
    const char *name;
    bool optional;
} fields[EPOCH_FIELDS] = {
#define EPOCH_ROW(field, name, optional) {name, optional},
    EPOCH_TABLE(EPOCH_ROW)
#undef EPOCH_ROW
};

/* How else trainers call them, in small letters with `_` between the words. */
static const struct {
    const char *name;
    enum epoch_field field;
} spellings[] = {
    {"train_epoch", EPOCH_NUMBER},
    {"training_loss", EPOCH_TRAIN_LOSS},
    {"train_loss_epoch", EPOCH_TRAIN_LOSS},
    {"accuracy", EPOCH_TRAIN_ACCURACY},
    {"acc", EPOCH_TRAIN_ACCURACY},
    {"train_acc", EPOCH_TRAIN_ACCURACY},
    {"valid_loss", EPOCH_VAL_LOSS},
    {"validation_loss", EPOCH_VAL_LOSS},
    {"eval_loss", EPOCH_VAL_LOSS},
    {"val_acc", EPOCH_VAL_ACCURACY},
    {"valid_accuracy", EPOCH_VAL_ACCURACY},
    {"validation_accuracy", EPOCH_VAL_ACCURACY},
    {"eval_accuracy", EPOCH_VAL_ACCURACY},
    {"lr", EPOCH_LEARNING_RATE},
    {"train_learning_rate", EPOCH_LEARNING_RATE},
    {"epoch_time", EPOCH_DURATION},
    {"epoch_duration", EPOCH_DURATION},
};

enum { SPELLINGS = sizeof(spellings) / sizeof(spellings[0]) };

const char *epoch_field_name(enum epoch_field field)
{
    return fields[field].name;
}

bool epoch_field_optional(enum epoch_field field)
{
    return fields[field].optional;
}

enum epoch_field epoch_field_find(struct span name)
{
    unsigned field = 0;
    while (field < EPOCH_FIELDS && !span_is(name, fields[field].name))
        field++;
    return field;
}

static char plain_char(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c - 'A' + 'a');
    return (char)(c == '/' || c == '.' || c == '-' || c == ' ' ? '_' : c);
}

static bool is_spelled(struct span name, const char *plain)
{
    if (name.len != strlen(plain))
        return false;
    for (size_t i = 0; i < name.len; i++) {
        if (plain_char(name.ptr[i]) != plain[i])
            return false;
    }
    return true;
}

static enum epoch_field field_of(struct span name)
{
    for (unsigned f = 0; f < EPOCH_FIELDS; f++) {
        if (is_spelled(name, fields[f].name))
            return f;
    }
    for (size_t i = 0; i < SPELLINGS; i++) {
        if (is_spelled(name, spellings[i].name))
            return spellings[i].field;
    }
    return EPOCH_FIELDS;
}

static void set(struct epoch *e, enum epoch_field field, struct num value)
{
    if (value.kind == NUM_NONE)
        return;
    e->has |= 1U << field;
    e->value[field] = num_double(value);
}

void epoch_of_entry(const struct series_entry *entry, struct epoch *out)
{
    const struct record *r = &entry->record;
    memset(out, 0, sizeof(*out));
    out->offset = entry->offset;
    if (record_was_sent(r, F_LOSS))
        set(out, EPOCH_TRAIN_LOSS, r->field[F_LOSS]);
    set(out, EPOCH_TIMESTAMP, r->field[F_TIMESTAMP]);
    for (size_t i = 0; i < r->extra_count; i++) {
        enum epoch_field field = field_of(r->extra[i].name);
        if (field != EPOCH_FIELDS)
            set(out, field, r->extra[i].value);
    }
}

double epoch_value(const struct epoch *e, enum epoch_field field)
{
    return e->has >> field & 1U ? e->value[field] : (double)NAN;
}

void epoch_write_float(struct buf *out, double v)
{
    size_t from = out->len;
    num_write_double(out, v);
    for (size_t i = from; i < out->len; i++) {
        if (!strchr("-0123456789", out->ptr[i]))
            return;
    }
    buf_add_str(out, ".0");
}

void epoch_write(const struct epoch *e, uint64_t index, struct buf *out)
{
    double number = epoch_value(e, EPOCH_NUMBER);
    buf_add_char(out, '{');
    for (unsigned f = 0; f < EPOCH_FIELDS; f++) {
        double value = epoch_value(e, f);
        json_write_name(out, fields[f].name);
        if (f == EPOCH_NUMBER && !isfinite(number))
            buf_add_u64(out, index);
        else if (f == EPOCH_TIMESTAMP)
            time_write_iso(value, out);
        else if (f == EPOCH_NUMBER || !isfinite(value))
            num_write_double(out, value);
        else
            epoch_write_float(out, value);
    }
    buf_add_char(out, '}');
}

/* ---- times ---- */

void time_write_iso(double epoch_s, struct buf *out)
{
    struct tm tm;
    bool known = isfinite(epoch_s) && epoch_s >= 0 && epoch_s < 253402300799.0;
    int64_t ms = known ? (int64_t)llround(epoch_s * 1000) : 0;
    time_t seconds = (time_t)(ms / 1000);
    if (!known || !gmtime_r(&seconds, &tm)) {
        buf_add_str(out, "null");
        return;
    }
    buf_addf(out, "\"%04d-%02d-%02dT%02d:%02d:%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
             tm.tm_hour, tm.tm_min, tm.tm_sec);
    if (ms % 1000 != 0)
        buf_addf(out, ".%03d", (int)(ms % 1000));
    buf_add_str(out, "Z\"");
}

static bool take_digits(struct span *rest, size_t n, int *out)
{
    uint64_t value;
    if (rest->len < n || !span_u64((struct span){rest->ptr, n}, &value))
        return false;
    *out = (int)value;
    *rest = (struct span){rest->ptr + n, rest->len - n};
    return true;
}

static bool take_char(struct span *rest, const char *any)
{
    if (rest->len == 0 || !strchr(any, rest->ptr[0]))
        return false;
    *rest = (struct span){rest->ptr + 1, rest->len - 1};
    return true;
}

static double take_fraction(struct span *rest)
{
    double value = 0;
    double unit = 0.1;
    if (!take_char(rest, "."))
        return 0;
    while (rest->len > 0 && rest->ptr[0] >= '0' && rest->ptr[0] <= '9') {
        value += unit * (rest->ptr[0] - '0');
        unit /= 10;
        *rest = (struct span){rest->ptr + 1, rest->len - 1};
    }
    return value;
}

/* Seconds east of UTC; false when something else stands there. */
static bool read_zone(struct span rest, int *out)
{
    int hours = 0;
    int minutes = 0;
    *out = 0;
    if (rest.len == 0 || span_is(rest, "Z"))
        return true;
    int sign = rest.ptr[0] == '-' ? -1 : 1;
    if (!take_char(&rest, "+-") || !take_digits(&rest, 2, &hours))
        return false;
    (void)take_char(&rest, ":");
    if (!take_digits(&rest, 2, &minutes) || rest.len > 0)
        return false;
    *out = sign * (hours * 3600 + minutes * 60);
    return true;
}

bool time_read_iso(struct span text, double *out_epoch_s)
{
    struct tm tm = {0};
    int zone;
    if (!take_digits(&text, 4, &tm.tm_year) || !take_char(&text, "-") ||
        !take_digits(&text, 2, &tm.tm_mon) || !take_char(&text, "-") ||
        !take_digits(&text, 2, &tm.tm_mday) || !take_char(&text, "Tt ") ||
        !take_digits(&text, 2, &tm.tm_hour) || !take_char(&text, ":") ||
        !take_digits(&text, 2, &tm.tm_min) || !take_char(&text, ":") ||
        !take_digits(&text, 2, &tm.tm_sec))
        return false;
    double fraction = take_fraction(&text);
    if (!read_zone(text, &zone) || tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 ||
        tm.tm_mday > 31 || tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 60)
        return false;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    *out_epoch_s = (double)(timegm(&tm) - zone) + fraction;
    return true;
}
