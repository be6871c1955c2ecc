/* SPDX-License-Identifier: MIT */
/* Event files. Checksums no input would guess are put in: each chunk of the input, its length in
 * front, becomes a record. Once as it is, too. */
#include "proto/logs/source.h"
#include "proto/logs/tfrecord.h"
#include "proto/varint.h"
#include "tests/fuzz/fuzz.h"

static void put_record(struct buf *b, struct span data)
{
    size_t at = b->len;
    word_put(b, data.len, 8);
    word_put(b, tfrecord_checksum((struct span){b->ptr + at, 8}), 4);
    buf_add_span(b, data);
    word_put(b, tfrecord_checksum(data), 4);
}

static void read_all(struct span bytes)
{
    struct span file = copy_of(bytes);
    struct source s;
    struct source_row row;
    source_init(&s, &source_events, file);
    source_row_init(&row);
    enum status status = s.ops->open(&s);
    while (status == OK && (status = s.ops->next(&s, &row)) == OK)
        CHECK(row.has_step && s.at < file.len);
    CHECK(status == E_NOT_FOUND || (status == E_MALFORMED && s.why && s.at < file.len));
    CHECK(status != E_NOT_FOUND || s.rest.len == 0);
    source_row_fini(&row);
    source_fini(&s);
    free((char *)(size_t)file.ptr);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct span rest = {(const char *)data, size};
    struct buf file;
    read_all(rest);
    buf_init(&file, 1 << 24);
    while (rest.len > 0)
        put_record(&file, take_bytes(&rest, take_byte(&rest)));
    read_all(buf_span(&file));
    buf_fini(&file);
    return 0;
}
