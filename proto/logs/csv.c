/* SPDX-License-Identifier: MIT */
#include "proto/logs/csv.h"

#include <string.h>

/* Takes the end of a cell: a separator, the end of the row, or of the file. */
static bool take_end(struct span *rest, char separator, bool *out_last)
{
    size_t n = rest->len > 1 && rest->ptr[0] == '\r' && rest->ptr[1] == '\n' ? 2 : 1;
    *out_last = rest->len == 0 || rest->ptr[0] != separator;
    if (rest->len == 0)
        return true;
    if (*out_last && rest->ptr[n - 1] != '\n')
        return false;
    n = *out_last ? n : 1;
    *rest = (struct span){rest->ptr + n, rest->len - n};
    return true;
}

static enum status take_quoted(struct span *rest, char separator, struct csv_cell *out,
                               const char **why)
{
    const char *begin = rest->ptr + 1;
    const char *end = rest->ptr + rest->len;
    struct csv_cell cell = {.quoted = true};
    const char *at = begin;
    while ((at = memchr(at, '"', (size_t)(end - at))) != NULL && end - at > 1 && at[1] == '"') {
        cell.escaped = true;
        at += 2;
    }
    if (!at) {
        *why = "a quote is not closed";
        return E_MALFORMED;
    }
    cell.raw = (struct span){begin, (size_t)(at - begin)};
    struct span after = {at + 1, (size_t)(end - at - 1)};
    if (!take_end(&after, separator, &cell.last)) {
        *why = "text behind a closing quote";
        return E_MALFORMED;
    }
    *rest = after;
    *out = cell;
    return OK;
}

enum status csv_next(struct span *rest, char separator, struct csv_cell *out, const char **why)
{
    size_t n = 0;
    if (rest->len > 0 && rest->ptr[0] == '"')
        return take_quoted(rest, separator, out, why);
    while (n < rest->len && rest->ptr[n] != separator && rest->ptr[n] != '\n')
        n++;
    struct span raw = {rest->ptr, n};
    struct span after = {rest->ptr + n, rest->len - n};
    bool last;
    if (!take_end(&after, separator, &last)) {
        *why = "a row does not end";
        return E_MALFORMED;
    }
    if (last && n > 0 && raw.ptr[n - 1] == '\r')
        raw.len--;
    *out = (struct csv_cell){.raw = raw, .last = last};
    *rest = after;
    return OK;
}

void csv_unescape(struct span raw, struct buf *out)
{
    while (raw.len > 0) {
        const char *quote = memchr(raw.ptr, '"', raw.len);
        size_t n = quote ? (size_t)(quote - raw.ptr) + 1 : raw.len;
        buf_add(out, raw.ptr, n);
        n += quote && n < raw.len; /* its twin */
        raw = (struct span){raw.ptr + n, raw.len - n};
    }
}

char csv_separator(struct span file)
{
    static const char candidates[] = {',', '\t', ';'};
    size_t most = 0;
    char best = ',';
    struct span header = span_cut(&file, '\n');
    for (size_t c = 0; c < sizeof(candidates); c++) {
        size_t n = 0;
        for (size_t i = 0; i < header.len; i++)
            n += header.ptr[i] == candidates[c];
        if (n > most) {
            most = n;
            best = candidates[c];
        }
    }
    return best;
}
