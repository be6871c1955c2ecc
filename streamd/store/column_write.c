/* SPDX-License-Identifier: MIT */
/*
 * Every form is a way to make one word of each number; a number that has none is odd: its place is
 * taken by the word before it, which costs next to nothing, and its bits go to the list. So NaNs
 * in a curve do not spoil its form.
 *
 *   decimal   digits at a common number of places
 *   split     digits of a common length, the places apart: for what is printed to so many
 *             significant digits and moves over decades, like a gradient's norm
 *   float32   the bits of the float that was widened
 *   bits      the bits
 *
 * Bits are mapped so that their order is that of the numbers, else a curve through zero would jump.
 * The later forms are tried only where the earlier ones came out dear: trying costs more than
 * deflating. Whether a column is of decimals at all a sample tells.
 */
#include "streamd/store/column.h"

#include "proto/varint.h"

#include <assert.h>
#include <math.h>

enum {
    KIND_MIXED = 4,
    NEAR_SHIFT = 3,
    FORM_SHIFT = 5,
    SAMPLE = 32,
    ODD_PER = 32,         /* one in so many may be odd for the sake of fewer places */
    SPLIT_FROM_BITS = 14, /* a number; forms are not tried where the best so far has fewer */
    FLOAT32_FROM_BITS = 20,
    BITS_FROM_BITS = 36,
    LENGTH_MAX = 15,
    FLOAT32_INTEGER_MAX = 1 << 24,
};

struct candidate {
    enum column_form form;
    enum column_near near;
    int places; /* decimal: of all; split: the length of all */
    unsigned order;
    double bits;
};

enum status column_writer_init(struct column_writer *w)
{
    return words_writer_init(&w->words);
}

void column_writer_fini(struct column_writer *w)
{
    words_writer_fini(&w->words);
}

static uint64_t bits_of(double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof(bits));
    return bits;
}

/* ---- words ---- */

static bool decimal_word(const struct column_writer *w, size_t i, int places, uint64_t *out)
{
    int64_t digits;
    if (w->num[i].kind == NUM_INT && places > DECIMAL_INTEGER_PLACES_MAX)
        return false;
    if (!decimal_widen(w->decimal[i], places, &digits))
        return false;
    *out = (uint64_t)digits;
    return true;
}

/* Also says how many places: 0 goes along with the number before it. */
static bool split_word(struct column_writer *w, size_t i, int length, uint64_t *out)
{
    struct decimal d = w->decimal[i];
    w->places[i] = i > 0 ? w->places[i - 1] : 0;
    if (d.places < 0)
        return false;
    int most = w->num[i].kind == NUM_INT ? DECIMAL_INTEGER_PLACES_MAX : DECIMAL_PLACES_MAX;
    int places = d.places + length - decimal_length(d.digits);
    if (d.digits == 0)
        places = w->places[i];
    places = places > most ? most : places;
    if (places < d.places || !decimal_word(w, i, places, out))
        return false;
    w->places[i] = (uint8_t)places;
    return true;
}

static bool float32_word(const struct column_writer *w, size_t i, uint64_t *out)
{
    struct num n = w->num[i];
    int32_t bits;
    if (n.kind == NUM_INT && (n.i > FLOAT32_INTEGER_MAX || n.i < -FLOAT32_INTEGER_MAX))
        return false;
    double v = num_double(n);
    if (!(fabs(v) <= (double)3.4028234663852886e38F || isinf(v)))
        return false;
    float narrow = (float)v;
    if (bits_of((double)narrow) != bits_of(v))
        return false;
    memcpy(&bits, &narrow, sizeof(bits));
    *out = (uint64_t)(int64_t)(bits < 0 ? bits ^ INT32_MAX : bits);
    return true;
}

static bool bits_word(const struct column_writer *w, size_t i, uint64_t *out)
{
    struct num n = w->num[i];
    if (n.kind == NUM_INT && (n.i > (int64_t)1 << 53 || n.i < -((int64_t)1 << 53)))
        return false;
    uint64_t bits = bits_of(num_double(n));
    *out = bits >> 63 ? bits ^ INT64_MAX : bits;
    return true;
}

static bool word_of(struct column_writer *w, size_t i, const struct candidate *c, uint64_t *out)
{
    switch (c->form) {
    case FORM_DECIMAL:
        return decimal_word(w, i, c->places, out);
    case FORM_SPLIT:
        return split_word(w, i, c->places, out);
    case FORM_FLOAT32:
        return float32_word(w, i, out);
    default:
        return bits_word(w, i, out);
    }
}

