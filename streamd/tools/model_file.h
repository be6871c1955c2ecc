/* SPDX-License-Identifier: MIT */
/*
 * model_file: a set of the engine's constants as text, in place of the one that is built in.
 *
 * A field of insight/model.h a line: its name, then its numbers. scripts/insight-fit writes it.
 */
#ifndef STREAMD_TOOLS_MODEL_FILE_H
#define STREAMD_TOOLS_MODEL_FILE_H

#include "insight/model.h"

#include <stdbool.h>

/* False: it cannot be read, or is not one whole set; *why says so, a static string. */
bool model_file_read(const char *path, struct insight_model *out, const char **why);

#endif
