/* SPDX-License-Identifier: MIT */
/*
 * Numbers of the fields and of the types are those of event.proto, summary.proto, tensor.proto and
 * types.proto of TensorFlow. A tensor of one number holds it as its raw bytes or in the list of its
 * type, packed or not.
 */
#include "proto/logs/tfevent.h"

#include "proto/varint.h"

#include <math.h>
#include <string.h>

enum { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5, WIRE_BITS = 3 };
enum { EVENT_WALL_TIME = 1, EVENT_STEP = 2, EVENT_SUMMARY = 5 };
enum { SUMMARY_VALUE = 1 };
enum { VALUE_TAG = 1, VALUE_SIMPLE = 2, VALUE_TENSOR = 8 };
enum {
    TENSOR_DTYPE = 1,
    TENSOR_CONTENT = 4,
    TENSOR_FLOAT = 5,
    TENSOR_DOUBLE = 6,
    TENSOR_INT = 7,
    TENSOR_INT64 = 10,
    TENSOR_HALF = 13,
};
enum { DT_FLOAT = 1, DT_DOUBLE = 2, DT_INT32 = 3, DT_INT64 = 9, DT_BFLOAT16 = 14, DT_HALF = 19 };

struct field {
    uint64_t number;
    unsigned wire;
    uint64_t word;     /* WIRE_VARINT, WIRE_FIXED64, WIRE_FIXED32 */
    struct span bytes; /* WIRE_BYTES */
};

/* Takes a field off the head. E_NOT_FOUND: the end. */
static enum status take_field(struct span *rest, struct field *out)
{
    uint64_t key;
    uint64_t len;
    bool good;
    if (rest->len == 0)
        return E_NOT_FOUND;
    if (!varint_take(rest, &key) || key >> WIRE_BITS == 0)
        return E_MALFORMED;
    *out = (struct field){.number = key >> WIRE_BITS, .wire = (unsigned)key & 7};
    switch (out->wire) {
    case WIRE_VARINT:
        good = varint_take(rest, &out->word);
        break;
    case WIRE_FIXED64:
        good = word_take(rest, 8, &out->word);
        break;
    case WIRE_FIXED32:
        good = word_take(rest, 4, &out->word);
        break;
    case WIRE_BYTES:
        good = varint_take(rest, &len) && bytes_take(rest, len, &out->bytes);
        break;
    default:
        good = false;
    }
    return good ? OK : E_MALFORMED;
}

static bool is(const struct field *f, uint64_t number, unsigned wire)
{
    return f->number == number && f->wire == wire;
}

static double double_of(uint64_t word)
{
    double value;
    memcpy(&value, &word, sizeof(value));
    return value;
}

static double float_of(uint64_t word)
{
    uint32_t bits = (uint32_t)word;
    float value;
    memcpy(&value, &bits, sizeof(value));
    return (double)value;
}

/* IEEE 754 binary16. */
static double half_of(uint64_t word)
{
    int exponent = (int)(word >> 10 & 31);
    double fraction = (double)(word & 1023) / 1024;
    double value = exponent == 0    ? ldexp(fraction, -14)
                   : exponent == 31 ? (fraction > 0 ? NAN : INFINITY)
                                    : ldexp(1 + fraction, exponent - 15);
    return word >> 15 & 1 ? -value : value;
}

enum status tfevent_read(struct span bytes, struct tfevent *out)
{
    struct tfevent event = {.wall_s = NAN};
    struct field f;
    enum status status;
    while ((status = take_field(&bytes, &f)) == OK) {
        if (is(&f, EVENT_WALL_TIME, WIRE_FIXED64))
            event.wall_s = double_of(f.word);
        else if (is(&f, EVENT_STEP, WIRE_VARINT))
            event.step = (int64_t)f.word;
        else if (is(&f, EVENT_SUMMARY, WIRE_BYTES))
            event.summary = f.bytes;
    }
    if (status != E_NOT_FOUND)
        return status;
    *out = event;
    return OK;
}

/* How a type of tensor holds its numbers. */
struct form {
    uint64_t dtype;
    uint64_t list;    /* the field with the list */
    unsigned wire;    /* of one of its numbers */
    unsigned content; /* bytes of one in tensor_content */
};

