/* SPDX-License-Identifier: MIT */
/*
 * OpenSSL itself, which the daemon is linked with: a request is a dozen lines of ours, and libcurl
 * would be loaded for them.
 *
 * A daemon that ends a connection may leave out TLS's own goodbye. That is taken for the end, as on
 * a plain connection: what was cut short there shows by what it lacks.
 */
#include "streamd/tools/daemon_link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static bool take_scheme(struct span *rest, const char *scheme)
{
    struct span text = span_of(scheme);
    if (!span_starts(*rest, text))
        return false;
    *rest = (struct span){rest->ptr + text.len, rest->len - text.len};
    return true;
}

bool daemon_place_read(const char *url, struct daemon_place *out)
{
    struct span rest = span_of(url);
    out->sealed = take_scheme(&rest, "https://");
    if (!out->sealed && !take_scheme(&rest, "http://"))
        return false;
    if (rest.len > 0 && rest.ptr[rest.len - 1] == '/')
        rest.len--;
    const char *colon = memrchr(rest.ptr, ':', rest.len);
    if (!colon)
        return false;
    struct span host = {rest.ptr, (size_t)(colon - rest.ptr)};
    struct span port = {colon + 1, rest.len - host.len - 1};
    uint64_t number;
    if (host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']')
        host = (struct span){host.ptr + 1, host.len - 2};
    if (host.len == 0 || host.len >= DAEMON_HOST_MAX || port.len >= DAEMON_PORT_MAX ||
        !span_u64(port, &number) || number > UINT16_MAX)
        return false;
    (void)snprintf(out->host, DAEMON_HOST_MAX, "%.*s", (int)host.len, host.ptr);
    (void)snprintf(out->port, DAEMON_PORT_MAX, "%.*s", (int)port.len, port.ptr);
    return true;
}

/* ---- the connection ---- */

static int dial_one(const struct addrinfo *at)
{
    const struct timeval limit = {.tv_sec = DAEMON_CALL_TIMEOUT_S};
    int fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    if (connect(fd, at->ai_addr, at->ai_addrlen) == 0)
        return fd;
    int kept = errno;
    (void)close(fd);
    errno = kept;
    return -1;
}

static int dial(const struct daemon_place *place, const char **why)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *all = NULL;
    int fd = -1;
    int failed = getaddrinfo(place->host, place->port, &hints, &all);
    if (failed != 0) {
        *why = gai_strerror(failed);
        return -1;
    }
    for (const struct addrinfo *at = all; at && fd < 0; at = at->ai_next)
        fd = dial_one(at);
    if (fd < 0)
        *why = strerror(errno);
    freeaddrinfo(all);
    return fd;
}

/* ---- TLS ---- */

static bool is_address(const char *host)
{
    unsigned char bytes[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

/* Whose certificate it has to be; and, of a name, whom the server is asked for. */
static bool expect_host(SSL *tls, const char *host)
{
    if (is_address(host))
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls), host) == 1;
    return SSL_set1_host(tls, host) == 1 && SSL_set_tlsext_host_name(tls, host) == 1;
}

static const char *greet(struct daemon_link *l)
{
    if (SSL_connect(l->tls) == 1)
        return NULL;
    long verified = SSL_get_verify_result(l->tls);
    if (verified != X509_V_OK)
        return X509_verify_cert_error_string(verified);
    return "what answers there speaks no TLS, or none that we do";
}

/* What OpenSSL writes. Its own socket leaves no room for MSG_NOSIGNAL, and SIGPIPE is not ignored
 * in a tool: that is how its stdout ends it. */
static int write_quietly(BIO *bio, const char *bytes, int len)
{
    int fd = (int)(intptr_t)BIO_get_data(bio);
    int n = (int)send(fd, bytes, (size_t)len, MSG_NOSIGNAL);
    BIO_clear_retry_flags(bio);
    if (n < 0 && errno == EINTR)
        BIO_set_retry_write(bio);
    return n;
}

