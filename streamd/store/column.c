/* SPDX-License-Identifier: MIT */
/*
 * Reading: the words, then in place the bits they stand for, then the odd ones over them, then out
 * to where the caller has room. Nothing of the bytes is believed: every count is of slots, which
 * the caller has bounded, and every conversion that C leaves undefined is asked about first.
 */
#include "streamd/store/column.h"

#include "proto/varint.h"

#include <math.h>
#include <stdlib.h>

enum { KIND_MIXED = 4, KIND_MASK = 7, NEAR_SHIFT = 3, NEAR_MASK = 3, FORM_SHIFT = 5 };

/* What the first byte says, and how many there are of each. */
struct heading {
    unsigned kind;
    enum column_near near;
    enum column_form form;
    size_t numbers;
    size_t texts;
};

enum status column_reader_init(struct column_reader *r)
{
    r->lazy = false;
    r->word = r->own_word;
    return words_reader_init(&r->words);
}

void column_reader_fini(struct column_reader *r)
{
    words_reader_fini(&r->words);
}

enum column_near column_near(struct span bytes)
{
    unsigned first = bytes.len > 0 ? (unsigned char)bytes.ptr[0] : 0;
    return (enum column_near)(first >> NEAR_SHIFT & NEAR_MASK);
}

/* ---- from words to bits ---- */

static bool is_integer(const struct column_reader *r, const struct heading *h, size_t i)
{
    return h->kind == NUM_INT || (h->kind == KIND_MIXED && r->number_kind[i] == NUM_INT);
}

static void put_double(uint64_t *word, double v)
{
    memcpy(word, &v, sizeof(v));
}

/* Whole numbers became doubles on the way in; now they must be whole again. One that cannot be is
 * an odd one, and what stands in its place is of no account. */
static void put_number(uint64_t *word, double v, bool integer)
{
    if (!integer)
        put_double(word, v);
    else
        *word = fabs(v) < 0x1p63 ? (uint64_t)(int64_t)v : 0;
}

static void put_decimal(uint64_t *word, int places, bool integer)
{
    int64_t digits = (int64_t)*word;
    if (!integer)
        put_double(word, decimal_double(digits, places));
    else if (places <= DECIMAL_INTEGER_PLACES_MAX)
        *word = (uint64_t)(digits / decimal_integer_power(places));
}

static void put_float32(uint64_t *word, bool integer)
{
    int32_t bits = (int32_t)*word;
    float narrow;
    bits = bits < 0 ? bits ^ INT32_MAX : bits;
    memcpy(&narrow, &bits, sizeof(narrow));
    put_number(word, (double)narrow, integer);
}

static void put_bits(uint64_t *word, bool integer)
{
    uint64_t bits = *word >> 63 ? *word ^ INT64_MAX : *word;
    double v;
    memcpy(&v, &bits, sizeof(v));
    put_number(word, v, integer);
}

/* The common case by itself, for it is what every chart waits for. */
static void put_doubles(uint64_t *words, size_t n, double power)
{
    for (size_t i = 0; i < n; i++)
        put_double(&words[i], (double)(int64_t)words[i] / power);
}

/* The other common one, as put_bits does it. */
static void put_folded(uint64_t *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        words[i] ^= (0 - (words[i] >> 63)) & INT64_MAX;
}

static void put_all(struct column_reader *r, const struct heading *h, int places)
{
    for (size_t i = 0; i < h->numbers; i++) {
        bool integer = is_integer(r, h, i);
        if (h->form == FORM_FLOAT32)
            put_float32(&r->word[i], integer);
        else if (h->form == FORM_BITS)
            put_bits(&r->word[i], integer);
        else
            put_decimal(&r->word[i], h->form == FORM_SPLIT ? r->places[i] : places, integer);
    }
}

/* ---- from bytes to words ---- */

static enum status read_kinds(struct column_reader *r, struct span *rest, size_t n,
                              struct heading *h)
{
    struct plane plane;
    enum status status = plane_read(&r->words.planes, rest, n, r->kind, &plane);
    if (status != OK)
        return status;
    for (size_t i = 0; i < n; i++) {
        r->kind[i] = plane.bytes ? plane.bytes[i] : plane.same;
        if (r->kind[i] > NUM_TEXT)
            return E_MALFORMED;
        if (r->kind[i] == NUM_INT || r->kind[i] == NUM_FLOAT)
            r->number_kind[h->numbers++] = r->kind[i];
        h->texts += r->kind[i] == NUM_TEXT;
    }
    return OK;
}

