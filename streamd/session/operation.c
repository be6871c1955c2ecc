/* SPDX-License-Identifier: MIT */
#include "streamd/session/operation.h"

#include "base/strmap.h"
#include "proto/fields.h"
#include "proto/json_write.h"
#include "streamd/session/session.h"
#include "streamd/session/session_life.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

static const char *const names[OPERATION_STATUSES] = {
#define OPERATION_NAME(status, name) name,
    OPERATION_STATUS_TABLE(OPERATION_NAME)
#undef OPERATION_NAME
};

void operation_fini(struct operation *o)
{
    free(o->reason);
    refbuf_unref(o->metrics);
}

void operation_reset(struct operation *o)
{
    operation_fini(o);
    *o = (struct operation){.known = false};
}

void operation_reopen(struct operation *o)
{
    free(o->reason);
    o->reason = NULL;
    o->cancelled_s = 0;
}

const char *operation_status_name(enum operation_status status)
{
    return names[status];
}

enum operation_status operation_status_find(struct span name)
{
    unsigned status = 0;
    while (status < OPERATION_STATUSES && !span_is(name, names[status]))
        status++;
    return status;
}

bool operation_status_ended(enum operation_status status)
{
    return status == OPERATION_COMPLETED || status == OPERATION_FAILED ||
           status == OPERATION_CANCELLED;
}

/* A run that fell silent until it expired is not known to have ended well. */
static enum operation_status status_of_state(const struct session *s, enum session_state state)
{
    switch (state) {
    case SESSION_STARTING:
        return OPERATION_PENDING;
    case SESSION_RUNNING:
        return OPERATION_RUNNING;
    case SESSION_COMPLETED:
        return s->resumed ? OPERATION_RESUMING : OPERATION_COMPLETED;
    case SESSION_FAILED:
        return s->resumed ? OPERATION_RESUMING : OPERATION_FAILED;
    default:
        return s->operation.ended == SESSION_COMPLETED ? OPERATION_COMPLETED : OPERATION_FAILED;
    }
}

enum operation_status operation_status(const struct session *s)
{
    return s->operation.cancelled_s > 0 ? OPERATION_CANCELLED : status_of_state(s, s->state);
}

/* ---- what the config says ---- */

bool operation_type_valid(struct span type)
{
    for (size_t i = 0; i < type.len; i++) {
        char c = type.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-'))
            return false;
    }
    return type.len > 0 && type.len <= OPERATION_TYPE_MAX;
}

static void copy(struct span text, char *out, size_t cap)
{
    if (text.len < cap) {
        memcpy(out, text.ptr, text.len);
        out[text.len] = '\0';
    }
}

static void learn(struct operation *o, const struct fields *config)
{
    static const char *const plans[] = {"epochs", "num_epochs", "max_epochs", "total_epochs"};
    const struct fields *metadata = fields_object(config, "metadata");
    struct span text;
    double planned;
    if (fields_string(config, "operation_type", &text) && operation_type_valid(text))
        copy(text, o->type, sizeof(o->type));
    if (fields_string(config, "symbol", &text) ||
        (metadata && fields_string(metadata, "symbol", &text)))
        copy(text, o->symbol, sizeof(o->symbol));
    if (fields_string(config, "parent_operation_id", &text))
        copy(text, o->parent, sizeof(o->parent));
    for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
        if (!fields_number(config, plans[i], &planned))
            continue;
        o->epochs_planned = planned >= 1 && planned < 1e15 ? (uint64_t)planned : 0;
        return;
    }
}

const struct operation *operation_of(struct session *s)
{
    struct operation *o = &s->operation;
    struct fields *config;
    if (o->known)
        return o;
    copy(SPAN("training"), o->type, sizeof(o->type));
    o->symbol[0] = '\0';
    o->parent[0] = '\0';
    o->epochs_planned = 0;
    o->known = true;
    if (s->config && fields_parse(refbuf_span(s->config), &config, NULL) == OK) {
        learn(o, config);
        fields_destroy(config);
    }
    return o;
}

bool operation_is_training(struct session *s)
{
    return strcmp(operation_of(s)->type, "training") == 0;
}

/* ---- keys of its own ---- */

/* A member of an object, as it came. */
struct member {
    struct span key; /* between the quotes, escapes and all */
    struct span value;
    struct span name; /* what the key means; borrows from `text` of who reads */
};

static bool next_member(struct json_scan *scan, struct buf *name, struct member *out)
{
    struct json_value key;
    if (json_next(scan, &key) != JSON_KEY || json_skip(scan, &out->value) != OK)
        return false;
    out->key = key.raw;
    buf_reset(name);
    json_unescape(key.raw, name);
    out->name = buf_span(name);
    return buf_status(name) == OK;
}

static void begin_members(struct json_scan *scan, struct span object)
{
    struct json_value value;
    json_scan_init(scan, object, JSON_WORDS);
    (void)json_next(scan, &value);
}

/* The values of the object by the names of their keys; of duplicates the last. The values of the
 * map are where they begin in the text: their spans are read again from there. */
static enum status index_members(struct span object, struct strmap *map, struct buf *name)
{
    struct json_scan scan;
    struct member m;
    enum status status = OK;
    begin_members(&scan, object);
    while (status == OK && next_member(&scan, name, &m))
        status = strmap_put(map, m.name, (void *)(uintptr_t)m.value.ptr);
    return status;
}

