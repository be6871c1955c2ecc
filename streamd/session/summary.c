/* SPDX-License-Identifier: MIT */
/*
 * A trainer repeats its metrics in the same order, so the slot after the last one found is looked
 * at first, and only another name there costs a look-up. Slots are numbered from 1 in the map, as a
 * value there is never NULL.
 *
 * As bytes: a head (version, CRC-32 of all that follows it, number of metrics), then each metric's
 * numbers, which have a fixed size, and its name.
 */
#include "streamd/session/summary.h"

#include "base/strmap.h"
#include "proto/goal.h"
#include "proto/json_write.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

enum { SUMMARY_VERSION = 1, FIRST_CAP = 8, OTHER_FLOAT_DIGITS = 6 };

struct point {
    double value;
    double step; /* NaN: none was known */
};

/* Kept as it is, so without padding. */
struct numbers {
    uint64_t count; /* values that came */
    struct point last;
    struct point min; /* of the finite ones; infinite while there was none */
    struct point max;
};

struct metric {
    struct numbers n;
    char *name; /* owns */
    uint32_t name_len;
    bool highest; /* the best is */
};

struct summary {
    struct strmap by_name; /* name → number of its slot, from 1 */
    struct metric *all;    /* owns */
    uint32_t count;
    uint32_t cap;
    size_t name_bytes;
};

struct head {
    uint32_t version;
    uint32_t checksum;
    uint32_t count;
};

struct summary *summary_create(void)
{
    struct summary *s = calloc(1, sizeof(*s));
    /* The map is seeded by its own place in memory, which a peer does not know. */
    if (s)
        strmap_init(&s->by_name, (uint64_t)(uintptr_t)s);
    return s;
}

void summary_reset(struct summary *s)
{
    for (uint32_t i = 0; i < s->count; i++)
        free(s->all[i].name);
    free(s->all);
    strmap_fini(&s->by_name);
    *s = (struct summary){0};
    strmap_init(&s->by_name, (uint64_t)(uintptr_t)s);
}

void summary_destroy(struct summary *s)
{
    if (!s)
        return;
    summary_reset(s);
    free(s);
}

static struct span name_of(const struct metric *m)
{
    return (struct span){m->name, m->name_len};
}

static bool grow(struct summary *s)
{
    uint32_t cap = s->cap ? s->cap * 2 : FIRST_CAP;
    if (s->count < s->cap)
        return true;
    struct metric *all = realloc(s->all, cap * sizeof(*all));
    if (!all)
        return false;
    s->all = all;
    s->cap = cap;
    return true;
}

/* A slot for a new name. E_LIMIT, E_NOMEM: there is none. */
static enum status enter(struct summary *s, struct span name)
{
    if (s->count == SUMMARY_METRICS_MAX || name.len > SUMMARY_NAME_BYTES_MAX - s->name_bytes)
        return E_LIMIT;
    if (!grow(s))
        return E_NOMEM;
    struct metric m = {.n = {.min = {INFINITY, NAN}, .max = {-INFINITY, NAN}},
                       .name = malloc(name.len + 1),
                       .name_len = (uint32_t)name.len,
                       .highest = goal_is_highest(name)};
    void *number = (void *)(uintptr_t)(s->count + 1);
    if (!m.name || strmap_put(&s->by_name, name, number) != OK) {
        free(m.name);
        return E_NOMEM;
    }
    memcpy(m.name, name.ptr, name.len);
    s->all[s->count++] = m;
    s->name_bytes += name.len;
    return OK;
}

/* The slot of that name; `guess` is looked at first. s->count: it has none and gets none. */
static uint32_t slot_of(struct summary *s, struct span name, uint32_t guess)
{
    if (guess < s->count && span_eq(name_of(&s->all[guess]), name))
        return guess;
    uintptr_t number = (uintptr_t)strmap_find(&s->by_name, name);
    if (number > 0)
        return (uint32_t)number - 1;
    return enter(s, name) == OK ? s->count - 1 : s->count;
}

static void count_in(struct numbers *n, struct point p)
{
    n->count++;
    n->last = p;
    if (!isfinite(p.value))
        return;
    if (p.value < n->min.value)
        n->min = p;
    if (p.value > n->max.value)
        n->max = p;
}

static void join(struct numbers *n, const struct numbers *later)
{
    n->count += later->count;
    n->last = later->last;
    if (later->min.value < n->min.value)
        n->min = later->min;
    if (later->max.value > n->max.value)
        n->max = later->max;
}

void summary_append(struct summary *s, const struct summary *later)
{
    for (uint32_t i = 0; i < later->count; i++) {
        uint32_t slot = slot_of(s, name_of(&later->all[i]), i);
        if (slot < s->count)
            join(&s->all[slot].n, &later->all[i].n);
    }
}

/* Answers the slot to be guessed next. */
static uint32_t add(struct summary *s, struct span name, struct point p, uint32_t guess)
{
    uint32_t slot = slot_of(s, name, guess);
    if (slot == s->count)
        return guess;
    count_in(&s->all[slot].n, p);
    return slot + 1;
}

