/* SPDX-License-Identifier: MIT */
/*
 * options_table: one row per option, read by the parser, by --help and by the docs.
 */
#ifndef STREAMD_OPTIONS_TABLE_H
#define STREAMD_OPTIONS_TABLE_H

#include "streamd/config.h"

enum option_kind {
    OPTION_SWITCH,   /* bool: sets it to row.on */
    OPTION_TEXT,     /* const char *: not empty */
    OPTION_LISTEN,   /* config.listen, repeatable */
    OPTION_ORIGIN,   /* config.allow_origin, repeatable */
    OPTION_COUNT,    /* uint64_t: decimal digits */
    OPTION_RATE,     /* double */
    OPTION_DURATION, /* uint64_t: seconds, or with the suffix s, m, h or d */
    OPTION_LEVEL,    /* enum log_level */
    OPTION_HELP,
    OPTION_VERSION,
};

struct option_row {
    const char *group;    /* heading in --help */
    const char *name;     /* without the dashes; the variable is STREAMD_ and this in capitals */
    const char *value;    /* what a value is called; NULL: takes none */
    const char *fallback; /* the default, as one would write it; NULL: none, or derived */
    const char *derived;  /* words for a default that depends on the environment */
    const char *help;
    size_t at; /* offset of the field in struct config */
    double min;
    double max;
    enum option_kind kind;
    bool on;
};

/* NULL past the end. */
const struct option_row *option_at(size_t index);

/* NULL when there is no such option. */
const struct option_row *option_find(struct span name);

enum { OPTIONS_MAX = 64, OPTION_VARIABLE_MAX = 64, OPTION_RANGE_MAX = 128 };

/* The name of the row's variable; "" for an option that has none. Answers `out`. */
const char *option_variable(const struct option_row *row, char out[OPTION_VARIABLE_MAX]);

/* What values it takes, in words that follow "expected". Answers `out`. */
const char *option_range(const struct option_row *row, char out[OPTION_RANGE_MAX]);

#endif
