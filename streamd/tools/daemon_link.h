/* SPDX-License-Identifier: MIT */
/*
 * daemon_link: a tool's connection to a running daemon, plain or, of an https address, sealed by
 * TLS with the certificate checked: who signed it, and for which host. Blocking. A daemon that goes
 * away is an error that is told; it raises no SIGPIPE.
 */
#ifndef STREAMD_TOOLS_DAEMON_LINK_H
#define STREAMD_TOOLS_DAEMON_LINK_H

#include "base/span.h"

#include <openssl/ssl.h>
#include <sys/types.h>

enum { DAEMON_HOST_MAX = 256, DAEMON_PORT_MAX = 8, DAEMON_CALL_TIMEOUT_S = 10 };

struct daemon_place {
    char host[DAEMON_HOST_MAX];
    char port[DAEMON_PORT_MAX];
    bool sealed;
};

/* One that is all zero but for fd -1 is closed. */
struct daemon_link {
    int fd;             /* owns */
    SSL_CTX *context;   /* owns, as what follows; NULL: plain */
    BIO_METHOD *method; /* of what `tls` writes to */
    SSL *tls;
};

/* http or https://host:port, with [] around an address that has colons, and nothing behind it but a
 * '/'. */
bool daemon_place_read(const char *url, struct daemon_place *out);

/* `ca_file`: who may sign, NULL: the system's authorities. NULL, or why there is no connection:
 * static, or of strerror. */
const char *daemon_link_open(struct daemon_link *l, const struct daemon_place *place,
                             const char *ca_file);
void daemon_link_close(struct daemon_link *l);

bool daemon_link_send(struct daemon_link *l, struct span bytes);

/* At most `len` bytes; 0: the daemon has ended it; -1: it is lost, or nothing came in
 * DAEMON_CALL_TIMEOUT_S, and errno says which. */
ssize_t daemon_link_receive(struct daemon_link *l, char *bytes, size_t len);

/* Has it something that no poll() of the descriptor would tell? */
bool daemon_link_has_more(const struct daemon_link *l);

#endif