/* Fills word, places and the list of the odd. */
static void build(struct column_writer *w, const struct candidate *c, const uint64_t *beside)
{
    uint64_t before = 0;
    w->odd = 0;
    for (size_t i = 0; i < w->count; i++) {
        uint64_t base = beside ? beside[i] : 0;
        uint64_t word;
        if (word_of(w, i, c, &word)) {
            before = word - base;
        } else {
            w->odd_at[w->odd] = i;
            w->odd_bits[w->odd++] = (uint64_t)w->num[i].i;
        }
        w->word[i] = before;
    }
}

/* ---- choosing ---- */

static const uint64_t *beside_of(const struct column_slots *slots, enum column_near near)
{
    return near == NEAR_AXIS ? slots->axis : near == NEAR_TIME ? slots->time_ms : NULL;
}

static double bits_of_places(struct column_writer *w)
{
    uint32_t count[DECIMAL_PLACES_MAX + 1] = {0};
    double bits = w->words.weight[w->count];
    for (size_t i = 0; i < w->count; i++)
        count[w->places[i]]++;
    for (size_t i = 0; i <= DECIMAL_PLACES_MAX; i++)
        bits -= w->words.weight[count[i]];
    return bits;
}

/* Makes it the best if it is. */
static void try(struct column_writer *w, const struct column_slots *slots, struct candidate c,
                struct candidate *best)
{
    build(w, &c, beside_of(slots, c.near));
    struct words_plan plan = words_plan(&w->words, w->word, w->count);
    c.order = plan.order;
    c.bits = plan.bits + words_plan(&w->words, w->odd_at, w->odd).bits +
             words_plan(&w->words, w->odd_bits, w->odd).bits;
    if (c.form == FORM_SPLIT)
        c.bits += bits_of_places(w);
    if (c.bits < best->bits)
        *best = c;
}

static struct decimal decimal_at(const struct column_writer *w, size_t i, int guess)
{
    struct num n = w->num[i];
    return n.kind == NUM_INT ? (struct decimal){n.i, 0} : decimal_of(n.f, guess);
}

static bool sample_has_decimals(const struct column_writer *w)
{
    size_t step = w->count / SAMPLE + 1;
    size_t seen = 0;
    size_t found = 0;
    for (size_t i = 0; i < w->count; i += step) {
        seen++;
        found += decimal_at(w, i, 0).places >= 0;
    }
    return found * 4 >= seen;
}

/* Counts the decimals by their places. */
static void find_decimals(struct column_writer *w, size_t count[DECIMAL_PLACES_MAX + 1])
{
    bool decimals = sample_has_decimals(w);
    int guess = 0;
    for (size_t i = 0; i < w->count; i++) {
        w->decimal[i] = decimals ? decimal_at(w, i, guess) : (struct decimal){0, -1};
        if (w->decimal[i].places < 0)
            continue;
        guess = w->decimal[i].places;
        count[guess]++;
    }
}

static void try_near(struct column_writer *w, const struct column_slots *slots, int places,
                     struct candidate *best)
{
    bool all = slots->axis && w->count == slots->n;
    if (all && places == 0)
        try(w, slots, (struct candidate){FORM_DECIMAL, NEAR_AXIS, places, 0, 0}, best);
    if (all && places == 3)
        try(w, slots, (struct candidate){FORM_DECIMAL, NEAR_TIME, places, 0, 0}, best);
}

/* With all the places there are, and with as many as nearly all have. */
static void try_decimal(struct column_writer *w, const struct column_slots *slots,
                        const size_t count[DECIMAL_PLACES_MAX + 1], struct candidate *best)
{
    int most = -1;
    int nearly = -1;
    size_t longer = 0;
    for (int places = DECIMAL_PLACES_MAX; places >= 0; places--) {
        if (most < 0 && count[places] > 0)
            most = places;
        longer += count[places];
        if (nearly < 0 && longer * ODD_PER > w->count)
            nearly = places;
    }
    if (most < 0)
        return;
    try(w, slots, (struct candidate){FORM_DECIMAL, NEAR_NOTHING, most, 0, 0}, best);
    if (nearly >= 0 && nearly < most)
        try(w, slots, (struct candidate){FORM_DECIMAL, NEAR_NOTHING, nearly, 0, 0}, best);
    try_near(w, slots, most, best);
}