static enum status read_places(struct column_reader *r, struct span *rest, size_t n)
{
    struct plane plane;
    enum status status = plane_read(&r->words.planes, rest, n, r->places, &plane);
    if (status != OK)
        return status;
    if (!plane.bytes)
        memset(r->places, plane.same, n);
    else if (plane.bytes != r->places)
        memcpy(r->places, plane.bytes, n);
    for (size_t i = 0; i < n; i++) {
        if (r->places[i] > DECIMAL_PLACES_MAX)
            return E_MALFORMED;
    }
    return OK;
}

static enum status read_odd(struct column_reader *r, struct span *rest, size_t n)
{
    uint64_t odd;
    if (!varint_take(rest, &odd) || odd > n)
        return E_MALFORMED;
    enum status status = words_read(&r->words, rest, (size_t)odd, r->odd_at);
    if (status == OK)
        status = words_read(&r->words, rest, (size_t)odd, r->odd_bits);
    for (size_t i = 0; status == OK && i < odd; i++) {
        if (r->odd_at[i] >= n)
            return E_MALFORMED;
        r->word[r->odd_at[i]] = r->odd_bits[i];
    }
    return status;
}

/* Is the list of odd ones, which comes next, empty? */
static bool has_no_odd(struct span rest)
{
    uint64_t odd;
    return varint_take(&rest, &odd) && odd == 0;
}

/* From words to bits, or (asked for lazily) not yet. `rest` is what follows the words. */
static void convert(struct column_reader *r, struct span rest, const struct heading *h, int places)
{
    bool digits = h->form == FORM_DECIMAL && h->kind == NUM_FLOAT;
    if (digits && r->lazy && has_no_odd(rest))
        r->power = decimal_power(places);
    else if (digits)
        put_doubles(r->word, h->numbers, decimal_power(places));
    else if (h->form == FORM_BITS && h->kind == NUM_FLOAT)
        put_folded(r->word, h->numbers);
    else if (h->form != FORM_DECIMAL || h->kind != NUM_INT || places > 0)
        put_all(r, h, places);
}

static enum status read_numbers(struct column_reader *r, struct span *rest,
                                const struct column_source *source, const struct heading *h)
{
    unsigned places = 0;
    enum status status = OK;
    if (h->form == FORM_SPLIT)
        status = read_places(r, rest, h->numbers);
    else if (h->form == FORM_DECIMAL && !byte_take(rest, &places))
        status = E_MALFORMED;
    if (status == OK)
        status = words_read(&r->words, rest, h->numbers, r->word);
    if (status != OK || places > DECIMAL_PLACES_MAX)
        return status == OK ? E_MALFORMED : status;
    for (size_t i = 0; h->near != NEAR_NOTHING && i < h->numbers; i++)
        r->word[i] += source->beside[i];
    convert(r, *rest, h, (int)places);
    return read_odd(r, rest, h->numbers);
}

/* The first byte, and the kinds where they are mixed. */
static enum status read_heading(struct column_reader *r, struct span *rest, size_t n,
                                struct heading *out)
{
    unsigned first;
    if (!byte_take(rest, &first))
        return E_MALFORMED;
    *out = (struct heading){.kind = first & KIND_MASK,
                            .near = (enum column_near)(first >> NEAR_SHIFT & NEAR_MASK),
                            .form = (enum column_form)(first >> FORM_SHIFT)};
    if (out->kind > KIND_MIXED || out->near > NEAR_TIME || out->form > FORM_BITS)
        return E_MALFORMED;
    if (out->kind == KIND_MIXED)
        return read_kinds(r, rest, n, out);
    if (out->kind == NUM_INT || out->kind == NUM_FLOAT)
        out->numbers = n;
    if (out->kind == NUM_TEXT)
        out->texts = n;
    return OK;
}

/* Fills r->word and, where kinds are mixed, r->kind and r->number_kind. */
static enum status read_column(struct column_reader *r, struct span *rest,
                               const struct column_source *source, struct heading *out)
{
    enum status status = read_heading(r, rest, source->n, out);
    if (status != OK)
        return status;
    if (out->near != NEAR_NOTHING && (!source->beside || out->numbers != source->n))
        return E_MALFORMED;
    return out->numbers > 0 ? read_numbers(r, rest, source, out) : OK;
}

/* ---- out ---- */

