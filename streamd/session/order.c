/* SPDX-License-Identifier: MIT */
/*
 * An order is kept as the JSON that the wire has of it: one form to write, to read and to look at
 * in the file.
 */
#include "streamd/session/order.h"

#include "proto/fields.h"
#include "proto/json_write.h"
#include "streamd/session/registry.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const command_names[ORDER_COMMANDS] = {
#define ORDER_NAME(command, name) name,
    ORDER_COMMAND_TABLE(ORDER_NAME)};

static const char *const state_names[ORDER_STATES] = {ORDER_STATE_TABLE(ORDER_NAME)
#undef ORDER_NAME
};

static const bool allowed[ORDER_STATES][ORDER_STATES] = {
    [ORDER_ASKED] = {[ORDER_TOLD] = true, [ORDER_REFUSED] = true},
    [ORDER_TOLD] = {[ORDER_ACCEPTED] = true,
                    [ORDER_DONE] = true,
                    [ORDER_REFUSED] = true,
                    [ORDER_UNANSWERED] = true},
    [ORDER_ACCEPTED] = {[ORDER_DONE] = true, [ORDER_REFUSED] = true, [ORDER_UNANSWERED] = true},
    [ORDER_UNANSWERED] = {[ORDER_ACCEPTED] = true, [ORDER_DONE] = true, [ORDER_REFUSED] = true},
};

bool order_may_enter(enum order_state from, enum order_state to)
{
    return allowed[from][to];
}

bool order_is_open(const struct order *o)
{
    return o->state == ORDER_TOLD || o->state == ORDER_ACCEPTED;
}

const char *order_command_name(enum order_command command)
{
    return command_names[command];
}

const char *order_state_name(enum order_state state)
{
    return state_names[state];
}

static int find(const char *const *names, int count, struct span name)
{
    int i = 0;
    while (i < count && !span_is(name, names[i]))
        i++;
    return i;
}

enum order_command order_command_find(struct span name)
{
    return (enum order_command)find(command_names, ORDER_COMMANDS, name);
}

enum order_state order_state_find(struct span name)
{
    return (enum order_state)find(state_names, ORDER_STATES, name);
}

/* Copies the text to *at, and moves that behind it. */
static const char *place(char **at, struct span text)
{
    char *copy = *at;
    if (text.len > 0)
        memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    *at += text.len + 1;
    return copy;
}

struct order *order_create(struct session *s, const struct order_ask *ask)
{
    enum { TEXTS = 7 };
    const struct span texts[TEXTS] = {span_head(ask->reason, ORDER_REASON_BYTES_MAX),
                                      ask->mode,
                                      span_head(ask->knob, KNOB_NAME_BYTES_MAX),
                                      span_head(ask->who.via, ORDER_WORDS_BYTES_MAX),
                                      span_head(ask->who.peer, ORDER_WORDS_BYTES_MAX),
                                      span_head(ask->who.client, ORDER_WORDS_BYTES_MAX),
                                      span_head(ask->who.caller, ORDER_WORDS_BYTES_MAX)};
    size_t bytes = TEXTS;
    for (int i = 0; i < TEXTS; i++)
        bytes += texts[i].len;
    struct order *o = malloc(sizeof(*o) + bytes);
    if (!o)
        return NULL;
    *o = (struct order){.session = s,
                        .command = ask->command,
                        .dry_run = ask->dry_run,
                        .value = ask->command == ORDER_SET ? ask->value
                                                           : (struct knob_value){false, NAN},
                        .applied = {false, NAN}};
    char *at = o->texts;
    o->reason = place(&at, texts[0]);
    o->mode = place(&at, texts[1]);
    o->knob = place(&at, texts[2]);
    o->via = place(&at, texts[3]);
    o->peer = place(&at, texts[4]);
    o->client = place(&at, texts[5]);
    o->caller = place(&at, texts[6]);
    list_init(&o->link);
    list_init(&o->all);
    return o;
}

void order_say(struct order *o, struct span answer)
{
    char *at = o->answer;
    (void)place(&at, span_head(answer, ORDER_WORDS_BYTES_MAX));
}

/* ---- as JSON ---- */

static void write_text(struct buf *out, const char *name, const char *text)
{
    if (text[0])
        json_write_pair_string(out, name, span_of(text));
    else
        json_write_pair_raw(out, name, SPAN("null"));
}

