/* SPDX-License-Identifier: MIT */
#include "streamd/transport/random_id.h"

#include <assert.h>
#include <sys/random.h>

void random_id(char *out, size_t len)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    unsigned char bytes[64];
    assert(len <= sizeof(bytes));
    /* Up to 256 bytes come whole and without blocking once the kernel's pool is up. */
    ssize_t n = getrandom(bytes, len, 0);
    assert(n == (ssize_t)len);
    for (size_t i = 0; i < len; i++)
        out[i] = alphabet[bytes[i] & 63];
    out[len] = '\0';
}

uint64_t random_seed(void)
{
    uint64_t seed = 0;
    ssize_t n = getrandom(&seed, sizeof(seed), 0);
    assert(n == (ssize_t)sizeof(seed));
    return seed;
}