/* Lengths into r->odd_at, bytes into *out. */
static enum status read_texts(struct column_reader *r, struct span *rest, size_t n,
                              struct column_text *out)
{
    struct plane plane;
    uint64_t total = 0;
    enum status status = words_read(&r->words, rest, n, r->odd_at);
    for (size_t i = 0; status == OK && i < n; i++) {
        if (r->odd_at[i] > COLUMN_TEXT_MAX - total)
            return E_MALFORMED;
        total += r->odd_at[i];
    }
    if (status != OK || total == 0)
        return status;
    char *bytes = malloc((size_t)total);
    if (!bytes)
        return E_NOMEM;
    status = plane_read(&r->words.planes, rest, (size_t)total, (uint8_t *)bytes, &plane);
    if (status != OK) {
        free(bytes);
        return status;
    }
    if (!plane.bytes)
        memset(bytes, plane.same, (size_t)total);
    else if (plane.bytes != (uint8_t *)bytes)
        memcpy(bytes, plane.bytes, (size_t)total);
    *out = (struct column_text){bytes, (size_t)total};
    for (size_t i = 0; i < total; i++) {
        if (bytes[i] != '-' && (bytes[i] < '0' || bytes[i] > '9'))
            return E_MALFORMED;
    }
    return OK;
}

static void spread(const struct column_reader *r, const struct heading *h, size_t n,
                   const char *text, struct num *out)
{
    size_t number = 0;
    size_t texts = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned kind = h->kind == KIND_MIXED ? r->kind[i] : h->kind;
        out[i] = (struct num){.kind = (enum num_kind)kind};
        if (kind == NUM_TEXT) {
            out[i].len = (uint32_t)r->odd_at[texts++];
            out[i].text = text;
            text += out[i].len;
        } else if (kind != NUM_NONE) {
            out[i].i = (int64_t)r->word[number++];
        }
    }
}

enum status column_nums(struct column_reader *r, const struct column_source *source,
                        struct num *out, struct column_text *out_text)
{
    struct span rest = source->bytes;
    struct heading h;
    struct column_text text = {NULL, 0};
    enum status status = read_column(r, &rest, source, &h);
    if (status == OK && h.texts > 0)
        status = read_texts(r, &rest, h.texts, &text);
    if (status == OK && rest.len > 0)
        status = E_MALFORMED;
    if (status != OK) {
        free(text.bytes);
        return status;
    }
    spread(r, &h, source->n, text.bytes ? text.bytes : "", out);
    *out_text = text;
    return OK;
}

enum status column_bits(struct column_reader *r, const struct column_source *source, uint64_t *out,
                        struct column_bits *out_about)
{
    struct span rest = source->bytes;
    struct heading h;
    unsigned kind = rest.len > 0 ? (unsigned char)rest.ptr[0] & KIND_MASK : KIND_MIXED;
    if (kind != NUM_INT && kind != NUM_FLOAT)
        return E_STATE;
    r->lazy = true;
    r->power = 0;
    r->word = out;
    enum status status = read_column(r, &rest, source, &h);
    r->word = r->own_word;
    r->lazy = false;
    if (status != OK || rest.len > 0)
        return status == OK ? E_MALFORMED : status;
    *out_about = (struct column_bits){(enum num_kind)kind, r->power};
    return OK;
}

/* When all are of one kind; nothing is copied twice. */
static void doubles_of_one_kind(const struct column_reader *r, unsigned kind, size_t n, double *out)
{
    if (kind == NUM_FLOAT)
        memcpy(out, r->word, n * sizeof(*out));
    for (size_t i = 0; kind == NUM_INT && i < n; i++)
        out[i] = (double)(int64_t)r->word[i];
    for (size_t i = 0; kind == NUM_NONE && i < n; i++)
        out[i] = NAN;
}

static void doubles_of_nums(const struct num *nums, size_t n, double *out, bool *has)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = num_double(nums[i]);
        if (has)
            has[i] = nums[i].kind != NUM_NONE;
    }
}

static enum status doubles_the_long_way(struct column_reader *r, const struct column_source *source,
                                        double *out, bool *has)
{
    struct column_text text = {NULL, 0};
    struct num *nums = malloc(source->n * sizeof(*nums));
    if (!nums)
        return E_NOMEM;
    enum status status = column_nums(r, source, nums, &text);
    if (status == OK)
        doubles_of_nums(nums, source->n, out, has);
    free(nums);
    free(text.bytes);
    return status;
}

enum status column_doubles(struct column_reader *r, const struct column_source *source, double *out,
                           bool *has)
{
    struct span rest = source->bytes;
    struct heading h;
    unsigned kind = rest.len > 0 ? (unsigned char)rest.ptr[0] & KIND_MASK : KIND_MIXED;
    if (kind == KIND_MIXED || kind == NUM_TEXT)
        return doubles_the_long_way(r, source, out, has);
    enum status status = read_column(r, &rest, source, &h);
    if (status != OK || rest.len > 0)
        return status == OK ? E_MALFORMED : status;
    doubles_of_one_kind(r, kind, source->n, out);
    if (has)
        memset(has, kind != NUM_NONE, source->n);
    return OK;
}
