/* SPDX-License-Identifier: MIT */
#include "streamd/auth/token.h"

#include "streamd/transport/random_id.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <string.h>

static const struct span prefix = {"st_", 3};

void token_make(char out[TOKEN_LEN + 1])
{
    memcpy(out, prefix.ptr, prefix.len);
    random_id(out + prefix.len, TOKEN_LEN - prefix.len);
}

void token_digest(struct span token, struct digest *out)
{
    const unsigned char *done = SHA256((const unsigned char *)token.ptr, token.len, out->bytes);
    assert(done);
    (void)done;
}

bool digest_equal(const struct digest *a, const struct digest *b)
{
    return CRYPTO_memcmp(a->bytes, b->bytes, DIGEST_BYTES) == 0;
}

static int nibble(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool digest_parse(struct span hex, struct digest *out)
{
    struct digest d;
    if (hex.len != DIGEST_HEX_LEN)
        return false;
    for (size_t i = 0; i < DIGEST_BYTES; i++) {
        int high = nibble(hex.ptr[2 * i]);
        int low = nibble(hex.ptr[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        d.bytes[i] = (unsigned char)(high << 4 | low);
    }
    *out = d;
    return true;
}

void digest_text(const struct digest *d, char out[DIGEST_HEX_LEN + 1])
{
    static const char hex[] = "0123456789abcdef";
    for (size_t i = 0; i < DIGEST_BYTES; i++) {
        out[2 * i] = hex[d->bytes[i] >> 4];
        out[2 * i + 1] = hex[d->bytes[i] & 15];
    }
    out[DIGEST_HEX_LEN] = '\0';
}
