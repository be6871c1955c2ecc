/* SPDX-License-Identifier: MIT */
/*
 * No regular expressions: a line is looked at a few times, each time for one thing, and what a
 * format means stays in its own file.
 */
#include "proto/logs/words.h"

#include "proto/logs/source_row.h"

#include <math.h>
#include <string.h>

static struct span behind(struct span s, size_t n)
{
    return (struct span){s.ptr + n, s.len - n};
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static struct span skip_blanks(struct span s)
{
    while (s.len > 0 && is_blank(s.ptr[0]))
        s = behind(s, 1);
    return s;
}

bool words_behind(struct span line, const char *text, struct span *out_rest)
{
    size_t n = strlen(text);
    for (size_t i = 0; i + n <= line.len; i++) {
        const char *first = memchr(line.ptr + i, text[0], line.len - n + 1 - i);
        if (!first)
            return false;
        i = (size_t)(first - line.ptr);
        if (memcmp(first, text, n) == 0) {
            *out_rest = behind(line, i + n);
            return true;
        }
    }
    return false;
}

bool words_take(struct span *rest, struct span *out)
{
    struct span s = skip_blanks(*rest);
    size_t n = 0;
    while (n < s.len && !is_blank(s.ptr[n]))
        n++;
    if (n == 0)
        return false;
    *out = (struct span){s.ptr, n};
    *rest = behind(s, n);
    return true;
}

bool words_take_text(struct span *rest, const char *text)
{
    struct span s = skip_blanks(*rest);
    if (!span_starts(s, span_of(text)))
        return false;
    *rest = behind(s, strlen(text));
    return true;
}

bool words_take_count(struct span *rest, uint64_t *out)
{
    struct span s = skip_blanks(*rest);
    size_t n = 0;
    while (n < s.len && is_digit(s.ptr[n]))
        n++;
    if (!span_u64((struct span){s.ptr, n}, out))
        return false;
    *rest = behind(s, n);
    return true;
}

bool words_take_of(struct span *rest, uint64_t *out_part, uint64_t *out_whole)
{
    struct span s = *rest;
    uint64_t part;
    if (!words_take_count(&s, &part) || !words_take_text(&s, "/") ||
        !words_take_count(&s, out_whole))
        return false;
    *out_part = part;
    *rest = s;
    return true;
}

bool words_number(struct span word, struct num *out)
{
    static const char glued[] = ",;%)]}|'\"";
    static const char *const units[] = {"ms", "s", "MB", "MiB", "x", "K", "M"};
    while (word.len > 0 && memchr("'\"([", word.ptr[0], 4))
        word = behind(word, 1);
    while (word.len > 0 && memchr(glued, word.ptr[word.len - 1], sizeof(glued) - 1))
        word.len--;
    if (word.len > 1 && word.ptr[word.len - 1] == '.')
        word.len--; /* the end of a sentence */
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        size_t n = strlen(units[i]);
        if (word.len > n && is_digit(word.ptr[word.len - n - 1]) &&
            memcmp(word.ptr + word.len - n, units[i], n) == 0) {
            word.len -= n;
            break;
        }
    }
    return source_cell(word, out);
}

bool words_is_time_left(struct span key)
{
    return span_is_nocase(key, "eta") || span_is_nocase(key, "elapsed") ||
           span_is_nocase(key, "remaining");
}

bool words_take_pair(struct span *rest, struct span *out_key, struct num *out_value)
{
    struct span key;
    struct span value;
    while (words_take(rest, &key)) {
        if (key.len < 2 || key.ptr[key.len - 1] != ':')
            continue;
        key.len--;
        struct span s = *rest;
        if (words_is_time_left(key) || !words_take(&s, &value) || !words_number(value, out_value))
            continue;
        *rest = s;
        *out_key = key;
        return true;
    }
    return false;
}

/* ---- times ---- */

/* Two or four digits, and the sign behind them, which may be one of several. */
static bool take_digits(struct span *s, size_t n, const char *signs, int64_t *out)
{
    int64_t value = 0;
    if (s->len < n + 1 || !strchr(signs, s->ptr[n]))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!is_digit(s->ptr[i]))
            return false;
        value = value * 10 + (s->ptr[i] - '0');
    }
    *s = behind(*s, n + 1);
    *out = value;
    return true;
}

/* Days since 1970 of a date of the Gregorian calendar; a year begins in March here. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t months = (month + 9) % 12;
    int64_t of_year = (153 * months + 2) / 5 + day - 1;
    return year * 365 + year / 4 - year / 100 + year / 400 + of_year - 719468;
}

double words_moment_s(struct span line)
{
    int64_t year, month, day, hour, minute, second;
    struct span s = skip_blanks(line);
    char padded[3] = {' ', ' ', ' '};
    if (s.len > 0 && s.ptr[0] == '[')
        s = behind(s, 1);
    if (!take_digits(&s, 4, "-/", &year) || !take_digits(&s, 2, "-/", &month) ||
        !take_digits(&s, 2, " T", &day) || !take_digits(&s, 2, ":", &hour) ||
        !take_digits(&s, 2, ":", &minute) || s.len < 2)
        return NAN;
    memcpy(padded, s.ptr, 2);
    struct span last = {padded, sizeof(padded)};
    if (!take_digits(&last, 2, " ", &second) || year < 1970 || month < 1 || month > 12)
        return NAN;
    int64_t days = days_of(year, month, day);
    return (double)(((days * 24 + hour) * 60 + minute) * 60 + second);
}

/* ---- crashes ---- */

/* Is the word at [from, to) of the line, or does it end in, what dying processes print? */
static bool is_death(struct span word)
{
    static const char *const endings[] = {"Error", "Exception", "Traceback", "Killed", "OOM"};
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        size_t n = strlen(endings[i]);
        if (word.len >= n && memcmp(word.ptr + word.len - n, endings[i], n) == 0)
            return i < 2 || word.len == n;
    }
    return false;
}

bool words_crash(struct span line)
{
    struct span rest;
    if (words_behind(line, "WARN", &rest) || words_behind(line, "Warning", &rest))
        return false;
    if (words_behind(line, "out of memory", &rest) || words_behind(line, " ERROR ", &rest))
        return true;
    for (size_t i = 0; i < line.len;) {
        size_t n = 0;
        while (i + n < line.len && is_letter(line.ptr[i + n]))
            n++;
        bool open = i + n < line.len && (is_digit(line.ptr[i + n]) || line.ptr[i + n] == '=');
        if (n > 0 && !open && is_death((struct span){line.ptr + i, n}))
            return true;
        i += n > 0 ? n : 1;
    }
    return false;
}
