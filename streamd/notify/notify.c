/* SPDX-License-Identifier: MIT */
#include "streamd/notify/notify.h"

#include "proto/json_scan.h"
#include "streamd/notify/parcel.h"
#include "streamd/notify/wording.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TEXT_BYTES_MAX = 16384, ID_BYTES = 64, TIMEOUT_MS = 10000, GRACE_MS = 2000 };

static const char telegram_base[] = "https://api.telegram.org";

struct notify {
    struct notify_options options;
    struct gate gate;
    struct buf text;
    struct buf body;
    char telegram_url[PARCEL_URL_MAX];
    struct poster *telegram; /* owns; NULL: none */
    struct poster *webhook;  /* owns; NULL: none */
};

static bool is_url(const char *url)
{
    struct span s = span_of(url);
    bool web = span_starts(s, SPAN("http://")) || span_starts(s, SPAN("https://"));
    return web && s.len < PARCEL_URL_MAX;
}

/* NULL: nothing is wrong. */
static const char *wrong_with(const struct notify_options *o)
{
    if (!o->telegram_token != !o->telegram_chat)
        return "Telegram needs both a token and a chat";
    if (o->telegram_base && !is_url(o->telegram_base))
        return "the base of Telegram's API is no http:// or https:// URL";
    if (o->webhook_url && !is_url(o->webhook_url))
        return "the webhook is no http:// or https:// URL";
    if (o->webhook_body && !parcel_template_valid(o->webhook_body))
        return "the webhook's body is no JSON when its placeholders are filled in";
    return NULL;
}

static const char *open_posters(struct notify *n)
{
    const struct notify_options *o = &n->options;
    const char *base = o->telegram_base ? o->telegram_base : telegram_base;
    if (o->telegram_token) {
        if (!parcel_telegram_url(n->telegram_url, base, o->telegram_token))
            return "the token of Telegram is too long";
        n->telegram = poster_create("telegram", o->timeout_ms);
    }
    if (o->webhook_url)
        n->webhook = poster_create("webhook", o->timeout_ms);
    bool complete = !o->telegram_token == !n->telegram && !o->webhook_url == !n->webhook;
    return complete ? NULL : "no memory or no thread";
}

struct notify *notify_create(const struct notify_options *options, const char **why)
{
    *why = wrong_with(options);
    if (*why)
        return NULL;
    struct notify *n = calloc(1, sizeof(*n));
    *why = "no memory";
    if (!n)
        return NULL;
    n->options = *options;
    n->options.timeout_ms = options->timeout_ms ? options->timeout_ms : TIMEOUT_MS;
    n->options.grace_ms = options->grace_ms ? options->grace_ms : GRACE_MS;
    gate_init(&n->gate, &options->rules);
    buf_init(&n->text, TEXT_BYTES_MAX);
    buf_init(&n->body, PARCEL_BODY_MAX);
    *why = open_posters(n);
    if (!*why)
        return n;
    notify_destroy(n);
    return NULL;
}

static unsigned minute_of(double wall_s)
{
    time_t seconds = (time_t)wall_s;
    struct tm local = {0};
    (void)localtime_r(&seconds, &local);
    return (unsigned)(local.tm_hour * 60 + local.tm_min);
}

/* The same at every attempt, another one for every event. */
static void make_id(const struct notify_event *e, struct now now, char out[ID_BYTES])
{
    (void)snprintf(out, ID_BYTES, "%.24s-%s-%" PRIu64 "-%" PRIx64, e->session_id,
                   notify_kind_name(e->kind), e->number, (uint64_t)(now.wall_s * 1e6));
}

static void print(const struct notify *n)
{
    FILE *out = n->options.console;
    (void)fprintf(out, "\n%.*s\n\n", (int)n->text.len, n->text.ptr);
    (void)fflush(out);
}

static void post(struct notify *n, struct poster *poster, const char *url, const char *id)
{
    enum status status = buf_status(&n->body);
    struct parcel *parcel = status == OK ? parcel_create(url, buf_span(&n->body), id) : NULL;
    if (parcel)
        poster_post(poster, parcel);
    else
        poster_miss(poster, id, status == E_LIMIT ? "it is longer than 64 KiB" : "no memory");
}

/* A name or a line of a log may be cut within a letter, or never have been UTF-8. */
static void clean(struct buf *text)
{
    if (json_utf8_valid(buf_span(text)))
        return;
    for (size_t i = 0; i < text->len; i++) {
        if ((unsigned char)text->ptr[i] >= 0x80)
            text->ptr[i] = '?';
    }
}

bool notify_event(struct notify *n, const struct notify_event *e, struct now now)
{
    char id[ID_BYTES];
    if (!gate_passes(&n->gate, e, now.us, minute_of(now.wall_s)))
        return false;
    buf_reset(&n->text);
    wording_write(&n->text, e);
    clean(&n->text);
    make_id(e, now, id);
    if (n->options.console)
        print(n);
    if (n->telegram) {
        buf_reset(&n->body);
        parcel_telegram_body(&n->body, n->options.telegram_chat, buf_span(&n->text));
        post(n, n->telegram, n->telegram_url, id);
    }
    if (n->webhook) {
        const char *body = n->options.webhook_body;
        buf_reset(&n->body);
        parcel_webhook_body(&n->body, body ? body : parcel_webhook_template, e, buf_span(&n->text),
                            id);
        post(n, n->webhook, n->options.webhook_url, id);
    }
    return true;
}

const struct poster_counts *notify_telegram(const struct notify *n)
{
    return n->telegram ? poster_counts(n->telegram) : NULL;
}

const struct poster_counts *notify_webhook(const struct notify *n)
{
    return n->webhook ? poster_counts(n->webhook) : NULL;
}

void notify_destroy(struct notify *n)
{
    if (!n)
        return;
    poster_destroy(n->telegram, n->options.grace_ms);
    poster_destroy(n->webhook, n->options.grace_ms);
    buf_fini(&n->text);
    buf_fini(&n->body);
    free(n);
}