static void write_time(struct buf *out, const char *name, double epoch_s)
{
    json_write_name(out, name);
    if (epoch_s > 0)
        num_write_rounded(out, epoch_s, 3);
    else
        buf_add_str(out, "null");
}

static void write_set(const struct order *o, struct buf *out)
{
    json_write_pair_string(out, "knob", span_of(o->knob));
    knob_value_write(out, "value", o->value);
    knob_value_write(out, "applied", o->applied);
}

static void write_who(const struct order *o, struct buf *out)
{
    json_write_name(out, "who");
    buf_add_char(out, '{');
    write_text(out, "via", o->via);
    write_text(out, "peer", o->peer);
    write_text(out, "caller", o->caller);
    write_text(out, "client", o->client);
    buf_add_char(out, '}');
}

void order_write_members(const struct order *o, struct buf *out)
{
    json_write_pair_u64(out, "id", o->id);
    json_write_pair_string(out, "sessionId", session_id(o->session));
    json_write_pair_string(out, "command", span_of(command_names[o->command]));
    if (o->command == ORDER_SET)
        write_set(o, out);
    if (o->mode[0])
        write_text(out, "mode", o->mode);
    write_text(out, "reason", o->reason);
    json_write_pair_bool(out, "dryRun", o->dry_run);
    json_write_pair_string(out, "state", span_of(state_names[o->state]));
    json_write_pair_u64(out, "trainers", o->trainers);
    json_write_pair_bool(out, "signalled", o->signalled);
    write_time(out, "askedAt", o->asked_s);
    write_time(out, "answeredAt", o->answered_s);
    write_text(out, "answer", o->answer);
    write_who(o, out);
}

void order_write(const struct order *o, struct buf *out)
{
    buf_add_char(out, '{');
    order_write_members(o, out);
    buf_add_char(out, '}');
}

static bool read_ask(const struct fields *f, struct order_ask *ask)
{
    struct span command = {NULL, 0};
    const struct fields *who = fields_object(f, "who");
    (void)fields_string(f, "command", &command);
    ask->command = order_command_find(command);
    ask->value.number = NAN;
    (void)fields_string(f, "reason", &ask->reason);
    (void)fields_string(f, "mode", &ask->mode);
    (void)fields_string(f, "knob", &ask->knob);
    (void)knob_value_find(f, "value", &ask->value);
    (void)fields_bool(f, "dryRun", &ask->dry_run);
    if (who) {
        (void)fields_string(who, "via", &ask->who.via);
        (void)fields_string(who, "peer", &ask->who.peer);
        (void)fields_string(who, "caller", &ask->who.caller);
        (void)fields_string(who, "client", &ask->who.client);
    }
    return ask->command != ORDER_COMMANDS;
}

static bool read_outcome(const struct fields *f, struct order *o)
{
    struct span state = {NULL, 0};
    struct span answer = {NULL, 0};
    double id = 0;
    double trainers = 0;
    (void)fields_string(f, "state", &state);
    (void)fields_string(f, "answer", &answer);
    (void)fields_number(f, "id", &id);
    (void)fields_number(f, "trainers", &trainers);
    (void)fields_number(f, "askedAt", &o->asked_s);
    (void)fields_number(f, "answeredAt", &o->answered_s);
    (void)fields_bool(f, "signalled", &o->signalled);
    (void)knob_value_find(f, "applied", &o->applied);
    order_say(o, answer);
    o->state = order_state_find(state);
    bool sane = id >= 1 && id < 9007199254740992.0 && trainers >= 0 && trainers < 1e9;
    o->id = sane ? (uint64_t)id : 0;
    o->trainers = sane ? (uint64_t)trainers : 0;
    return sane && o->state != ORDER_STATES;
}

enum status order_read(struct registry *r, struct span json, struct order **out)
{
    struct fields *f = NULL;
    struct order_ask ask = {0};
    enum status status = fields_parse(json, &f, NULL);
    if (status != OK)
        return status;
    struct order *o = NULL;
    bool good = fields_is_object(f) && fields_string(f, "sessionId", &ask.session_id);
    struct session *s = good ? registry_find(r, ask.session_id) : NULL;
    status = s && read_ask(f, &ask) ? OK : E_MALFORMED;
    if (status == OK && !(o = order_create(s, &ask)))
        status = E_NOMEM;
    if (status == OK && !read_outcome(f, o))
        status = E_MALFORMED;
    fields_destroy(f);
    if (status == OK)
        *out = o;
    else
        free(o);
    return status;
}