static long answer_control(BIO *bio, int what, long number, void *pointer)
{
    (void)bio, (void)number, (void)pointer;
    return what == BIO_CTRL_FLUSH; /* nothing is kept back */
}

static bool use_socket(struct daemon_link *l)
{
    l->method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "quiet socket");
    if (!l->method || BIO_meth_set_write(l->method, write_quietly) != 1 ||
        BIO_meth_set_ctrl(l->method, answer_control) != 1)
        return false;
    BIO *in = BIO_new_socket(l->fd, BIO_NOCLOSE);
    BIO *out = BIO_new(l->method);
    if (!in || !out) {
        BIO_free(in);
        BIO_free(out);
        return false;
    }
    BIO_set_data(out, (void *)(intptr_t)l->fd);
    BIO_set_init(out, 1);
    SSL_set_bio(l->tls, in, out);
    return true;
}

static const char *seal(struct daemon_link *l, const char *host, const char *ca_file)
{
    l->context = SSL_CTX_new(TLS_client_method());
    if (!l->context)
        return "out of memory";
    SSL_CTX_set_verify(l->context, SSL_VERIFY_PEER, NULL);
    (void)SSL_CTX_set_min_proto_version(l->context, TLS1_2_VERSION);
    (void)SSL_CTX_set_options(l->context, SSL_OP_IGNORE_UNEXPECTED_EOF);
    int trusting = ca_file ? SSL_CTX_load_verify_file(l->context, ca_file)
                           : SSL_CTX_set_default_verify_paths(l->context);
    if (trusting != 1)
        return "the certificates of --ca-file cannot be read";
    l->tls = SSL_new(l->context);
    if (!l->tls || !use_socket(l) || !expect_host(l->tls, host))
        return "out of memory";
    return greet(l);
}

const char *daemon_link_open(struct daemon_link *l, const struct daemon_place *place,
                             const char *ca_file)
{
    const char *why = NULL;
    *l = (struct daemon_link){.fd = dial(place, &why)};
    if (l->fd >= 0 && place->sealed)
        why = seal(l, place->host, ca_file);
    if (why)
        daemon_link_close(l);
    return why;
}

void daemon_link_close(struct daemon_link *l)
{
    SSL_free(l->tls);
    BIO_meth_free(l->method);
    SSL_CTX_free(l->context);
    if (l->fd >= 0)
        (void)close(l->fd);
    *l = (struct daemon_link){.fd = -1};
}

/* ---- bytes ---- */

static ssize_t send_some(struct daemon_link *l, struct span bytes)
{
    if (!l->tls)
        return send(l->fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
    size_t sent = 0;
    errno = 0;
    if (SSL_write_ex(l->tls, bytes.ptr, bytes.len, &sent) == 1)
        return (ssize_t)sent;
    errno = errno ? errno : EPIPE;
    return -1;
}

bool daemon_link_send(struct daemon_link *l, struct span bytes)
{
    while (bytes.len > 0) {
        ssize_t n = send_some(l, bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        bytes = (struct span){bytes.ptr + n, bytes.len - (size_t)n};
    }
    return true;
}

ssize_t daemon_link_receive(struct daemon_link *l, char *bytes, size_t len)
{
    ssize_t n;
    if (!l->tls) {
        do
            n = recv(l->fd, bytes, len, 0);
        while (n < 0 && errno == EINTR);
        return n;
    }
    size_t got = 0;
    errno = 0;
    if (SSL_read_ex(l->tls, bytes, len, &got) == 1)
        return (ssize_t)got;
    if (SSL_get_error(l->tls, 0) == SSL_ERROR_ZERO_RETURN)
        return 0;
    errno = errno ? errno : EPROTO;
    return -1;
}

bool daemon_link_has_more(const struct daemon_link *l)
{
    return l->tls && SSL_pending(l->tls) > 0;
}
