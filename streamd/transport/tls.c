/* SPDX-License-Identifier: MIT */
/*
 * A connection copies the certificate of its context when it begins, so the context of lws's vhost
 * can be given another one at any time; a second vhost would have to outlive all its connections.
 * The files are first tried on a context that nobody uses, since a context with the certificate of
 * one pair and the key of another would refuse everybody.
 */
#include "streamd/transport/tls.h"

#include "streamd/log.h"

#include <openssl/err.h>
#include <stdio.h>

/* The oldest thing OpenSSL has to say; the others follow from it. */
static bool refuse(const char *path, char why[TLS_WHY_MAX])
{
    struct log_text quoted;
    const char *reason = ERR_reason_error_string(ERR_peek_error());
    (void)snprintf(why, TLS_WHY_MAX, "%s: %s", log_quoted(&quoted, span_of(path)),
                   reason ? reason : "cannot be used");
    ERR_clear_error();
    return false;
}

static bool load(SSL_CTX *ctx, const struct config *config, char why[TLS_WHY_MAX])
{
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(ctx, config->tls_cert) != 1)
        return refuse(config->tls_cert, why);
    if (SSL_CTX_use_PrivateKey_file(ctx, config->tls_key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(ctx) != 1)
        return refuse(config->tls_key, why);
    return true;
}

bool tls_check(const struct config *config, char why[TLS_WHY_MAX])
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    if (!ctx)
        return refuse(config->tls_cert, why);
    bool good = load(ctx, config, why);
    SSL_CTX_free(ctx);
    return good;
}

void tls_harden(SSL_CTX *ctx)
{
    (void)SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    (void)SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                       SSL_OP_CIPHER_SERVER_PREFERENCE);
}

bool tls_reload(SSL_CTX *ctx, const struct config *config, char why[TLS_WHY_MAX])
{
    return tls_check(config, why) && load(ctx, config, why);
}

ssize_t tls_send(SSL *ssl, struct span bytes)
{
    size_t sent = 0;
    ERR_clear_error();
    (void)SSL_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (bytes.len == 0 || SSL_write_ex(ssl, bytes.ptr, bytes.len, &sent) == 1)
        return (ssize_t)sent;
    int error = SSL_get_error(ssl, 0);
    return error == SSL_ERROR_WANT_WRITE || error == SSL_ERROR_WANT_READ ? 0 : -1;
}

bool tls_is_farewell(struct span record)
{
    enum { HEADER = 5, ALERT = 21, DATA = 23, SEALED_ALERT_BYTES = 2 + 1 + 16 };
    const unsigned char *b = (const unsigned char *)record.ptr;
    if (record.len < HEADER)
        return false;
    /* TLS 1.3 dresses an alert up as data; of an HTTP request so few bytes are none. */
    return b[0] == ALERT || (b[0] == DATA && (b[3] << 8 | b[4]) == SEALED_ALERT_BYTES);
}
