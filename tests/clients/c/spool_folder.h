/* SPDX-License-Identifier: MIT */
/*
 * spool_folder: a spool folder of the test's own, and what is in its files.
 */
#ifndef TESTS_CLIENTS_C_SPOOL_FOLDER_H
#define TESTS_CLIENTS_C_SPOOL_FOLDER_H

#include "tests/clients/c/fake_daemon.h"

#include "clients/c/spool_format.h"

#include <fcntl.h>
#include <sys/stat.h>

enum { SPOOLED_BYTES_MAX = 8 * 1024 * 1024 };

/* The text of the one file there is; the caller frees it. */
static inline char *spooled_text(const struct fake_daemon *d)
{
    char path[512];
    assert_int_equal(fake_spooled(d, path, sizeof(path)), 1);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    char *text = calloc(1, SPOOLED_BYTES_MAX);
    assert_non_null(text);
    assert_true(read(fd, text, SPOOLED_BYTES_MAX - 1) >= 0);
    assert_int_equal(close(fd), 0);
    return text;
}

/* Expects the file to hold the seqs first to last, in order, behind its start; answers the last
 * line's type. Gaps are allowed when `gaps` is. */
static inline enum line_type expect_spooled(struct fake_daemon *d, uint64_t first, uint64_t last,
                                            bool gaps)
{
    char *text = spooled_text(d);
    struct span rest = span_of(text);
    struct line_error error;
    uint64_t seq = first - 1;
    assert_int_equal(line_decode(&d->decoder, span_cut(&rest, '\n'), &d->line, &error), OK);
    assert_int_equal(d->line.type, LINE_START);
    assert_true(d->line.resume);
    while (rest.ptr && rest.len > 0) {
        struct span line = span_cut(&rest, '\n');
        if (line_decode(&d->decoder, line, &d->line, &error) != OK)
            fail_msg("%s: %.*s", error.why, (int)line.len, line.ptr);
        if (gaps)
            assert_true(d->line.seq > seq);
        else
            assert_int_equal(d->line.seq, seq + 1);
        seq = d->line.seq;
    }
    assert_int_equal(seq, last);
    free(text);
    return d->line.type;
}

/* Does another open of the file find it locked? */
static inline bool is_locked(const struct fake_daemon *d)
{
    char path[512];
    assert_int_equal(fake_spooled(d, path, sizeof(path)), 1);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    bool locked = !spool_lock(fd);
    assert_int_equal(close(fd), 0);
    return locked;
}

#endif
