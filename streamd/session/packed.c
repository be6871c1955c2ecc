/* SPDX-License-Identifier: MIT */
/*
 * This runs once for every line of every trainer, so it is one forward pass with memcpy and no
 * division, no float formatting and, once the names are known, no look-up. The kinds of the twelve
 * fields are two bits each in the head; an extra's kind shares sixteen bits with the number of its
 * name. Delta coding would halve the bytes and was left out: a run of 100,000 records is 14 MB.
 */
#include "streamd/session/packed.h"

#include <assert.h>
#include <string.h>

enum { KIND_BITS = 2, KIND_MASK = 3 };

_Static_assert((int)NUM_TEXT <= (int)KIND_MASK, "a kind fits its bits");
_Static_assert(RECORD_FIELDS *KIND_BITS <= 32, "the kinds of all fields fit head.kinds");
_Static_assert(SERIES_NAMES_MAX < 1 << (16 - KIND_BITS), "a name's number fits beside a kind");

struct head {
    double server_time_s;
    uint32_t size; /* of the entry, head included */
    uint32_t kinds;
    uint16_t sent;
    uint16_t wrong;
    uint16_t extra_count;
};

/* Eight bytes, or four for the length and then the digits. */
static size_t num_bound(struct num n)
{
    return sizeof(n.i) + (n.kind == NUM_TEXT ? n.len : 0);
}

static size_t extra_count_of(const struct record *r)
{
    return r->extra_count < SERIES_NAMES_MAX ? r->extra_count : SERIES_NAMES_MAX;
}

size_t packed_bound(const struct record *r)
{
    size_t bound = sizeof(struct head);
    for (size_t i = 0; i < RECORD_FIELDS; i++)
        bound += num_bound(r->field[i]);
    for (size_t i = 0; i < extra_count_of(r); i++)
        bound += sizeof(uint16_t) + num_bound(r->extra[i].value);
    return bound;
}

static char *put(char *at, const void *bytes, size_t n)
{
    memcpy(at, bytes, n);
    return at + n;
}

static char *put_num(char *at, struct num n)
{
    if (n.kind == NUM_TEXT)
        return put(put(at, &n.len, sizeof(n.len)), n.text, n.len);
    return n.kind == NUM_NONE ? at : put(at, &n.i, sizeof(n.i));
}

static const char *take(const char *at, void *out, size_t n)
{
    memcpy(out, at, n);
    return at + n;
}

static const char *take_num(const char *at, unsigned kind, struct num *out)
{
    *out = (struct num){.kind = (enum num_kind)kind};
    if (kind == NUM_TEXT) {
        at = take(at, &out->len, sizeof(out->len));
        out->text = at;
        return at + out->len;
    }
    return kind == NUM_NONE ? at : take(at, &out->i, sizeof(out->i));
}

enum status packed_write(struct names *names, const struct record *r, double server_time_s,
                         char *out, size_t *out_size, unsigned *out_left_out)
{
    struct head head = {.server_time_s = server_time_s, .sent = r->sent, .wrong = r->wrong};
    char *at = out + sizeof(head);
    for (unsigned i = 0; i < RECORD_FIELDS; i++) {
        head.kinds |= (uint32_t)r->field[i].kind << (i * KIND_BITS);
        at = put_num(at, r->field[i]);
    }
    uint16_t number = 0;
    for (size_t i = 0; i < extra_count_of(r); i++) {
        uint32_t guess = i ? number + 1U : 0;
        enum status status = names_enter(names, r->extra[i].name, guess, &number);
        if (status == E_LIMIT)
            continue;
        if (status != OK)
            return status;
        uint16_t key = (uint16_t)((unsigned)number << KIND_BITS | r->extra[i].value.kind);
        at = put_num(put(at, &key, sizeof(key)), r->extra[i].value);
        head.extra_count++;
    }
    head.size = (uint32_t)(at - out);
    memcpy(out, &head, sizeof(head));
    *out_size = head.size;
    *out_left_out = (unsigned)(r->extra_count - head.extra_count);
    return OK;
}

size_t packed_size(const char *at)
{
    struct head head;
    memcpy(&head, at, sizeof(head));
    return head.size;
}

size_t packed_extra_count(const char *at)
{
    struct head head;
    memcpy(&head, at, sizeof(head));
    return head.extra_count;
}

void packed_read(const struct names *names, const char *at, struct extra *extra,
                 struct series_entry *out)
{
    const char *begin = at;
    struct head head;
    at = take(at, &head, sizeof(head));
    out->server_time_s = head.server_time_s;
    out->record = (struct record){
        .sent = head.sent, .wrong = head.wrong, .extra = extra, .extra_count = head.extra_count};
    for (unsigned i = 0; i < RECORD_FIELDS; i++)
        at = take_num(at, head.kinds >> (i * KIND_BITS) & KIND_MASK, &out->record.field[i]);
    for (size_t i = 0; i < head.extra_count; i++) {
        uint16_t key;
        at = take(at, &key, sizeof(key));
        extra[i].name = names_at(names, key >> KIND_BITS);
        at = take_num(at, key & KIND_MASK, &extra[i].value);
    }
    assert((size_t)(at - begin) == head.size);
}
