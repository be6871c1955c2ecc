/* SPDX-License-Identifier: MIT */
/*
 * Sessions, and all around them: the input says what trainers, watchers, disks and time do to a
 * whole app without sockets, restarts included. After each step the state of every session must be
 * one it may be in, rooms, lists and counts must agree, watchers must have heard each event once
 * and in order, and what was acknowledged must be there (tests/flow/chance.h). session_enter itself
 * asserts that a state may follow another.
 */
#include "tests/flow/chance.h"
#include "tests/fuzz/fuzz.h"

struct bytes {
    struct choice choice; /* first */
    struct span rest;
};

/* As few bytes as the number needs, so that one byte changed changes one thing. */
static uint64_t below(struct choice *c, uint64_t n)
{
    struct bytes *bytes = (struct bytes *)(void *)c;
    uint64_t number = take_byte(&bytes->rest);
    for (uint64_t most = n - 1; most > 0xff; most >>= 8)
        number = number << 8 | take_byte(&bytes->rest);
    return number % n;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct bytes bytes = {{below}, {(const char *)data, size}};
    struct chance *x = chance_create(&bytes.choice);
    while (bytes.rest.len > 0)
        chance_step(x);
    chance_rest(x);
    chance_destroy(x);
    return 0;
}
