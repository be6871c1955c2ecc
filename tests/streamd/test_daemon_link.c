/* SPDX-License-Identifier: MIT */
#include "streamd/tools/daemon_link.h"

#include <arpa/inet.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { SENDS_MAX = 1000, PIECE_BYTES = 4096 };

/* A daemon that takes one connection, answers one piece with the same, and goes away. */
struct brief {
    SSL_CTX *context;
    int listener;
    struct daemon_place place;
    char ca_file[32];
    pthread_t thread;
};

static X509 *certificate_of(EVP_PKEY *key)
{
    X509 *made = X509_new();
    X509V3_CTX about;
    assert_true(made && X509_set_version(made, 2) == 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(made), 1), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(made), -60));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(made), 3600));
    X509V3_set_ctx(&about, made, made, NULL, NULL, 0);
    X509_EXTENSION *host = X509V3_EXT_conf_nid(NULL, &about, NID_subject_alt_name, "IP:127.0.0.1");
    assert_true(host && X509_add_ext(made, host, -1) == 1);
    X509_EXTENSION_free(host);
    assert_int_equal(X509_set_pubkey(made, key), 1);
    assert_true(X509_sign(made, key, EVP_sha256()) > 0);
    return made;
}

static void certify(struct brief *b)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    assert_non_null(key);
    X509 *certificate = certificate_of(key);
    strcpy(b->ca_file, "/tmp/streamd-link-XXXXXX");
    FILE *file = fdopen(mkstemp(b->ca_file), "w");
    assert_true(file && PEM_write_X509(file, certificate) == 1);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(SSL_CTX_use_certificate(b->context, certificate), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(b->context, key), 1);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

static void *be_brief(void *brief)
{
    struct brief *b = brief;
    char piece[PIECE_BYTES];
    int fd = accept(b->listener, NULL, NULL);
    SSL *tls = SSL_new(b->context);
    if (fd >= 0 && tls && SSL_set_fd(tls, fd) == 1 && SSL_accept(tls) == 1) {
        int n = SSL_read(tls, piece, sizeof(piece));
        if (n > 0 && SSL_write(tls, piece, n) == n)
            (void)SSL_shutdown(tls);
    }
    SSL_free(tls);
    (void)close(fd);
    return NULL;
}

static int setup(void **state)
{
    struct brief *b = calloc(1, sizeof(*b));
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(at);
    assert_non_null(b);
    b->context = SSL_CTX_new(TLS_server_method());
    assert_non_null(b->context);
    certify(b);
    b->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(b->listener, (struct sockaddr *)&at, len), 0);
    assert_int_equal(listen(b->listener, 1), 0);
    assert_int_equal(getsockname(b->listener, (struct sockaddr *)&at, &len), 0);
    b->place = (struct daemon_place){.host = "127.0.0.1", .sealed = true};
    (void)snprintf(b->place.port, DAEMON_PORT_MAX, "%u", ntohs(at.sin_port));
    assert_int_equal(pthread_create(&b->thread, NULL, be_brief, b), 0);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct brief *b = *state;
    (void)unlink(b->ca_file);
    (void)close(b->listener);
    SSL_CTX_free(b->context);
    free(b);
    return 0;
}

/* SIGPIPE has its default action, as in a tool: raised once, it ends this program. */
static void a_daemon_that_goes_away_is_an_error_and_no_signal(void **state)
{
    struct brief *b = *state;
    struct daemon_link l;
    char piece[PIECE_BYTES] = "hello";
    char got[PIECE_BYTES];
    unsigned sends = 0;
    (void)signal(SIGPIPE, SIG_DFL);
    assert_null(daemon_link_open(&l, &b->place, b->ca_file));
    assert_true(daemon_link_send(&l, SPAN("hello")));
    assert_int_equal(daemon_link_receive(&l, got, sizeof(got)), 5);
    assert_memory_equal(got, "hello", 5);
    assert_int_equal(pthread_join(b->thread, NULL), 0);
    while (daemon_link_send(&l, (struct span){piece, sizeof(piece)}))
        assert_true(++sends < SENDS_MAX);
    daemon_link_close(&l);
}

static void the_end_that_a_daemon_says_is_no_loss(void **state)
{
    struct brief *b = *state;
    struct daemon_link l;
    char got[PIECE_BYTES];
    assert_null(daemon_link_open(&l, &b->place, b->ca_file));
    assert_true(daemon_link_send(&l, SPAN("hello")));
    assert_int_equal(daemon_link_receive(&l, got, sizeof(got)), 5);
    assert_int_equal(daemon_link_receive(&l, got, sizeof(got)), 0);
    assert_int_equal(pthread_join(b->thread, NULL), 0);
    daemon_link_close(&l);
}

static void an_address_is_a_scheme_a_host_and_a_port(void **state)
{
    static const struct {
        const char *url;
        const char *host; /* NULL: it is none */
        const char *port;
    } cases[] = {
        {"http://box:5001", "box", "5001"},
        {"https://box:1/", "box", "1"},
        {"http://[::1]:80", "::1", "80"},
        {"http://127.0.0.1:5001/x", NULL, NULL},
        {"ftp://box:1", NULL, NULL},
        {"http://box", NULL, NULL},
        {"http://:1", NULL, NULL},
        {"https://box:port", NULL, NULL},
        {"http://box:123456789", NULL, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct daemon_place place;
        bool good = daemon_place_read(cases[i].url, &place);
        if (good != (cases[i].host != NULL))
            fail_msg("%s", cases[i].url);
        if (!good)
            continue;
        assert_string_equal(place.host, cases[i].host);
        assert_string_equal(place.port, cases[i].port);
        assert_int_equal(place.sealed, cases[i].url[4] == 's');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_daemon_that_goes_away_is_an_error_and_no_signal, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_end_that_a_daemon_says_is_no_loss, setup, teardown),
        cmocka_unit_test(an_address_is_a_scheme_a_host_and_a_port),
    };
    return cmocka_run_group_tests_name("streamd/daemon_link", tests, NULL, NULL);
}
