/* SPDX-License-Identifier: MIT */
/*
 * <type>[<attachments>-][<namespace>,][<id>][<json>]: read left to right, each part taking what is
 * its own and leaving the rest; what the last part leaves must be the JSON its type allows. What
 * differs between the types stands in one table. The JSON is validated here, once and strictly, so
 * that nobody behind this file meets a text that only looks like JSON, and the data is handed on
 * as it was sent: most packets are looked into no further than the event's name.
 *
 * An id is limited to what JavaScript can count to, as a peer that sends more means something else
 * than we would read.
 */
#include "proto/sio.h"

#include "proto/json_scan.h"
#include "proto/json_write.h"

#include <string.h>

/* What may stand after the id. */
enum payload {
    PAYLOAD_NONE,
    PAYLOAD_AUTH,  /* an object or nothing, else the packet is `refused` */
    PAYLOAD_EVENT, /* an array that starts with the event's name */
    PAYLOAD_ARRAY,
    PAYLOAD_REASON, /* an object or a string */
};

enum id_rule { ID_NEVER, ID_MAYBE, ID_ALWAYS };

static const struct {
    bool binary;
    enum id_rule id;
    enum payload payload;
} rules[] = {
    [SIO_CONNECT] = {false, ID_NEVER, PAYLOAD_AUTH},
    [SIO_DISCONNECT] = {false, ID_NEVER, PAYLOAD_NONE},
    [SIO_EVENT] = {false, ID_MAYBE, PAYLOAD_EVENT},
    [SIO_ACK] = {false, ID_ALWAYS, PAYLOAD_ARRAY},
    [SIO_CONNECT_ERROR] = {false, ID_NEVER, PAYLOAD_REASON},
    [SIO_BINARY_EVENT] = {true, ID_MAYBE, PAYLOAD_EVENT},
    [SIO_BINARY_ACK] = {true, ID_ALWAYS, PAYLOAD_ARRAY},
};

/* Names that mean something to the client libraries themselves. */
static const char *const reserved[] = {
    "connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener",
};

static enum status refuse(enum status status, const char *why, const char **out_why)
{
    *out_why = why;
    return status;
}

static struct span take(struct span *rest, size_t n)
{
    struct span head = {rest->ptr, n};
    *rest = (struct span){rest->ptr + n, rest->len - n};
    return head;
}

static struct span take_digits(struct span *rest)
{
    size_t n = 0;
    while (n < rest->len && rest->ptr[n] >= '0' && rest->ptr[n] <= '9')
        n++;
    return take(rest, n);
}

static enum status take_type(struct span *rest, struct sio_packet *p, const char **out_why)
{
    if (rest->len == 0 || rest->ptr[0] < '0' || rest->ptr[0] > '0' + SIO_BINARY_ACK)
        return refuse(E_MALFORMED, "unknown packet type", out_why);
    p->type = (enum sio_type)(take(rest, 1).ptr[0] - '0');
    return OK;
}

static enum status take_attachments(struct span *rest, struct sio_packet *p, const char **out_why)
{
    if (!rules[p->type].binary)
        return OK;
    struct span digits = take_digits(rest);
    if (digits.len == 0 || rest->len == 0 || rest->ptr[0] != '-')
        return refuse(E_MALFORMED, "a binary packet without an attachment count", out_why);
    uint64_t count;
    if (!span_u64(digits, &count) || count > SIO_ATTACHMENTS_MAX)
        return refuse(E_LIMIT, "too many attachments", out_why);
    if (count == 0)
        return refuse(E_MALFORMED, "a binary packet without attachments", out_why);
    (void)take(rest, 1);
    p->attachments = (unsigned)count;
    return OK;
}

static bool has_control_character(struct span s)
{
    for (size_t i = 0; i < s.len; i++) {
        if ((unsigned char)s.ptr[i] < 0x20 || s.ptr[i] == 0x7f)
            return true;
    }
    return false;
}

static enum status take_namespace(struct span *rest, struct sio_packet *p, const char **out_why)
{
    p->nsp = SPAN("/");
    if (rest->len == 0 || rest->ptr[0] != '/')
        return OK;
    struct span nsp = span_cut(rest, ',');
    if (!rest->ptr)
        *rest = (struct span){nsp.ptr + nsp.len, 0};
    if (nsp.len > SIO_NSP_MAX)
        return refuse(E_LIMIT, "the namespace is too long", out_why);
    if (has_control_character(nsp) || !json_utf8_valid(nsp))
        return refuse(E_MALFORMED, "the namespace is not clean text", out_why);
    p->nsp = span_cut(&nsp, '?');
    return OK;
}

static enum status take_id(struct span *rest, struct sio_packet *p, const char **out_why)
{
    enum id_rule rule = rules[p->type].id;
    struct span digits = take_digits(rest);
    if (digits.len == 0)
        return rule == ID_ALWAYS ? refuse(E_MALFORMED, "an ack without an id", out_why) : OK;
    if (rule == ID_NEVER)
        return refuse(E_MALFORMED, "an id where none belongs", out_why);
    if (!span_u64(digits, &p->id) || p->id > SIO_ID_MAX)
        return refuse(E_LIMIT, "the id is too large", out_why);
    p->has_id = true;
    return OK;
}

static bool is_reserved(struct span name)
{
    for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
        if (span_is(name, reserved[i]))
            return true;
    }
    return false;
}

