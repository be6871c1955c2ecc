/* SPDX-License-Identifier: MIT */
/*
 * Segments, two ways. The first byte says which.
 *
 * Sealing: the rest of the input is rows; what was sealed must come back to the bit. Then one of
 * its bytes is altered where the input says: it must be refused.
 *
 * Reading: the rest is a head and a body as a hostile hand would make them, with good checksums
 * over bad bytes: the head's is put in here and those of the sections are taken as checked, since
 * no input would ever guess one. Nothing need be right of what is read, but all of it must be
 * within bounds, and a column must read the same twice.
 */
#include "proto/varint.h"
#include "streamd/store/segment_inside.h"
#include "tests/fuzz/fuzz.h"

#include <math.h>

enum { ROWS = 64, EXTRAS = 6, SEALED_MAX = 1 << 24, CRC_BYTES = 4 };

static struct series_entry rows[ROWS];
static struct extra extras[ROWS][EXTRAS];

/* ---- sealing ---- */

static uint64_t take_word(struct span *rest)
{
    uint64_t word = 0;
    for (int i = 0; i < 8; i++)
        word = word << 8 | take_byte(rest);
    return word;
}

static struct num take_num(struct span *rest)
{
    static const char digits[] = "123456789012345678901234567890";
    unsigned how = take_byte(rest);
    uint64_t word;
    double v;
    switch (how % 7) {
    case 0:
        return num_none();
    case 1:
        return num_int((int64_t)take_word(rest));
    case 2:
        word = take_word(rest);
        memcpy(&v, &word, sizeof(v));
        return num_float(v);
    case 3:
        return num_float((double)take_byte(rest) / 100);
    case 4:
        return num_int((int64_t)take_byte(rest));
    case 5:
        return num_float((double)((float)take_byte(rest) / 3));
    default:
        return (struct num){.kind = NUM_TEXT, .len = how % 30, .text = digits};
    }
}

static size_t take_rows(struct span *rest)
{
    static const char *const names[] = {"a", "train_loss", "b/c", "loss",
                                        "x", "y",          "z",   "\xc3\xa9"};
    size_t n = 0;
    for (; n < ROWS && rest->len > 0; n++) {
        struct series_entry *row = &rows[n];
        unsigned shape = take_byte(rest);
        *row =
            (struct series_entry){.offset = n + 7, .axis = n ? row[-1].axis + take_byte(rest) : 0};
        row->server_time_s = (double)(int64_t)(take_byte(rest) * 1000 + n) / 1000;
        record_init(&row->record);
        row->record.extra = extras[n];
        row->record.sent = (uint16_t)(take_byte(rest) << 4);
        for (size_t f = 0; f < RECORD_FIELDS; f++)
            row->record.field[f] = shape >> (f % 8) & 1 ? take_num(rest) : num_none();
        for (size_t k = 0; k < EXTRAS; k++) {
            struct num value = shape >> k & 1 ? take_num(rest) : num_none();
            if (value.kind != NUM_NONE)
                extras[n][row->record.extra_count++] =
                    (struct extra){span_of(names[(k + shape / 64) % 8]), value};
        }
    }
    return n;
}

static bool same_row(const struct series_entry *a, const struct series_entry *b)
{
    bool same = a->offset == b->offset && a->axis == b->axis &&
                a->server_time_s == b->server_time_s && a->record.sent == b->record.sent &&
                a->record.extra_count == b->record.extra_count;
    for (size_t f = 0; same && f < RECORD_FIELDS; f++)
        same = num_same(a->record.field[f], b->record.field[f]);
    for (size_t i = 0; same && i < a->record.extra_count; i++)
        same = span_eq(a->record.extra[i].name, b->record.extra[i].name) &&
               num_same(a->record.extra[i].value, b->record.extra[i].value);
    return same;
}

static enum status read_back(struct span head, struct span body, bool must_be_same)
{
    struct segment s;
    struct series_entry e;
    enum status status = segment_open(&s, head, body);
    if (status != OK)
        return status;
    for (uint32_t i = 0; status == OK && i < s.rows; i++) {
        status = segment_row(&s, i, &e);
        CHECK(status != OK || !must_be_same || same_row(&rows[i], &e));
    }
    segment_close(&s);
    return status;
}

static void check_sealing(struct span rest)
{
    struct buf head;
    struct buf body;
    uint64_t where = take_word(&rest);
    size_t n = take_rows(&rest);
    static struct segment_writer *w;
    w = w ? w : segment_writer_create();
    CHECK(w);
    buf_init(&head, SEALED_MAX);
    buf_init(&body, SEALED_MAX);
    for (size_t i = 0; i < n; i++)
        CHECK(segment_writer_add(w, &rows[i]) == OK);
    if (n > 0) {
        CHECK(segment_writer_finish(w, &head, &body) == OK);
        CHECK(read_back(buf_span(&head), buf_span(&body), true) == OK);
        size_t at = (where >> 3) % (head.len + body.len);
        char *byte = at < head.len ? &head.ptr[at] : &body.ptr[at - head.len];
        *byte = (char)(*byte ^ 1 << (where & 7));
        CHECK(read_back(buf_span(&head), buf_span(&body), false) == E_MALFORMED);
    }
    buf_fini(&head);
    buf_fini(&body);
}

/* ---- reading ---- */

static void put_crc(char *at, struct span bytes)
{
    uint64_t crc = crc32_z(0, (const Bytef *)bytes.ptr, bytes.len);
    for (unsigned i = 0; i < CRC_BYTES; i++)
        at[i] = (char)(crc >> (8 * i));
}

static void check_column(struct segment *s, uint32_t i)
{
    static double first[SEGMENT_ROWS_MAX];
    static double second[SEGMENT_ROWS_MAX];
    static bool has[SEGMENT_ROWS_MAX];
    struct segment_column c;
    segment_column_at(s, i, &c);
    enum status status = segment_numbers(s, i, first, has);
    CHECK(status == OK || status == E_MALFORMED || status == E_STATE);
    CHECK(segment_numbers(s, i, second, NULL) == status);
    CHECK(status != OK || memcmp(first, second, s->rows * sizeof(first[0])) == 0);
}

static void check_reading(struct span rest)
{
    struct segment s;
    struct series_entry e;
    size_t head_len = take_byte(&rest) << 8 | take_byte(&rest);
    struct span head = copy_of(take_bytes(&rest, head_len));
    struct span body = copy_of(rest);
    if (head.len > CRC_BYTES)
        put_crc((char *)(uintptr_t)head.ptr,
                (struct span){head.ptr + CRC_BYTES, head.len - CRC_BYTES});
    if (segment_open(&s, head, body) == OK) {
        for (unsigned i = 0; i < SECTIONS; i++)
            s.inside->section[i].checked = true;
        for (uint32_t i = 0; i < s.column_count; i++)
            s.inside->column[i].section.checked = true;
        for (uint32_t i = 0; i < s.column_count && i < 64; i++)
            check_column(&s, i);
        enum status status = segment_row(&s, 0, &e);
        for (uint32_t i = 0; status == OK && i < s.rows; i++)
            CHECK(segment_row(&s, i, &e) == OK);
        segment_close(&s);
    }
    free((void *)(uintptr_t)head.ptr);
    free((void *)(uintptr_t)body.ptr);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct span rest = {(const char *)data, size};
    if (take_byte(&rest) & 1)
        check_reading(rest);
    else
        check_sealing(rest);
    return 0;
}
