/* SPDX-License-Identifier: MIT */
/*
 * words: what stands in a line of a log, as people and print statements write it. Pure.
 *
 * Everything takes from the head of a span, or answers false and takes nothing.
 */
#ifndef PROTO_LOGS_WORDS_H
#define PROTO_LOGS_WORDS_H

#include "base/span.h"
#include "proto/number.h"

/* Behind the first place where `text` stands; *out_rest may be the line itself. */
bool words_behind(struct span line, const char *text, struct span *out_rest);

/* The next word, between blanks. */
bool words_take(struct span *rest, struct span *out);

/* This very text, behind any blanks. */
bool words_take_text(struct span *rest, const char *text);

/* A whole number without a sign, behind any blanks. */
bool words_take_count(struct span *rest, uint64_t *out);

/* "12/100", as in "[12/100]" or "| 12/100"; blanks may stand around the numbers. */
bool words_take_of(struct span *rest, uint64_t *out_part, uint64_t *out_whole);

/* A number, with nan and inf, and what may be glued behind it in a log: , ; % ) ] } | or a unit. */
bool words_number(struct span word, struct num *out);

/* eta, elapsed, remaining: times, whatever their values look like. */
bool words_is_time_left(struct span key);

/*
 * The next `key: value` whose value is a number; all else is passed over, times left
 * too. False: there is none left.
 */
bool words_take_pair(struct span *rest, struct span *out_key, struct num *out_value);

/*
 * When a line says so at its head, "2026/02/03 10:44:17" (with - or / or T, fractions passed over):
 * seconds since 1970, as if the clock were UTC. Else NaN.
 */
double words_moment_s(struct span line);

/* Does the line say that the training died? Error, Exception, Traceback, Killed, OOM, out of
 * memory; warnings do not. */
bool words_crash(struct span line);

#endif
