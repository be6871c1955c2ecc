/* SPDX-License-Identifier: MIT */
/*
 * parcel: one notice on its way to one receiver: where, and the JSON it shall get.
 *
 * Made on the thread that has the event, owned by whoever has it. No I/O here.
 */
#ifndef STREAMD_NOTIFY_PARCEL_H
#define STREAMD_NOTIFY_PARCEL_H

#include "base/buf.h"
#include "streamd/notify/event.h"
#include "streamd/store/mailbox.h"

enum {
    PARCEL_BODY_MAX = 64 << 10,
    PARCEL_URL_MAX = 2048,
    TELEGRAM_TEXT_MAX = 4000, /* of 4096, with room for a last escape */
};

struct parcel {
    struct letter letter;
    char *url;  /* owns; may hold a secret, and is never logged */
    char *body; /* owns; JSON */
    size_t body_len;
    char id[64]; /* of the event, the same at every attempt; sent as Idempotency-Key */
    unsigned attempts;
    uint64_t due_us; /* not before */
};

/* Both are copied. NULL: no memory, or longer than the bounds. */
struct parcel *parcel_create(const char *url, struct span body, const char *id);
void parcel_destroy(struct parcel *p);

/* `BASE/botTOKEN/sendMessage` into out; false: too long. */
bool parcel_telegram_url(char out[PARCEL_URL_MAX], const char *base, const char *token);

/* {"chat_id":..,"text":..,"parse_mode":"Markdown"}: the title bold, all else escaped. */
void parcel_telegram_body(struct buf *b, const char *chat, struct span text);

/*
 * The template with its placeholders filled in, each as the inside of a JSON string: {text} {title}
 * {id} {kind} {severity} {session} {name} {phase} {reason}. Other braces stay as they are.
 */
void parcel_webhook_body(struct buf *b, const char *template, const struct notify_event *e,
                         struct span text, const char *id);

/* What a webhook gets when nothing else is said: an object with all of them. */
extern const char parcel_webhook_template[];

/* With every placeholder filled, is it JSON? */
bool parcel_template_valid(const char *template);

/* What became of an attempt. */
enum parcel_fate {
    PARCEL_TAKEN,   /* answered 2xx */
    PARCEL_AGAIN,   /* it was certainly not taken: no connection, or answered 429 or 5xx */
    PARCEL_REFUSED, /* answered anything else: the same again would be the same */
    PARCEL_UNKNOWN, /* it went out and there was no answer that says so: not again, it may be there
                     */
};

/* `status` of the answer, 0: none; `sent`: bytes of the request that went out. */
enum parcel_fate parcel_judge(long status, long sent);

enum { PARCEL_ATTEMPTS = 8 };

/* How long to wait after so many attempts; `asked_s`: what the receiver said, 0: nothing. */
uint64_t parcel_wait_us(unsigned attempts, uint64_t asked_s);

#endif
