/* SPDX-License-Identifier: MIT */
/*
 * SQLite notices a page that is out of order, not a bit that flipped within a value. So every row
 * has a CRC-32 over its other columns, each with its kind and its length, made from what is put and
 * compared with what is read. One form for every table lets salvage check rows it knows nothing
 * of.
 */
#include "streamd/store/store_sqlite_parts.h"

#include <string.h>
#include <zlib.h>

enum { KIND_NULL, KIND_NUMBER, KIND_BYTES };

static void add(struct check *c, int kind, const void *bytes, size_t n)
{
    unsigned char head[9];
    uint64_t len = n;
    head[0] = (unsigned char)kind;
    for (size_t i = 0; i < 8; i++)
        head[1 + i] = (unsigned char)(len >> (8 * i));
    c->crc = (uint32_t)crc32_z(c->crc, head, sizeof(head));
    if (n > 0)
        c->crc = (uint32_t)crc32_z(c->crc, bytes, n);
}

void check_init(struct check *c)
{
    c->crc = 0;
}

void check_int(struct check *c, int64_t value)
{
    unsigned char bytes[8];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char)((uint64_t)value >> (8 * i));
    add(c, KIND_NUMBER, bytes, sizeof(bytes));
}

void check_real(struct check *c, double value)
{
    int64_t bits;
    value += 0.0; /* SQLite keeps no negative zero */
    memcpy(&bits, &value, sizeof(bits));
    check_int(c, bits);
}

void check_span(struct check *c, struct span bytes)
{
    add(c, bytes.ptr ? KIND_BYTES : KIND_NULL, bytes.ptr, bytes.ptr ? bytes.len : 0);
}

struct span column_span(sqlite3_stmt *row, int at)
{
    if (sqlite3_column_type(row, at) == SQLITE_NULL)
        return (struct span){NULL, 0};
    const char *bytes = sqlite3_column_blob(row, at);
    return (struct span){bytes ? bytes : "", (size_t)sqlite3_column_bytes(row, at)};
}

bool check_columns(sqlite3_stmt *row, int first, int count)
{
    struct check c;
    int last = first + count - 1;
    check_init(&c);
    for (int i = first; i < last; i++) {
        switch (sqlite3_column_type(row, i)) {
        case SQLITE_INTEGER:
            check_int(&c, sqlite3_column_int64(row, i));
            break;
        case SQLITE_FLOAT:
            check_real(&c, sqlite3_column_double(row, i));
            break;
        default:
            check_span(&c, column_span(row, i));
        }
    }
    return sqlite3_column_type(row, last) == SQLITE_INTEGER &&
           sqlite3_column_int64(row, last) == (int64_t)c.crc;
}

int bind_span(sqlite3_stmt *statement, int at, struct span bytes, bool text)
{
    if (!bytes.ptr)
        return sqlite3_bind_null(statement, at);
    if (text)
        return sqlite3_bind_text64(statement, at, bytes.ptr, bytes.len, SQLITE_STATIC, SQLITE_UTF8);
    return sqlite3_bind_blob64(statement, at, bytes.ptr, bytes.len, SQLITE_STATIC);
}
