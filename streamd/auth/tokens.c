/* SPDX-License-Identifier: MIT */
/*
 * A reading gathers rows on a list of its own and only then takes the place of the old one. Rows
 * are never freed before the end, since whoever is connected borrows their callers; how many there
 * can be is bounded by what an operator writes into the file.
 */
#include "streamd/auth/tokens.h"

#include "base/buf.h"
#include "streamd/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct token_row {
    struct list link;
    struct caller caller;
    struct digest digest;
};

static struct token_row *row_of(struct list *link)
{
    return LIST_ENTRY(link, struct token_row, link);
}

void tokens_init(struct tokens *t)
{
    *t = (struct tokens){.count = 0};
    list_init(&t->all);
}

static void forget(struct list *rows)
{
    struct list *first;
    while ((first = list_first(rows)) != NULL) {
        list_remove(first);
        free(row_of(first));
    }
}

void tokens_fini(struct tokens *t)
{
    forget(&t->all);
}

static struct token_row *find_digest(const struct list *rows, const struct digest *digest)
{
    struct token_row *found = NULL;
    LIST_EACH (at, rows) {
        if (digest_equal(&row_of(at)->digest, digest))
            found = row_of(at);
    }
    return found;
}

static bool has_name(const struct list *rows, const char *name)
{
    LIST_EACH (at, rows) {
        if (strcmp(row_of(at)->caller.name, name) == 0)
            return true;
    }
    return false;
}

bool token_name_valid(struct span name)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    for (size_t i = 0; i < name.len; i++) {
        if (!memchr(allowed, name.ptr[i], sizeof(allowed) - 1))
            return false;
    }
    return name.len > 0 && name.len <= CALLER_NAME_MAX;
}

static bool read_name(struct span text, char out[CALLER_NAME_MAX + 1])
{
    if (!token_name_valid(text))
        return false;
    memcpy(out, text.ptr, text.len);
    out[text.len] = '\0';
    return true;
}

/* The next word of the line; empty at its end. */
static struct span take_word(struct span *line)
{
    *line = span_trim(*line);
    size_t n = 0;
    while (n < line->len && line->ptr[n] != ' ' && line->ptr[n] != '\t')
        n++;
    struct span word = {line->ptr, n};
    *line = (struct span){line->ptr + n, line->len - n};
    return word;
}

/* NULL, or what is wrong with the line (static). An empty one adds nothing. */
static const char *take_line(struct span line, struct list *rows, size_t *count)
{
    struct token_row row = {.caller = {.by_token = true}};
    line = span_cut(&line, '#');
    struct span name = take_word(&line);
    if (name.len == 0)
        return NULL;
    if (*count == TOKENS_MAX)
        return "one token too many: at most 4096";
    if (!read_name(name, row.caller.name))
        return "the name must be 1 to 64 of A-Z a-z 0-9 . _ -";
    if (has_name(rows, row.caller.name))
        return "a token of this name stands above";
    if (!scopes_parse(take_word(&line), &row.caller.scopes))
        return "the scopes must be read, write and control, with commas between them";
    if (!digest_parse(take_word(&line), &row.digest))
        return "the third word must be a SHA-256, 64 hexadecimal digits";
    if (take_word(&line).len > 0)
        return "nothing may follow the SHA-256";
    if (find_digest(rows, &row.digest))
        return "the same token stands above";
    struct token_row *kept = malloc(sizeof(*kept));
    if (!kept)
        return status_text(E_NOMEM);
    *kept = row;
    list_add_tail(rows, &kept->link);
    ++*count;
    return NULL;
}

static bool refuse(const char *path, const char *reason, char why[TOKENS_WHY_MAX])
{
    struct log_text quoted;
    (void)snprintf(why, TOKENS_WHY_MAX, "%s: %s", log_quoted(&quoted, span_of(path)), reason);
    return false;
}

/* NULL, or why this file must not say who may come in. */
static const char *check_file(int fd)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return strerror(errno);
    if (!S_ISREG(st.st_mode))
        return "not a file";
    if (st.st_uid != geteuid() && st.st_uid != 0)
        return "it belongs to another user";
    if (st.st_mode & (S_IWGRP | S_IRWXO))
        return "its group may write it, or others may open it: chmod 600 (or 640)";
    return st.st_size > TOKEN_FILE_MAX ? "larger than 1 MiB" : NULL;
}

/* NULL, or why it could not be read. */
static const char *read_file(const char *path, struct buf *out)
{
    char piece[4096];
    ssize_t n = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return strerror(errno);
    const char *why = check_file(fd);
    while (!why && (n = read(fd, piece, sizeof(piece))) > 0)
        buf_add(out, piece, (size_t)n);
    if (!why && n < 0)
        why = strerror(errno);
    (void)close(fd);
    if (!why && buf_status(out) != OK)
        why = status_text(buf_status(out));
    return why;
}

static bool take_lines(const char *path, struct span text, struct list *rows, size_t *count,
                       char why[TOKENS_WHY_MAX])
{
    for (unsigned number = 1; text.ptr; number++) {
        const char *wrong = take_line(span_cut(&text, '\n'), rows, count);
        if (wrong) {
            char reason[128];
            (void)snprintf(reason, sizeof(reason), "line %u: %s", number, wrong);
            return refuse(path, reason, why);
        }
    }
    return true;
}

/* The rows of now; whoever holds a caller of before keeps it. */
static void replace(struct tokens *t, struct list *rows)
{
    LIST_EACH (at, &t->all) {
        row_of(at)->caller.scopes = 0;
    }
    LIST_EACH_SAFE (at, rows) {
        struct token_row *row = row_of(at);
        struct token_row *known = find_digest(&t->all, &row->digest);
        if (known)
            known->caller = row->caller;
        else {
            list_remove(at);
            list_add_tail(&t->all, at);
        }
    }
    forget(rows);
}

bool tokens_read(struct tokens *t, const char *path, char why[TOKENS_WHY_MAX])
{
    struct list rows;
    struct buf text;
    size_t count = 0;
    list_init(&rows);
    buf_init(&text, TOKEN_FILE_MAX);
    const char *wrong = read_file(path, &text);
    bool good =
        wrong ? refuse(path, wrong, why) : take_lines(path, buf_span(&text), &rows, &count, why);
    if (good) {
        replace(t, &rows);
        t->count = count;
    }
    forget(&rows);
    buf_fini(&text);
    return good;
}

const struct caller *tokens_find(const struct tokens *t, struct span token)
{
    struct digest digest;
    if (token.len == 0 || token.len > TOKEN_SHOWN_MAX)
        return NULL;
    token_digest(token, &digest);
    const struct token_row *row = find_digest(&t->all, &digest);
    return row && row->caller.scopes ? &row->caller : NULL;
}

bool tokens_has_name(const struct tokens *t, const char *name)
{
    LIST_EACH (at, &t->all) {
        const struct caller *c = &row_of(at)->caller;
        if (c->scopes && strcmp(c->name, name) == 0)
            return true;
    }
    return false;
}
