/* SPDX-License-Identifier: MIT */
/*
 * Telegram's Markdown knows four special characters, which are escaped outside of the bold title;
 * inside, nothing can be escaped, so a title that has one is not bold. (It refuses a whole message
 * for one underscore that has no partner, and names of runs are full of them.)
 */
#include "streamd/notify/parcel.h"

#include "proto/json_scan.h"
#include "proto/json_write.h"
#include "streamd/notify/wording.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char parcel_webhook_template[] =
    "{\"id\":\"{id}\",\"kind\":\"{kind}\",\"severity\":\"{severity}\",\"session\":\"{session}\","
    "\"name\":\"{name}\",\"phase\":\"{phase}\",\"reason\":\"{reason}\",\"title\":\"{title}\","
    "\"text\":\"{text}\"}";

struct parcel *parcel_create(const char *url, struct span body, const char *id)
{
    struct parcel *p = calloc(1, sizeof(*p));
    if (!p || strlen(url) >= PARCEL_URL_MAX || body.len > PARCEL_BODY_MAX) {
        free(p);
        return NULL;
    }
    p->url = strdup(url);
    p->body = malloc(body.len + 1);
    p->body_len = body.len;
    (void)snprintf(p->id, sizeof(p->id), "%s", id);
    if (!p->url || !p->body) {
        parcel_destroy(p);
        return NULL;
    }
    memcpy(p->body, body.ptr, body.len);
    p->body[body.len] = '\0';
    return p;
}

void parcel_destroy(struct parcel *p)
{
    if (!p)
        return;
    free(p->url);
    free(p->body);
    free(p);
}

/* ---- Telegram ---- */

bool parcel_telegram_url(char out[PARCEL_URL_MAX], const char *base, const char *token)
{
    int n = snprintf(out, PARCEL_URL_MAX, "%s/bot%s/sendMessage", base, token);
    return n > 0 && n < PARCEL_URL_MAX;
}

static bool is_special(char c)
{
    return c == '_' || c == '*' || c == '`' || c == '[';
}

/* What a bold title cannot have; nor can a quotation be bold. */
static bool can_be_bold(struct span text)
{
    if (text.len == 0 || text.ptr[0] == '>')
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (is_special(text.ptr[i]))
            return false;
    }
    return true;
}

static void escape(struct buf *b, struct span text)
{
    const char *end = text.ptr ? text.ptr + text.len : NULL;
    for (const char *at = text.ptr; at != end; at++) {
        if (is_special(*at))
            buf_add_char(b, '\\');
        buf_add_char(b, *at);
    }
}

/* The longest part that is whole letters and, all of it escaped, no longer than Telegram takes. */
static struct span fitting(struct span text)
{
    size_t len = 0;
    size_t escaped = 0;
    while (len < text.len && escaped < TELEGRAM_TEXT_MAX)
        escaped += is_special(text.ptr[len++]) ? 2 : 1;
    text.len = len;
    while (text.len > 0 && !json_utf8_valid(text))
        text.len--;
    return text;
}

void parcel_telegram_body(struct buf *b, const char *chat, struct span text)
{
    struct buf marked;
    struct span rest = fitting(text);
    struct span title = span_cut(&rest, '\n');
    bool bold = can_be_bold(title);
    buf_init(&marked, PARCEL_BODY_MAX);
    buf_add_str(&marked, bold ? "*" : "");
    escape(&marked, title);
    buf_add_str(&marked, bold ? "*" : "");
    if (rest.ptr)
        buf_add_char(&marked, '\n');
    escape(&marked, rest);
    buf_add_char(b, '{');
    json_write_pair_string(b, "chat_id", span_of(chat));
    json_write_pair_string(b, "text", buf_span(&marked));
    json_write_pair_string(b, "parse_mode", SPAN("Markdown"));
    buf_add_char(b, '}');
    buf_fini(&marked);
}

/* ---- webhook ---- */

struct filling {
    const struct notify_event *e;
    struct span text;
    const char *id;
};

static struct span value_of(const struct filling *f, struct span name, bool *known)
{
    struct span title = f->text;
    const struct assessment *a = f->e->assessment;
    bool has_name = f->e->name && *f->e->name;
    const struct {
        const char *name;
        struct span value;
    } values[] = {
        {"text", f->text},
        {"title", span_cut(&title, '\n')},
        {"id", span_of(f->id)},
        {"kind", span_of(notify_kind_name(f->e->kind))},
        {"severity", span_of(severity_name(notify_severity(f->e)))},
        {"session", span_of(f->e->session_id)},
        {"name", span_of(has_name ? f->e->name : f->e->session_id)},
        {"phase", span_of(phase_words(a->phase)->name)},
        {"reason", span_of(a->reason)},
    };
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        if (span_is(name, values[i].name)) {
            *known = true;
            return values[i].value;
        }
    }
    *known = false;
    return (struct span){NULL, 0};
}

/* As json_write_string, without the quotes. */
static void add_inside(struct buf *b, struct span value)
{
    struct buf quoted;
    buf_init(&quoted, PARCEL_BODY_MAX);
    json_write_string(&quoted, value);
    if (buf_status(&quoted) == OK)
        buf_add(b, quoted.ptr + 1, quoted.len - 2);
    else
        b->failed = buf_status(&quoted);
    buf_fini(&quoted);
}

void parcel_webhook_body(struct buf *b, const char *template, const struct notify_event *e,
                         struct span text, const char *id)
{
    struct filling f = {.e = e, .text = text, .id = id};
    for (const char *at = template; *at;) {
        size_t n = *at == '{' ? strspn(at + 1, "abcdefghijklmnopqrstuvwxyz") : 0;
        bool known = false;
        struct span value = {NULL, 0};
        if (n > 0 && at[n + 1] == '}')
            value = value_of(&f, (struct span){at + 1, n}, &known);
        if (known) {
            add_inside(b, value);
            at += n + 2;
        } else {
            buf_add_char(b, *at++);
        }
    }
}

bool parcel_template_valid(const char *template)
{
    static const struct assessment nothing = {.monitor = ""};
    struct notify_event e = {.kind = NOTIFY_PROGRESS, .session_id = "x", .assessment = &nothing};
    struct buf b;
    buf_init(&b, PARCEL_BODY_MAX);
    parcel_webhook_body(&b, template, &e, SPAN("x"), "x");
    bool valid = buf_status(&b) == OK && json_check(buf_span(&b), JSON_STRICT, NULL) == OK;
    buf_fini(&b);
    return valid;
}

/* ---- attempts ---- */

enum parcel_fate parcel_judge(long status, long sent)
{
    if (status >= 200 && status < 300)
        return PARCEL_TAKEN;
    if (status == 429 || (status >= 500 && status < 600))
        return PARCEL_AGAIN;
    if (status >= 200)
        return PARCEL_REFUSED;
    return sent > 0 ? PARCEL_UNKNOWN : PARCEL_AGAIN;
}

uint64_t parcel_wait_us(unsigned attempts, uint64_t asked_s)
{
    static const uint64_t longest_s = 300;
    uint64_t wait_s = attempts < 7 ? UINT64_C(1) << attempts : 128;
    if (asked_s > wait_s)
        wait_s = asked_s < longest_s ? asked_s : longest_s;
    return wait_s * 1000000;
}
