/* SPDX-License-Identifier: MIT */
/*
 * options: argv and STREAMD_* variables → config, from one table.
 *
 * A flag wins over its variable, the variable over the default. Flags are `--name VALUE` or
 * `--name=VALUE`; switches take no value (their variables take 0 or 1). The table also writes
 * --help and the option table of the docs, so neither can drift.
 */
#ifndef STREAMD_OPTIONS_H
#define STREAMD_OPTIONS_H

#include "streamd/config.h"

#include <stdio.h>

enum options_result {
    OPTIONS_RUN,  /* the config is complete */
    OPTIONS_DONE, /* --help or --version was printed to `out`: exit 0 */
    OPTIONS_BAD,  /* one line naming option, value and range was printed to `err`: exit 2 */
};

/* `env` looks a variable up (getenv, or a test's own). */
typedef const char *options_env_fn(const char *name);

enum options_result options_parse(int argc, char **argv, options_env_fn *env, FILE *out, FILE *err,
                                  struct config *config);

/* The defaults alone, for tests. */
void options_defaults(struct config *config);

/* The options as a Markdown table, for docs-check. */
void options_write_markdown(FILE *out);

extern const char STREAMD_VERSION[];

#endif
