/* SPDX-License-Identifier: MIT */
/*
 * options_value: one text, from wherever it came, into its field of the config.
 */
#ifndef STREAMD_OPTIONS_VALUE_H
#define STREAMD_OPTIONS_VALUE_H

#include "streamd/options_table.h"

/* The row's field; for a repeatable option use option_set alone. */
void *option_field(struct config *config, const struct option_row *row);

/*
 * Sets the field, or adds to it when it is repeatable. False when the text is no value of this
 * option, or one too many. Borrows the text. A switch takes "0" and "1".
 */
bool option_set(struct config *config, const struct option_row *row, const char *text);

bool option_repeatable(const struct option_row *row);

/* Is it repeatable, and has it as many values as the config holds? */
bool option_full(struct config *config, const struct option_row *row);

#endif
