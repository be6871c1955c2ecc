/* SPDX-License-Identifier: MIT */
/*
 * duration: a span of time in the words that people get to read. Pure.
 */
#ifndef BASE_DURATION_H
#define BASE_DURATION_H

enum { DURATION_TEXT_MAX = 32 };

/*
 * "59s" below a minute, "59m" below an hour, else "25h 1m"; cut off, not rounded. What is negative
 * counts as 0, what is no number or beyond a hundred thousand years is "unknown". Answers `out`.
 */
const char *duration_text(double seconds, char out[DURATION_TEXT_MAX]);

#endif