static void try_split(struct column_writer *w, const struct column_slots *slots,
                      struct candidate *best)
{
    int longest = 0;
    for (size_t i = 0; i < w->count; i++) {
        int length = w->decimal[i].places < 0 ? 0 : decimal_length(w->decimal[i].digits);
        longest = length > longest ? length : longest;
    }
    longest = longest > LENGTH_MAX ? LENGTH_MAX : longest;
    if (longest > 0)
        try(w, slots, (struct candidate){FORM_SPLIT, NEAR_NOTHING, longest, 0, 0}, best);
}

static struct candidate choose(struct column_writer *w, const struct column_slots *slots)
{
    size_t count[DECIMAL_PLACES_MAX + 1] = {0};
    struct candidate best = {.form = FORM_BITS, .bits = HUGE_VAL};
    double n = (double)w->count;
    find_decimals(w, count);
    try_decimal(w, slots, count, &best);
    if (best.bits > SPLIT_FROM_BITS * n)
        try_split(w, slots, &best);
    if (best.bits > FLOAT32_FROM_BITS * n)
        try(w, slots, (struct candidate){.form = FORM_FLOAT32}, &best);
    if (best.bits > BITS_FROM_BITS * n)
        try(w, slots, (struct candidate){.form = FORM_BITS}, &best);
    return best;
}

/* ---- writing ---- */

static void write_numbers(struct column_writer *w, const struct column_slots *slots,
                          const struct candidate *c, struct buf *out)
{
    struct words_writer *words = &w->words;
    build(w, c, beside_of(slots, c->near));
    if (c->form == FORM_DECIMAL)
        buf_add_char(out, (char)c->places);
    if (c->form == FORM_SPLIT)
        plane_write(&words->planes, w->places, w->count, out);
    words_write(words, w->word, w->count, c->order, out);
    varint_put(out, w->odd);
    words_write(words, w->odd_at, w->odd, words_plan(words, w->odd_at, w->odd).order, out);
    words_write(words, w->odd_bits, w->odd, words_plan(words, w->odd_bits, w->odd).order, out);
}

/* The lengths, then all bytes in one. */
static void write_texts(struct column_writer *w, const struct column_slots *slots, struct buf *out)
{
    struct buf all;
    size_t texts = 0;
    buf_init(&all, COLUMN_TEXT_MAX);
    for (size_t i = 0; i < slots->n; i++) {
        if (slots->num[i].kind != NUM_TEXT)
            continue;
        w->word[texts++] = slots->num[i].len;
        buf_add(&all, slots->num[i].text, slots->num[i].len);
    }
    assert(buf_status(&all) != E_LIMIT);
    if (buf_status(&all) != OK)
        out->failed = buf_status(&all);
    unsigned order = words_plan(&w->words, w->word, texts).order;
    words_write(&w->words, w->word, texts, order, out);
    if (all.len > 0 && buf_status(&all) == OK)
        plane_write(&w->words.planes, (const uint8_t *)all.ptr, all.len, out);
    buf_fini(&all);
}

void column_write(struct column_writer *w, const struct column_slots *slots, struct buf *out)
{
    assert(slots->n > 0 && slots->n <= WORDS_MAX);
    unsigned mixed = 0;
    size_t texts = 0;
    w->count = 0;
    for (size_t i = 0; i < slots->n; i++) {
        struct num n = slots->num[i];
        w->kind[i] = (uint8_t)n.kind;
        mixed |= w->kind[i] ^ w->kind[0];
        texts += n.kind == NUM_TEXT;
        if (n.kind == NUM_INT || n.kind == NUM_FLOAT)
            w->num[w->count++] = n;
    }
    struct candidate c = {.form = FORM_BITS};
    if (w->count > 0)
        c = choose(w, slots);
    unsigned kind = mixed ? KIND_MIXED : w->kind[0];
    buf_add_char(out, (char)(kind | (unsigned)c.near << NEAR_SHIFT | c.form << FORM_SHIFT));
    if (mixed)
        plane_write(&w->words.planes, w->kind, slots->n, out);
    if (w->count > 0)
        write_numbers(w, slots, &c, out);
    if (texts > 0)
        write_texts(w, slots, out);
}
