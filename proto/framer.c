/* SPDX-License-Identifier: MIT */
/*
 * Nearly every line of a busy trainer lies whole in one read, so the common path is a memchr and a
 * span; `held` is only touched at the seams between chunks. What is too long is judged on the bare
 * line, so that it does not depend on where the chunks end. An unfinished line is given up as soon
 * as it has more bytes than a good one can have around it: the CR of its end and, before the
 * first line, a BOM. The buf's own limit says so.
 */
#include "proto/framer.h"

#include <assert.h>

static const struct span bom = {"\xef\xbb\xbf", 3};

void framer_init(struct framer *f, size_t max_line)
{
    assert(max_line > 0);
    *f = (struct framer){.max_line = max_line};
    buf_init(&f->held, max_line + bom.len + 1);
}

void framer_fini(struct framer *f)
{
    buf_fini(&f->held);
    framer_init(f, f->max_line);
}

void framer_push(struct framer *f, struct span chunk)
{
    assert(f->chunk.len == 0);
    f->chunk = chunk;
}

static void forget_given(struct framer *f)
{
    if (f->held_given)
        buf_reset(&f->held);
    f->held_given = false;
}

/* Takes the chunk up to its next newline, or all of it; true when there was a newline. */
static bool take_piece(struct framer *f, struct span *out_piece)
{
    *out_piece = span_cut(&f->chunk, '\n');
    return f->chunk.ptr != NULL;
}

/* FRAMER_NEED_MORE, or why the piece could not be kept; then the line so far is forgotten. */
static enum framer_result keep(struct framer *f, struct span piece)
{
    buf_add_span(&f->held, piece);
    enum status status = buf_status(&f->held);
    if (status == OK)
        return FRAMER_NEED_MORE;
    buf_reset(&f->held);
    f->begun = true;
    return status == E_NOMEM ? FRAMER_NOMEM : FRAMER_TOO_LONG;
}

static enum framer_result judge(struct framer *f, struct span line, struct span *out_line)
{
    if (!f->begun && span_starts(line, bom))
        line = (struct span){line.ptr + bom.len, line.len - bom.len};
    f->begun = true;
    if (line.len > 0 && line.ptr[line.len - 1] == '\r')
        line.len--;
    if (line.len > f->max_line)
        return FRAMER_TOO_LONG;
    *out_line = line;
    return FRAMER_LINE;
}

/* A line that began in an earlier chunk ends with this piece. */
static enum framer_result finish_held(struct framer *f, struct span piece, struct span *out_line)
{
    enum framer_result kept = keep(f, piece);
    if (kept != FRAMER_NEED_MORE)
        return kept;
    f->held_given = true;
    return judge(f, buf_span(&f->held), out_line);
}

enum framer_result framer_next(struct framer *f, struct span *out_line)
{
    forget_given(f);
    while (f->chunk.len > 0) {
        struct span piece;
        bool ended = take_piece(f, &piece);
        if (f->skipping) {
            f->skipping = !ended;
        } else if (!ended) {
            enum framer_result kept = keep(f, piece);
            f->skipping = kept != FRAMER_NEED_MORE;
            return kept;
        } else if (f->held.len > 0) {
            return finish_held(f, piece, out_line);
        } else {
            return judge(f, piece, out_line);
        }
    }
    return FRAMER_NEED_MORE;
}

bool framer_rest(struct framer *f, struct span *out_line)
{
    forget_given(f);
    if (f->held.len == 0)
        return false;
    f->held_given = true;
    return judge(f, buf_span(&f->held), out_line) == FRAMER_LINE;
}
