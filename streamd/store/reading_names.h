/* SPDX-License-Identifier: MIT */
/*
 * reading_names: what people call the forms and metrics of a history.
 *
 * The words of `format` and `fields`, the same over HTTP and in `streamd export`.
 */
#ifndef STREAMD_STORE_READING_NAMES_H
#define STREAMD_STORE_READING_NAMES_H

#include "streamd/store/reading.h"

/* json, csv or ndjson; NULL: there is no such format. */
struct reading_format {
    const char *name;
    enum reading_form form;
    const char *content_type;
};

const struct reading_format *reading_format_find(struct span name);

/*
 * Adds the metrics named in `a,b`, in any of the spellings that trainers use; empty names and
 * repeats are passed over. Answers NULL, or why they are too many (a static string): then some may
 * have been added.
 */
const char *reading_add_fields(struct reading_request *q, struct span names);

#endif
