/* SPDX-License-Identifier: MIT */
#include "streamd/tools/condition.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool is_word(const char *name)
{
    return strcmp(name, "phase") == 0 || strcmp(name, "status") == 0;
}

/* Reads the sign, and goes behind it. */
static bool take_comparison(const char **at, enum comparison *out)
{
    char sign = **at;
    bool or_equal = sign != '\0' && (*at)[1] == '=';
    if (sign == '<')
        *out = or_equal ? AT_MOST : BELOW;
    else if (sign == '>')
        *out = or_equal ? AT_LEAST : ABOVE;
    else if (sign == '=')
        *out = EQUALS;
    else
        return false;
    *at += or_equal ? 2 : 1;
    return true;
}

bool condition_parse(const char *text, struct condition *out, const char **out_why)
{
    struct condition c = {.comparison = EQUALS};
    size_t len = strcspn(text, "<>=");
    const char *at = text + len;
    char *end;
    *out_why = "expected NAME=WORD or NAME<NUMBER: phase=PLATEAU, status=completed, val_loss<0.3";
    if (len == 0 || len > CONDITION_NAME_MAX || !take_comparison(&at, &c.comparison) || !*at)
        return false;
    memcpy(c.name, text, len);
    if (is_word(c.name)) {
        *out_why = "a phase or a status is one (=), not more or less";
        c.word = span_of(at);
        if (c.comparison != EQUALS)
            return false;
    } else {
        *out_why = "a metric is compared with a number: val_loss<0.3";
        c.number = strtod(at, &end);
        if (*end != '\0' || isnan(c.number))
            return false;
    }
    *out = c;
    return true;
}

bool condition_is_about(const struct condition *c, const char *what)
{
    return strcmp(c->name, what) == 0;
}

bool condition_is_about_a_metric(const struct condition *c)
{
    return !is_word(c->name);
}

bool condition_holds_of_word(const struct condition *c, struct span word)
{
    return word.len == c->word.len && span_has_nocase(word, c->word);
}

bool condition_holds_of_number(const struct condition *c, double number)
{
    switch (c->comparison) {
    case BELOW:
        return number < c->number;
    case AT_MOST:
        return number <= c->number;
    case AT_LEAST:
        return number >= c->number;
    case ABOVE:
        return number > c->number;
    default:
        return number == c->number;
    }
}