static const struct form forms[] = {
    {DT_FLOAT, TENSOR_FLOAT, WIRE_FIXED32, 4},  {DT_DOUBLE, TENSOR_DOUBLE, WIRE_FIXED64, 8},
    {DT_INT32, TENSOR_INT, WIRE_VARINT, 4},     {DT_INT64, TENSOR_INT64, WIRE_VARINT, 8},
    {DT_BFLOAT16, TENSOR_HALF, WIRE_VARINT, 2}, {DT_HALF, TENSOR_HALF, WIRE_VARINT, 2},
};

static struct num number_of(uint64_t dtype, uint64_t word)
{
    switch (dtype) {
    case DT_FLOAT:
        return num_float(float_of(word));
    case DT_DOUBLE:
        return num_float(double_of(word));
    case DT_INT32:
        return num_int((int32_t)(uint32_t)word);
    case DT_INT64:
        return num_int((int64_t)word);
    case DT_BFLOAT16:
        return num_float(float_of(word << 16));
    default:
        return num_float(half_of(word));
    }
}

/* What has been found of a tensor. */
struct tensor {
    const struct form *form; /* NULL: of another type */
    struct span content;
};

static const struct form *form_of(uint64_t dtype)
{
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        if (forms[i].dtype == dtype)
            return &forms[i];
    }
    return NULL;
}

/* The type may come after the numbers, so it is found first. */
static enum status find_form(struct span bytes, struct tensor *out)
{
    struct field f;
    enum status status;
    while ((status = take_field(&bytes, &f)) == OK) {
        if (is(&f, TENSOR_DTYPE, WIRE_VARINT))
            out->form = form_of(f.word);
        else if (is(&f, TENSOR_CONTENT, WIRE_BYTES))
            out->content = f.bytes;
    }
    return status == E_NOT_FOUND ? OK : status;
}

static bool take_word(struct span *rest, unsigned wire, uint64_t *out)
{
    if (wire == WIRE_VARINT)
        return varint_take(rest, out);
    return word_take(rest, wire == WIRE_FIXED64 ? 8 : 4, out);
}

/* The one number in the list; num_none when there are more, or none. */
static enum status find_in_list(struct span bytes, const struct form *form, struct num *out)
{
    struct field f;
    size_t count = 0;
    uint64_t word = 0;
    enum status status;
    while ((status = take_field(&bytes, &f)) == OK) {
        if (is(&f, form->list, form->wire)) {
            word = f.word;
            count++;
        }
        while (is(&f, form->list, WIRE_BYTES) && f.bytes.len > 0) {
            if (!take_word(&f.bytes, form->wire, &word))
                return E_MALFORMED;
            count++;
        }
    }
    if (status != E_NOT_FOUND)
        return status;
    *out = count == 1 ? number_of(form->dtype, word) : num_none();
    return OK;
}

static enum status read_tensor(struct span bytes, struct num *out)
{
    struct tensor t = {0};
    uint64_t word = 0;
    enum status status = find_form(bytes, &t);
    if (status != OK || !t.form)
        return status;
    if (t.content.len == 0)
        return find_in_list(bytes, t.form, out);
    if (t.content.len == t.form->content) {
        (void)word_take(&t.content, t.form->content, &word);
        *out = number_of(t.form->dtype, word);
    }
    return OK;
}

static enum status read_value(struct span bytes, struct span *out_tag, struct num *out)
{
    struct field f;
    enum status status;
    *out_tag = (struct span){NULL, 0};
    *out = num_none();
    while ((status = take_field(&bytes, &f)) == OK) {
        if (is(&f, VALUE_TAG, WIRE_BYTES))
            *out_tag = f.bytes;
        else if (is(&f, VALUE_SIMPLE, WIRE_FIXED32))
            *out = num_float(float_of(f.word));
        else if (is(&f, VALUE_TENSOR, WIRE_BYTES) && read_tensor(f.bytes, out) != OK)
            return E_MALFORMED;
    }
    return status == E_NOT_FOUND ? OK : status;
}

enum status tfevent_next(struct span *summary, struct span *out_tag, struct num *out_value)
{
    struct field f;
    enum status status;
    while ((status = take_field(summary, &f)) == OK) {
        if (!is(&f, SUMMARY_VALUE, WIRE_BYTES))
            continue;
        status = read_value(f.bytes, out_tag, out_value);
        if (status != OK)
            return status;
        if (out_value->kind != NUM_NONE && out_tag->len > 0)
            return OK;
    }
    return status;
}
