/* SPDX-License-Identifier: MIT */
/*
 * line_metrics: the `metrics` object of a line, read into a record. Part of line.c's decoder;
 * nobody else includes this.
 */
#ifndef PROTO_LINE_METRICS_H
#define PROTO_LINE_METRICS_H

#include "proto/json_scan.h"
#include "proto/line.h"

/*
 * Reads the object that `scan` has just begun, to its end. *r becomes what the trainer sent; its
 * extras borrow from d and from the text. What d held of an earlier object of the line is dropped.
 */
MUST_CHECK enum status line_read_metrics(struct line_decoder *d, struct json_scan *scan,
                                         struct record *r, struct line_error *error);

/*
 * Turns the raw bytes of a scanned string into what they mean: nothing to do without escapes, else
 * an unescaped copy in d->text, which stays where it is until the decoder's next line. E_LIMIT,
 * E_NOMEM: there is no room for it.
 */
MUST_CHECK enum status line_text(struct line_decoder *d, struct json_value *v);

/* Makes room for n bytes in d->text without moving what is there. */
MUST_CHECK enum status line_text_room(struct line_decoder *d, size_t n);

/* Fills *error and answers `status`. */
enum status line_refuse(struct line_error *error, enum status status, const char *code,
                        const char *why, size_t at);

/* The same for what the scanner refused. */
enum status line_refuse_json(struct line_error *error, const struct json_scan *scan);

/* The same for a failed line_text or line_text_room. */
enum status line_refuse_room(struct line_error *error, enum status status, size_t at);

#endif
