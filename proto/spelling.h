/* SPDX-License-Identifier: MIT */
/*
 * spelling: the one table of names that trainers use for the fields of the record.
 *
 * A metric's name is looked up here first. Wire names and their snake_case twins mean a field; a
 * few more names do because trainers of the common frameworks write them. What is not in the table
 * is a number of the trainer's own and keeps its name.
 */
#ifndef PROTO_SPELLING_H
#define PROTO_SPELLING_H

#include "base/span.h"
#include "proto/record.h"

enum spelling_kind {
    SPELL_FIELD,    /* the value is the field's */
    SPELL_INDEX,    /* the value counts from 0, the field from 1 */
    SPELL_RENAME,   /* an extra that everybody shall find under one name */
    SPELL_RESERVED, /* a name the daemon writes itself: ignored and counted */
};

struct spelling {
    struct span name;
    enum spelling_kind kind;
    enum record_field field; /* SPELL_FIELD, SPELL_INDEX */
    struct span rename;      /* SPELL_RENAME */
};

/* NULL when the name is not in the table. */
const struct spelling *spelling_find(struct span name);

/* The whole table, for tests and documents: NULL past the end. */
const struct spelling *spelling_at(size_t index);

#endif
