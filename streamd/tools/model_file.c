/* SPDX-License-Identifier: MIT */
#include "streamd/tools/model_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_BYTES = 64 };

static bool read_number(FILE *file, double *out)
{
    char text[NAME_MAX_BYTES];
    char *end = text;
    if (fscanf(file, "%63s", text) != 1)
        return false;
    *out = strtod(text, &end);
    return end != text && *end == '\0';
}

static bool read_field(FILE *file, struct insight_model *out)
{
    char name[NAME_MAX_BYTES];
    const char *known;
    double *numbers;
    size_t count;
    if (fscanf(file, "%63s", name) != 1)
        return false;
    for (size_t n = 0; (known = model_field(out, n, &numbers, &count)); n++) {
        if (strcmp(known, name) == 0)
            break;
    }
    for (size_t i = 0; known && i < count; i++) {
        if (!read_number(file, &numbers[i]))
            return false;
    }
    return known;
}

bool model_file_read(const char *path, struct insight_model *out, const char **why)
{
    double *numbers;
    size_t count;
    FILE *file = fopen(path, "r");
    *why = "it cannot be opened";
    if (!file)
        return false;
    bool good = true;
    for (size_t n = 0; good && model_field(out, n, &numbers, &count); n++)
        good = read_field(file, out);
    (void)fclose(file);
    *why = "it is no set of constants of this version";
    return good && model_sound(out);
}