/* Reads the rest of a JSON text whose beginning was what it should be. */
static bool ends_well(struct json_scan *scan)
{
    struct json_value value;
    enum json_token token;
    do {
        token = json_next(scan, &value);
    } while (token != JSON_END && token != JSON_ERROR);
    return token == JSON_END;
}

static enum status check_event(struct span data, struct sio_packet *p, const char **out_why)
{
    struct json_scan scan;
    struct json_value name;
    json_scan_init(&scan, data, JSON_STRICT);
    if (json_next(&scan, &name) != JSON_ARRAY_BEGIN)
        return refuse(E_MALFORMED, "an event is not a JSON array", out_why);
    if (json_next(&scan, &name) != JSON_STRING || name.raw.len == 0)
        return refuse(E_MALFORMED, "an event does not start with its name", out_why);
    if (is_reserved(name.raw))
        return refuse(E_MALFORMED, "the event's name is reserved", out_why);
    if (!ends_well(&scan))
        return refuse(E_MALFORMED, "an event is not valid JSON", out_why);
    p->event = name.raw;
    return OK;
}

/* Is it valid JSON that starts with one of these two tokens? */
static bool is_json(struct span data, enum json_token one, enum json_token other)
{
    struct json_scan scan;
    struct json_value value;
    json_scan_init(&scan, data, JSON_STRICT);
    enum json_token first = json_next(&scan, &value);
    return (first == one || first == other) && ends_well(&scan);
}

static enum status check_auth(struct span data, struct sio_packet *p)
{
    if (data.len > 0 && !is_json(data, JSON_OBJECT_BEGIN, JSON_OBJECT_BEGIN)) {
        p->refused = "the auth payload is not a JSON object";
        p->data = (struct span){NULL, 0};
    }
    return OK;
}

static enum status check_payload(struct span data, struct sio_packet *p, const char **out_why)
{
    p->data = data;
    switch (rules[p->type].payload) {
    case PAYLOAD_NONE:
        return data.len == 0 ? OK : refuse(E_MALFORMED, "data where none belongs", out_why);
    case PAYLOAD_AUTH:
        return check_auth(data, p);
    case PAYLOAD_EVENT:
        return check_event(data, p, out_why);
    case PAYLOAD_ARRAY:
        if (is_json(data, JSON_ARRAY_BEGIN, JSON_ARRAY_BEGIN))
            return OK;
        return refuse(E_MALFORMED, "an ack is not a JSON array", out_why);
    case PAYLOAD_REASON:
        break;
    }
    if (is_json(data, JSON_OBJECT_BEGIN, JSON_STRING))
        return OK;
    return refuse(E_MALFORMED, "an error is neither object nor string", out_why);
}

enum status sio_decode(struct span text, struct sio_packet *out, const char **out_why)
{
    struct sio_packet packet = {0};
    struct span rest = text;
    enum status status = take_type(&rest, &packet, out_why);
    if (status == OK)
        status = take_attachments(&rest, &packet, out_why);
    if (status == OK)
        status = take_namespace(&rest, &packet, out_why);
    if (status == OK)
        status = take_id(&rest, &packet, out_why);
    if (status == OK)
        status = check_payload(rest, &packet, out_why);
    if (status == OK)
        *out = packet;
    return status;
}

/* Everything before the data. */
static void write_head(struct buf *b, enum sio_type type, unsigned attachments, struct span nsp)
{
    buf_add_char(b, '4');
    buf_add_char(b, (char)('0' + type));
    if (rules[type].binary) {
        buf_add_u64(b, attachments);
        buf_add_char(b, '-');
    }
    if (!span_is(nsp, "/")) {
        buf_add_span(b, nsp);
        buf_add_char(b, ',');
    }
}

void sio_write_packet(struct buf *b, const struct sio_packet *packet)
{
    write_head(b, packet->type, packet->attachments, packet->nsp);
    if (packet->has_id)
        buf_add_u64(b, packet->id);
    buf_add_span(b, packet->data);
}

void sio_write_connect(struct buf *b, struct span nsp, struct span json)
{
    write_head(b, SIO_CONNECT, 0, nsp);
    buf_add_span(b, json);
}

void sio_write_connect_error(struct buf *b, struct span nsp, struct span message)
{
    write_head(b, SIO_CONNECT_ERROR, 0, nsp);
    buf_add_char(b, '{');
    json_write_pair_string(b, "message", message);
    buf_add_char(b, '}');
}

void sio_write_disconnect(struct buf *b, struct span nsp)
{
    write_head(b, SIO_DISCONNECT, 0, nsp);
}

/* All but the bracket at its end. */
static void write_event(struct buf *b, struct span nsp, struct span event, struct span payload_json)
{
    write_head(b, SIO_EVENT, 0, nsp);
    buf_add_str(b, "[\"");
    buf_add_span(b, event);
    buf_add_char(b, '"');
    if (payload_json.len > 0)
        buf_add_char(b, ',');
    buf_add_span(b, payload_json);
}

void sio_write_event(struct buf *b, struct span nsp, struct span event, struct span payload_json)
{
    write_event(b, nsp, event, payload_json);
    buf_add_char(b, ']');
}

void sio_write_marked_event(struct buf *b, struct span nsp, struct span event,
                            struct span payload_json, struct span mark)
{
    write_event(b, nsp, event, payload_json);
    buf_add_str(b, ",\"");
    buf_add_span(b, mark);
    buf_add_str(b, "\"]");
}

void sio_write_ack(struct buf *b, struct span nsp, uint64_t id, struct span array)
{
    write_head(b, SIO_ACK, 0, nsp);
    buf_add_u64(b, id);
    buf_add_span(b, array);
}
