/* SPDX-License-Identifier: MIT */
/*
 * The names are copied, because a trainer may well build them on its stack; at ten metrics that is
 * cheaper than one allocation more. They are judged only when the line is written: whether a name
 * is UTF-8 is none of the training's time.
 */
#include "clients/c/entry.h"

#include "proto/json_text.h"
#include "proto/json_write.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TEXT_BYTES_MAX = 4096 };

static double wall_s(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static struct entry *entry_create(enum line_type type, int64_t number, size_t count,
                                  size_t text_bytes)
{
    size_t bytes = sizeof(struct entry) + count * sizeof(double) + text_bytes;
    struct entry *e = malloc(bytes);
    if (!e)
        return NULL;
    *e = (struct entry){
        .type = type, .time_s = wall_s(), .number = number, .bytes = bytes, .count = count};
    list_init(&e->link);
    return e;
}

static char *text_of(struct entry *e)
{
    return (char *)(e->values + e->count);
}

/* Puts at most `max` bytes of the text and a NUL; answers where the next one may stand. */
static char *put_text(char *at, const char *text, size_t max)
{
    size_t len = strnlen(text, max);
    memcpy(at, text, len);
    at[len] = '\0';
    return at + len + 1;
}

/* As it is kept: one byte more than may be sent, so that a name that is too long still shows it. */
static const char *name_of(const struct streamd_metric *metric, size_t *out_len)
{
    const char *name = metric->name ? metric->name : "";
    *out_len = strnlen(name, LINE_NAME_BYTES_MAX + 1);
    return name;
}

struct entry *entry_of_metrics(enum line_type type, int64_t step,
                               const struct streamd_metric *metrics, size_t count)
{
    size_t text_bytes = 0;
    size_t len;
    for (size_t i = 0; i < count; i++) {
        (void)name_of(&metrics[i], &len);
        text_bytes += len + 1;
        if (text_bytes > LINE_BYTES_MAX)
            return NULL;
    }
    struct entry *e = entry_create(type, step, count, text_bytes);
    if (!e)
        return NULL;
    char *at = text_of(e);
    for (size_t i = 0; i < count; i++) {
        e->values[i] = metrics[i].value;
        const char *name = name_of(&metrics[i], &len);
        at = put_text(at, name, len);
    }
    return e;
}

struct entry *entry_of_event(enum line_type type, int64_t number, const char *text)
{
    text = text ? text : "";
    struct entry *e = entry_create(type, number, 0, strnlen(text, TEXT_BYTES_MAX) + 1);
    if (e)
        (void)put_text(text_of(e), text, TEXT_BYTES_MAX);
    return e;
}

bool entry_ends_run(const struct entry *e)
{
    return e->type == LINE_COMPLETE || e->type == LINE_FAIL;
}

static void write_value(struct buf *b, double value)
{
    const char *word = num_word(num_float(value));
    if (word)
        buf_add_str(b, word);
    else
        num_write_double(b, value);
}

/* One that the daemon would refuse takes the whole line with it. */
static bool usable_name(struct span name)
{
    for (size_t i = 0; i < name.len; i++) {
        if ((unsigned char)name.ptr[i] < 0x20)
            return false;
    }
    return name.len > 0 && name.len <= LINE_NAME_BYTES_MAX && json_utf8_valid(name);
}

/* Answers how many values went in. */
static size_t write_metrics(const struct entry *e, struct buf *b)
{
    size_t written = 0;
    json_write_name(b, "metrics");
    buf_add_char(b, '{');
    json_write_name(b, "timestamp");
    num_write_rounded(b, e->time_s, 6);
    if (e->type == LINE_PROGRESS && e->number >= 0)
        json_write_pair_u64(b, "step", (uint64_t)e->number);
    const char *text = (const char *)(e->values + e->count);
    for (size_t i = 0; i < e->count; i++) {
        struct span name = span_of(text);
        text += name.len + 1;
        if (!usable_name(name))
            continue;
        json_write_key(b, name);
        write_value(b, e->values[i]);
        written++;
    }
    buf_add_char(b, '}');
    return written;
}

/* A text that was cut, or never was UTF-8, is sent up to where it stops being so. */
static struct span valid_part(const char *text)
{
    struct span s = span_of(text);
    while (s.len > 0 && !json_utf8_valid(s))
        s.len--;
    return s;
}

bool entry_write(const struct entry *e, struct span session_id, struct buf *b)
{
    bool usable = true;
    buf_reset(b);
    buf_add_char(b, '{');
    json_write_pair_string(b, "type", span_of(line_type_name(e->type)));
    json_write_pair_string(b, "sessionId", session_id);
    json_write_pair_u64(b, "seq", e->seq);
    if (e->type == LINE_PROGRESS || e->type == LINE_EPOCH)
        usable = write_metrics(e, b) > 0;
    else if (e->type == LINE_MODEL_COMPLETED)
        json_write_pair_u64(b, "modelIndex", (uint64_t)e->number);
    else if (e->type == LINE_FAIL)
        json_write_pair_string(b, "error", valid_part((const char *)(e->values + e->count)));
    buf_add_char(b, '}');
    return usable && buf_status(b) == OK;
}
