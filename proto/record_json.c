/* SPDX-License-Identifier: MIT */
/*
 * This runs once per session and tick for every payload, so the constant parts of the text are
 * laid out by the table at compile time: one append brings comma, quotes, name and colon. Whether
 * anything is not finite is noticed on the way; only then are the numbers looked at a second time.
 */
#include "proto/record_json.h"

#include "proto/json_write.h"

#include <string.h>

enum { OTHER_FLOAT_DIGITS = 6, TYPICAL_BYTES = 512 };

enum form { ROUNDED, FULL };

static const struct {
    struct span head; /* ,"loss": */
    int decimals;
} columns[RECORD_FIELDS] = {
#define RECORD_COLUMN(field, name, decimals) {{",\"" name "\":", sizeof(name) + 3}, (decimals)},
    RECORD_TABLE(RECORD_COLUMN)
#undef RECORD_COLUMN
};

static void write_number(struct buf *b, struct num n, int decimals, enum form form)
{
    if (form == FULL || n.kind != NUM_FLOAT)
        num_write(b, n);
    else if (decimals == RECORD_INTEGER)
        num_write_significant(b, n.f, OTHER_FLOAT_DIGITS);
    else
        num_write_rounded(b, n.f, decimals);
}

static void write_word(struct buf *b, struct span name, struct num n)
{
    const char *word = num_word(n);
    if (!word)
        return;
    json_write_key(b, name);
    json_write_string(b, span_of(word));
}

static void write_nonfinite(struct buf *b, const struct record *r)
{
    json_write_name(b, "nonFinite");
    buf_add_char(b, '{');
    for (enum record_field f = 0; f < RECORD_FIELDS; f++)
        write_word(b, span_of(record_field_name(f)), r->field[f]);
    for (size_t i = 0; i < r->extra_count; i++)
        write_word(b, r->extra[i].name, r->extra[i].value);
    buf_add_char(b, '}');
}

/* The object without its closing bracket. */
static void write_members(struct buf *b, const struct record *r, enum form form)
{
    bool nonfinite = false;
    if (buf_reserve(b, TYPICAL_BYTES) != OK)
        return;
    buf_add_char(b, '{');
    for (enum record_field f = 0; f < RECORD_FIELDS; f++) {
        size_t comma = f > 0 ? 0 : 1;
        buf_add(b, columns[f].head.ptr + comma, columns[f].head.len - comma);
        write_number(b, r->field[f], columns[f].decimals, form);
        nonfinite |= num_word(r->field[f]) != NULL;
    }
    for (size_t i = 0; i < r->extra_count; i++) {
        json_write_key(b, r->extra[i].name);
        write_number(b, r->extra[i].value, RECORD_INTEGER, form);
        nonfinite |= num_word(r->extra[i].value) != NULL;
    }
    if (nonfinite)
        write_nonfinite(b, r);
}

void record_write_payload(struct buf *b, const struct record *r)
{
    write_members(b, r, ROUNDED);
    buf_add_char(b, '}');
}

void record_write_full(struct buf *b, const struct record *r)
{
    write_members(b, r, FULL);
    buf_add_char(b, '}');
}

void record_write_entry_end(struct buf *b, uint64_t offset, double server_time_s, bool superseded)
{
    json_write_pair_u64(b, "offset", offset);
    json_write_pair_double(b, "serverTime", server_time_s);
    if (superseded)
        json_write_pair_bool(b, "superseded", true);
    buf_add_char(b, '}');
}

void record_write_entry(struct buf *b, const struct record *r, uint64_t offset,
                        double server_time_s, bool superseded)
{
    write_members(b, r, FULL);
    record_write_entry_end(b, offset, server_time_s, superseded);
}

void record_write_derived(struct buf *b, const struct record *r)
{
    buf_add_char(b, '[');
    for (enum record_field f = 0; f < RECORD_FIELDS; f++) {
        if (record_was_sent(r, f))
            continue;
        json_write_comma(b);
        json_write_string(b, span_of(record_field_name(f)));
    }
    buf_add_char(b, ']');
}
