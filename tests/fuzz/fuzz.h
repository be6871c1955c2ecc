/* SPDX-License-Identifier: MIT */
/*
 * fuzz: what every libFuzzer harness here has in common.
 *
 * A harness is one file, fuzz_NAME.c, built by scripts/fuzz with all that the tests are built with;
 * its corpus is corpus/NAME/. It says with CHECK what must hold of any input. The bytes it gets end
 * where their allocation ends, so AddressSanitizer sees every step beyond.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include "base/span.h"
#include "streamd/log.h"

#include <stdio.h>
#include <stdlib.h>

/* A promise of a header that this input breaks. */
#define CHECK(holds)                                                                               \
    do {                                                                                           \
        if (!(holds)) {                                                                            \
            fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #holds);                    \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

/* In place of log_line, by the linker's --wrap: of a million worlds nobody reads the logs. */
void __wrap_log_line(enum log_level level, const char *module, const char *format, ...)
    __attribute__((weak)); /* test_kept_inputs.c has them all in one program */
void __wrap_log_line(enum log_level level, const char *module, const char *format, ...)
{
    (void)level;
    (void)module;
    (void)format;
}

/* Takes one byte off the head of the input; 0 at its end. */
static inline unsigned take_byte(struct span *rest)
{
    if (rest->len == 0)
        return 0;
    unsigned byte = (unsigned char)rest->ptr[0];
    *rest = (struct span){rest->ptr + 1, rest->len - 1};
    return byte;
}

/* Takes at most n bytes off the head. */
static inline struct span take_bytes(struct span *rest, size_t n)
{
    struct span head = {rest->ptr, n < rest->len ? n : rest->len};
    *rest = (struct span){rest->ptr + head.len, rest->len - head.len};
    return head;
}

/* A copy of these bytes, to be freed, so that what ends inside the input ends its allocation too.
 */
static inline struct span copy_of(struct span s)
{
    char *copy = malloc(s.len ? s.len : 1);
    CHECK(copy);
    for (size_t i = 0; i < s.len; i++)
        copy[i] = s.ptr[i];
    return (struct span){copy, s.len};
}

#endif
