/* SPDX-License-Identifier: MIT */
/*
 * status: what a call that can fail answers.
 *
 * One table feeds the enum, the name and the sentence an operator reads. Functions that look
 * something up answer NULL instead; a programmer's error is an assert. A call that answers
 * anything but OK has left its out_* arguments untouched.
 */
#ifndef BASE_STATUS_H
#define BASE_STATUS_H

#define STATUS_TABLE(X)                                                                            \
    X(OK, "ok")                                                                                    \
    X(E_LIMIT, "a configured limit was reached")                                                   \
    X(E_MALFORMED, "the input does not follow its grammar")                                        \
    X(E_STATE, "not possible in the present state")                                                \
    X(E_NOT_FOUND, "no such thing")                                                                \
    X(E_AUTH, "not allowed")                                                                       \
    X(E_IO, "the system call failed")                                                              \
    X(E_NOMEM, "out of memory")

enum status {
#define STATUS_ENUM(name, text) name,
    STATUS_TABLE(STATUS_ENUM)
#undef STATUS_ENUM
};

/* The answer of such a function must be looked at. */
#define MUST_CHECK __attribute__((warn_unused_result))

/* "E_LIMIT"; a static string. */
const char *status_name(enum status status);

/* "a configured limit was reached"; a static string. */
const char *status_text(enum status status);

#endif