/* A train_loss stands for the loss (record.h); a loss carried over from before is no new one. */
static bool has_new_loss(const struct record *r)
{
    return r->field[F_LOSS].kind != NUM_NONE &&
           (record_was_sent(r, F_LOSS) || record_extra(r, SPAN("train_loss")));
}

void summary_add(struct summary *s, const struct record *r)
{
    static const enum record_field sent[] = {F_PERPLEXITY, F_GROK_PROGRESS};
    double step = num_double(r->field[F_CURRENT_STEP]);
    uint32_t guess = 0;
    if (has_new_loss(r))
        guess = add(s, SPAN("loss"), (struct point){num_double(r->field[F_LOSS]), step}, guess);
    for (size_t i = 0; i < sizeof(sent) / sizeof(sent[0]); i++) {
        if (!record_was_sent(r, sent[i]))
            continue;
        struct point p = {num_double(r->field[sent[i]]), step};
        guess = add(s, span_of(record_field_name(sent[i])), p, guess);
    }
    for (size_t i = 0; i < r->extra_count; i++) {
        struct point p = {num_double(r->extra[i].value), step};
        guess = add(s, r->extra[i].name, p, guess);
    }
}

/* As in payloads: whole numbers as they are, six digits of any other. */
static void write_value(struct buf *out, double v)
{
    if (v == trunc(v))
        num_write_double(out, v);
    else
        num_write_significant(out, v, OTHER_FLOAT_DIGITS);
}

static void write_point(struct buf *out, const char *value_name, const char *step_name,
                        struct point p)
{
    json_write_name(out, value_name);
    write_value(out, p.value);
    json_write_name(out, step_name);
    num_write_double(out, p.step);
}

static void write_metric(const struct metric *m, struct buf *out)
{
    const struct numbers *n = &m->n;
    const char *word = num_word(num_float(n->last.value));
    json_write_key(out, name_of(m));
    buf_add_char(out, '{');
    json_write_pair_u64(out, "count", n->count);
    write_point(out, "last", "lastStep", n->last);
    write_point(out, "best", "bestStep", m->highest ? n->max : n->min);
    write_point(out, "min", "minStep", n->min);
    write_point(out, "max", "maxStep", n->max);
    json_write_pair_string(out, "goal", m->highest ? SPAN("max") : SPAN("min"));
    if (word) {
        json_write_name(out, "nonFinite");
        buf_add_char(out, '{');
        json_write_pair_string(out, "last", span_of(word));
        buf_add_char(out, '}');
    }
    buf_add_char(out, '}');
}

void summary_write_json(const struct summary *s, struct buf *out)
{
    buf_add_char(out, '{');
    for (uint32_t i = 0; i < s->count; i++)
        write_metric(&s->all[i], out);
    buf_add_char(out, '}');
}

static uint32_t checksum(uint32_t count, struct span bytes)
{
    uLong sum = crc32(0, (const Bytef *)&count, sizeof(count));
    return (uint32_t)crc32(sum, (const Bytef *)bytes.ptr, (uInt)bytes.len);
}

void summary_write(const struct summary *s, struct buf *out)
{
    struct head head = {.version = SUMMARY_VERSION, .count = s->count};
    size_t at = out->len;
    buf_add(out, &head, sizeof(head));
    for (uint32_t i = 0; i < s->count; i++) {
        const struct metric *m = &s->all[i];
        buf_add(out, &m->n, sizeof(m->n));
        buf_add(out, &m->name_len, sizeof(m->name_len));
        buf_add(out, m->name, m->name_len);
    }
    if (buf_status(out) != OK)
        return;
    struct span rest = {out->ptr + at + sizeof(head), out->len - at - sizeof(head)};
    head.checksum = checksum(head.count, rest);
    memcpy(out->ptr + at, &head, sizeof(head));
}

static enum status read_metric(struct summary *s, struct span *rest)
{
    struct numbers n;
    uint32_t len;
    if (!span_take(rest, &n, sizeof(n)) || !span_take(rest, &len, sizeof(len)) || len > rest->len)
        return E_MALFORMED;
    enum status status = enter(s, (struct span){rest->ptr, len});
    if (status != OK)
        return status == E_LIMIT ? E_MALFORMED : status;
    s->all[s->count - 1].n = n;
    *rest = (struct span){rest->ptr + len, rest->len - len};
    return OK;
}

enum status summary_read(struct summary *s, struct span bytes)
{
    struct head head;
    enum status status = OK;
    summary_reset(s);
    if (!span_take(&bytes, &head, sizeof(head)) || head.version != SUMMARY_VERSION ||
        head.checksum != checksum(head.count, bytes))
        return E_MALFORMED;
    for (uint32_t i = 0; i < head.count && status == OK; i++)
        status = read_metric(s, &bytes);
    if (status == OK && bytes.len > 0)
        status = E_MALFORMED;
    if (status != OK)
        summary_reset(s);
    return status;
}