static void write_member(const struct member *m, struct buf *out)
{
    json_write_comma(out);
    buf_add_char(out, '"');
    buf_add_span(out, m->key);
    buf_add_str(out, "\":");
    json_write_minified(out, m->value);
}

/* The value that begins there, in a text that is good. */
static struct span value_at(const char *at, struct span object)
{
    struct json_scan scan;
    struct span value = {at, 0};
    json_scan_init(&scan, (struct span){at, (size_t)(object.ptr + object.len - at)}, JSON_WORDS);
    (void)!json_skip(&scan, &value);
    return value;
}

/* What was there, with new values where they came, then what is new; both in their order. */
static void write_merged(struct span old, struct span object, struct strmap *map, struct buf *name,
                         struct buf *out)
{
    struct json_scan scan;
    struct member m;
    buf_add_char(out, '{');
    begin_members(&scan, old);
    while (next_member(&scan, name, &m)) {
        const char *at = strmap_take(map, m.name);
        if (at)
            m.value = value_at(at, object);
        write_member(&m, out);
    }
    begin_members(&scan, object);
    while (next_member(&scan, name, &m)) {
        if (strmap_find(map, m.name) == m.value.ptr)
            write_member(&m, out);
    }
    buf_add_char(out, '}');
}

static enum status merge(struct span old, struct span object, struct buf *out)
{
    struct strmap map;
    struct buf name;
    strmap_init(&map, (uint64_t)(uintptr_t)out);
    buf_init(&name, OPERATION_METRICS_MAX);
    enum status status = object.len > OPERATION_METRICS_MAX ? E_LIMIT : OK;
    if (status == OK)
        status = index_members(object, &map, &name);
    if (status == OK)
        write_merged(old, object, &map, &name, out);
    strmap_fini(&map);
    buf_fini(&name);
    return status == OK ? buf_status(out) : status;
}

bool operation_says_nothing(struct span object)
{
    struct json_scan scan;
    struct json_value value;
    begin_members(&scan, object);
    return json_next(&scan, &value) == JSON_OBJECT_END;
}

enum status operation_merge(struct session *s, struct span object, struct now now)
{
    if (operation_says_nothing(object))
        return OK;
    struct operation *o = &s->operation;
    struct buf merged;
    buf_init(&merged, OPERATION_METRICS_MAX);
    enum status status = merge(o->metrics ? refbuf_span(o->metrics) : SPAN("{}"), object, &merged);
    struct refbuf *kept = status == OK ? refbuf_create(buf_span(&merged)) : NULL;
    buf_fini(&merged);
    if (!kept)
        return status == OK ? E_NOMEM : status;
    refbuf_unref(o->metrics);
    o->metrics = kept;
    session_touch(s, now);
    if (s->state == SESSION_STARTING)
        session_enter(s, SESSION_RUNNING);
    return OK;
}

enum status operation_cancel(struct session *s, struct span reason, struct now now)
{
    char *kept = reason.len > 0 ? strndup(reason.ptr, reason.len) : NULL;
    if (reason.len > 0 && !kept)
        return E_NOMEM;
    free(s->operation.reason);
    s->operation.reason = kept;
    s->operation.cancelled_s = now.wall_s;
    session_touch(s, now);
    return OK;
}

bool operation_id_make(struct span type, double wall_s, char out[OPERATION_ID_MAX + 1])
{
    uint32_t random;
    struct tm tm;
    time_t seconds = (time_t)wall_s;
    if (getrandom(&random, sizeof(random), 0) != sizeof(random) || !gmtime_r(&seconds, &tm))
        return false;
    (void)snprintf(out, OPERATION_ID_MAX + 1, "op_%.*s_%04d%02d%02d_%02d%02d%02d_%08x",
                   (int)type.len, type.ptr, tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
                   tm.tm_hour, tm.tm_min, tm.tm_sec, random);
    return true;
}

/* ---- in the store ---- */

/* Of fixed size; the two texts follow. */
struct head {
    double cancelled_s;
    uint32_t ended;
    uint32_t reason_len;
};

void operation_write(const struct operation *o, struct buf *out)
{
    struct span reason = span_of(o->reason);
    const struct head head = {o->cancelled_s, o->ended, (uint32_t)reason.len};
    if (o->cancelled_s == 0 && o->ended == 0 && !o->metrics)
        return;
    buf_add(out, &head, sizeof(head));
    buf_add_span(out, reason);
    if (o->metrics)
        buf_add_span(out, refbuf_span(o->metrics));
}

enum status operation_read(struct operation *o, struct span bytes)
{
    struct head head;
    operation_reset(o);
    if (bytes.len == 0)
        return OK;
    if (!span_take(&bytes, &head, sizeof(head)) || head.reason_len > bytes.len ||
        head.ended >= SESSION_STATES)
        return E_MALFORMED;
    o->cancelled_s = head.cancelled_s;
    o->ended = head.ended;
    struct span reason = {bytes.ptr, head.reason_len};
    struct span metrics = {bytes.ptr + head.reason_len, bytes.len - head.reason_len};
    if (metrics.len > 0 && json_check(metrics, JSON_STRICT, NULL) != OK)
        return E_MALFORMED;
    o->reason = reason.len > 0 ? strndup(reason.ptr, reason.len) : NULL;
    o->metrics = metrics.len > 0 ? refbuf_create(metrics) : NULL;
    return (reason.len > 0 && !o->reason) || (metrics.len > 0 && !o->metrics) ? E_NOMEM : OK;
}
