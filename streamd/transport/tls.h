/* SPDX-License-Identifier: MIT */
/*
 * tls: certificate and key of --tls-cert and --tls-key, and what is spoken with them: TLS 1.2 or
 * later, without renegotiation.
 */
#ifndef STREAMD_TRANSPORT_TLS_H
#define STREAMD_TRANSPORT_TLS_H

#include "base/span.h"
#include "streamd/config.h"

#include <openssl/ssl.h>
#include <sys/types.h>

enum { TLS_WHY_MAX = 512 };

/* Can these files be used? False: `why` names the file and the reason. */
bool tls_check(const struct config *config, char why[TLS_WHY_MAX]);

/* Sets a server's context up. */
void tls_harden(SSL_CTX *ctx);

/*
 * Reads the files again into a context that is in use: connections that stand go on with what they
 * have. False: nothing has changed, and `why` says why.
 */
bool tls_reload(SSL_CTX *ctx, const struct config *config, char why[TLS_WHY_MAX]);

/* As send(2) without blocking: how many bytes went, 0 when none can just now, -1: it is broken.
 * What did not go must be sent next. */
ssize_t tls_send(SSL *ssl, struct span bytes);

/* Do these first bytes of what a client sent next, as they are on the wire, say farewell? */
bool tls_is_farewell(struct span record);

#endif
