/* SPDX-License-Identifier: MIT */
/*
 * text: anybody's print statements, as long as they write `key=value` or `key: value`.
 *
 *     Epoch 3/10, step 120: train_loss=0.531 val loss: 0.612 lr: 1e-4
 *
 * A line is a record when it says where it is (step, iter, epoch, with or without the whole) and
 * something else, or has a value with `loss` in its name. So the settings that a script prints
 * first are none. An epoch may stand on a line above (Keras), and what a progress bar has drawn
 * over (behind '\r') does not count.
 */
#include "proto/logs/source.h"
#include "proto/logs/words.h"

#include <string.h>

enum { NAME_MAX_BYTES = 128, VALUES_MAX = 64 };

/* What a line has said so far. */
struct reading {
    struct source_row *row; /* NULL: only looked at */
    struct source_place *place;
    bool placed;
    bool has_epoch;
    bool has_loss;
    size_t values;
};

static bool is_one_of(struct span word, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (span_is_nocase(word, names[i]))
            return true;
    }
    return false;
}

static bool is_step(struct span word)
{
    static const char *const names[] = {"step", "steps", "iter", "iteration", "global_step"};
    return is_one_of(word, names, 5);
}

static bool is_epoch(struct span word)
{
    return span_is_nocase(word, "epoch");
}

/* A word that says whose the next value is: "val loss: 0.3". */
static bool is_split(struct span word)
{
    static const char *const names[] = {"train",      "training", "val", "valid",
                                        "validation", "eval",     "test"};
    return is_one_of(word, names, 7);
}

static struct span bare(struct span word)
{
    while (word.len > 0 && memchr("[(|,;-", word.ptr[0], 6))
        word = (struct span){word.ptr + 1, word.len - 1};
    while (word.len > 0 && memchr("])|,;:=", word.ptr[word.len - 1], 7))
        word.len--;
    return word;
}

/* Behind `epoch` or `step`: "3", "3/10", "[3/10]", ": 3", "=3". */
static bool take_place(struct reading *r, struct span *rest, bool epoch)
{
    uint64_t at;
    uint64_t of = 0;
    struct span s = *rest;
    while (words_take_text(&s, ":") || words_take_text(&s, "=") || words_take_text(&s, "[") ||
           words_take_text(&s, "#"))
        ;
    if (!words_take_of(&s, &at, &of) && !words_take_count(&s, &at))
        return false;
    if (at > INT64_MAX || of > INT64_MAX)
        return false;
    *rest = s;
    r->placed = true;
    r->has_epoch = r->has_epoch || epoch;
    if (epoch)
        r->place->epoch = at;
    if (of > 0 && epoch)
        r->place->epochs = of;
    else if (of > 0)
        r->place->steps = of;
    if (r->row && epoch)
        source_row_add(r->row, SPAN("epoch"), num_int((int64_t)at));
    else if (r->row)
        source_row_set_step(r->row, (int64_t)at);
    return true;
}

static void add_value(struct reading *r, struct span split, struct span key, struct num value)
{
    char name[NAME_MAX_BYTES];
    size_t len = 0;
    if (key.len == 0 || words_is_time_left(key) || split.len + 1 + key.len > sizeof(name) ||
        r->values == VALUES_MAX)
        return;
    if (split.len > 0) {
        memcpy(name, split.ptr, split.len);
        len = split.len;
        name[len++] = '_';
    }
    memcpy(name + len, key.ptr, key.len);
    struct span whole = {name, len + key.len};
    r->has_loss = r->has_loss || span_has_nocase(whole, SPAN("loss"));
    r->values++;
    if (r->row)
        source_row_add(r->row, whole, value);
}

/* "key=value" in one word. */
static bool take_equal(struct reading *r, struct span word, struct span split)
{
    struct num value;
    struct span rest = word;
    struct span key = bare(span_cut(&rest, '='));
    if (!rest.ptr || key.len == 0 || !words_number(rest, &value))
        return false;
    add_value(r, split, key, value);
    return true;
}

static bool key_char(char c)
{
    return c != ':' && c != '=' && c != ' ' && c != '\t';
}

/* `word` is `epoch`, `epoch:3`, ... : what follows its name is put back in front of the rest. */
static bool take_named_place(struct reading *r, struct span word, struct span *rest)
{
    size_t n = 0;
    struct span head = word;
    while (head.len > 0 && memchr("[(|,;-", head.ptr[0], 6))
        head = (struct span){head.ptr + 1, head.len - 1};
    while (n < head.len && key_char(head.ptr[n]))
        n++;
    struct span name = {head.ptr, n};
    if (!is_step(name) && !is_epoch(name))
        return false;
    struct span behind = {head.ptr + n, (size_t)(rest->ptr + rest->len - (head.ptr + n))};
    if (!take_place(r, &behind, is_epoch(name)))
        return false;
    *rest = behind;
    return true;
}

/* What is left to see of a line that was drawn over. */
static struct span visible(struct span line)
{
    const char *drawn = line.len > 0 ? memrchr(line.ptr, '\r', line.len) : NULL;
    size_t over = drawn ? (size_t)(drawn - line.ptr) + 1 : 0;
    return (struct span){line.ptr + over, line.len - over};
}

static void read_line(struct reading *r, struct span line)
{
    struct span rest = visible(line);
    struct span word;
    struct span split = {NULL, 0};
    while (words_take(&rest, &word)) {
        struct span key = bare(word);
        struct span value_word;
        struct span ahead = rest;
        struct num value;
        if (take_named_place(r, word, &rest) || take_equal(r, word, split)) {
            split = (struct span){NULL, 0};
        } else if (word.len > 1 && memchr(":=", word.ptr[word.len - 1], 2) &&
                   words_take(&ahead, &value_word) && words_number(value_word, &value)) {
            add_value(r, split, key, value);
            rest = ahead;
            split = (struct span){NULL, 0};
        } else {
            split = is_split(key) ? key : (struct span){NULL, 0};
        }
    }
}

static bool is_record(const struct reading *r)
{
    return r->values > 0 && (r->placed || r->has_loss);
}

static bool is_text(struct span line)
{
    struct source_place place = {0};
    struct reading r = {.place = &place};
    if (line.len > 0 && line.ptr[0] == '{')
        return false; /* JSON */
    read_line(&r, line);
    return is_record(&r);
}

static bool text_fits(struct span file)
{
    return source_lines_have(file, is_text);
}

static bool text_line(struct source *s, struct span line, struct source_row *row)
{
    struct reading r = {.row = row, .place = &s->place};
    read_line(&r, line);
    if (!is_record(&r) || row->numbers == 0)
        return false;
    if (!r.has_epoch && s->place.epoch > 0)
        source_row_add(row, SPAN("epoch"), num_int((int64_t)s->place.epoch));
    if (s->place.steps > 0)
        source_row_add(row, SPAN("total_steps"), num_int((int64_t)s->place.steps));
    return true;
}

const struct source_ops source_text = {
    .name = "text",
    .what = "lines with key=value or key: value",
    .fits = text_fits,
    .open = source_lines_open,
    .next = source_lines_next,
    .line = text_line,
};
