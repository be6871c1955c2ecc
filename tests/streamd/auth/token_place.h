/* SPDX-License-Identifier: MIT */
/*
 * token_place: a token file in a folder of its own.
 */
#ifndef TESTS_STREAMD_AUTH_TOKEN_PLACE_H
#define TESTS_STREAMD_AUTH_TOKEN_PLACE_H

#include "streamd/auth/tokens.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct token_place {
    char folder[64];
    char path[96];
};

static inline void token_place_open(struct token_place *p)
{
    (void)snprintf(p->folder, sizeof(p->folder), "/tmp/streamd-tokens-XXXXXX");
    assert_non_null(mkdtemp(p->folder));
    (void)snprintf(p->path, sizeof(p->path), "%s/tokens", p->folder);
}

static inline void token_place_close(struct token_place *p)
{
    (void)unlink(p->path);
    (void)rmdir(p->folder);
}

static inline void token_place_write(struct token_place *p, const char *text)
{
    FILE *f = fopen(p->path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(p->path, 0600), 0);
}

/* The line for a token. Answers `out`. */
static inline const char *token_line(const char *name, const char *scopes, const char *token,
                                     char out[256])
{
    struct digest d;
    char hex[DIGEST_HEX_LEN + 1];
    token_digest(span_of(token), &d);
    digest_text(&d, hex);
    (void)snprintf(out, 256, "%s %s %s\n", name, scopes, hex);
    return out;
}

#endif
