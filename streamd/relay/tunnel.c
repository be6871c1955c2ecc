/* SPDX-License-Identifier: MIT */
/*
 * libcurl connects: names, proxies, TLS and the certificate are its trade. The upgrade and the
 * frames are ours (proto/ws_client.h), since its own WebSockets are an experiment in the version
 * that Debian has, and left out there.
 *
 * Back-pressure needs no thought: nothing is read from a side before all that came from it has been
 * written to the other.
 */
#include "streamd/relay/tunnel.h"

#include "proto/base64.h"
#include "proto/ws_client.h"
#include "streamd/clock.h"
#include "streamd/notify/libcurl.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    PIECE_BYTES = 64 * 1024, /* of a frame out */
    OUT_SLACK = 4096,        /* more than the header of a frame, or all replies */
    FRAME_MAX = 64 * 1024,   /* payload of a frame in; the hub's are smaller */
    IN_MAX = WS_HEAD_MAX + 2 * FRAME_MAX,
    LOOK_MS = 1000,                /* whether the hub is silent */
    SILENCE_US = 60 * 1000 * 1000, /* it pings every 25 s */
};

struct tunnel {
    struct upstream *hub; /* borrows */
    int fd;               /* owns; our end */
    const struct curl_calls *curl;
    CURL *easy;         /* owns */
    int socket;         /* curl's */
    struct buf out;     /* for the hub; not touched while a part of it is under way */
    struct buf replies; /* pongs, for `out` */
    struct buf in;      /* from the hub, not taken apart yet */
    struct buf local;   /* for the caller */
    bool finishing;     /* the caller has closed its end */
    bool more;          /* not all that has come from the hub was read */
    uint64_t heard_us;
    char why[UPSTREAM_WHY_MAX];
};

static bool fail(struct tunnel *t, const char *why)
{
    (void)snprintf(t->why, sizeof(t->why), "%s", why);
    return false;
}

static bool caller_is_gone(const struct tunnel *t)
{
    struct pollfd fd = {.fd = t->fd, .events = POLLRDHUP};
    return poll(&fd, 1, 0) > 0 && (fd.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

/* ---- the connection ---- */

/* Called again and again while something is waited for. */
static int on_wait(void *tunnel, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    (void)a, (void)b, (void)c, (void)d;
    return caller_is_gone(tunnel);
}

#define SET(option, value) (void)t->curl->curl_easy_setopt(t->easy, (option), (value))

static bool dial(struct tunnel *t)
{
    char detail[CURL_ERROR_SIZE] = "";
    curl_socket_t socket = CURL_SOCKET_BAD;
    SET(CURLOPT_URL, t->hub->url);
    SET(CURLOPT_CONNECT_ONLY, 1L);
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1); /* or TLS would agree on another */
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_HTTPPROXYTUNNEL, 1L);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    if (t->hub->ca_file)
        SET(CURLOPT_CAINFO, t->hub->ca_file);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_TCP_KEEPALIVE, 1L);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)TUNNEL_TIMEOUT_MS);
    SET(CURLOPT_NOPROGRESS, 0L);
    SET(CURLOPT_XFERINFOFUNCTION, on_wait);
    SET(CURLOPT_XFERINFODATA, t);
    SET(CURLOPT_ERRORBUFFER, detail);
    CURLcode code = t->curl->curl_easy_perform(t->easy);
    SET(CURLOPT_ERRORBUFFER, NULL);
    if (code != CURLE_OK)
        return fail(t, detail[0] ? detail : t->curl->curl_easy_strerror(code));
    if (t->curl->curl_easy_getinfo(t->easy, CURLINFO_ACTIVESOCKET, &socket) != CURLE_OK ||
        socket == CURL_SOCKET_BAD)
        return fail(t, "the connection ended at once");
    t->socket = socket;
    return true;
}

/* Sends what the network takes of `out`. False: the connection is lost. */
static bool send_out(struct tunnel *t)
{
    while (t->out.len > 0) {
        size_t sent = 0;
        CURLcode code = t->curl->curl_easy_send(t->easy, t->out.ptr, t->out.len, &sent);
        if (code == CURLE_AGAIN)
            return true;
        if (code != CURLE_OK)
            return fail(t, t->curl->curl_easy_strerror(code));
        buf_consume(&t->out, sent);
    }
    return true;
}

/* Appends to `in` what has come. False: the connection is lost, and nothing came before that. */
static bool receive_in(struct tunnel *t)
{
    size_t before = t->in.len;
    char piece[16384];
    for (t->more = false;;) {
        size_t got = 0;
        CURLcode code = t->curl->curl_easy_recv(t->easy, piece, sizeof(piece), &got);
        if (code == CURLE_AGAIN)
            return true;
        bool lost = code != CURLE_OK || got == 0;
        if (lost && t->in.len > before)
            return true; /* its last words first */
        if (lost)
            return fail(t, code == CURLE_OK ? "the hub has closed the connection"
                                            : t->curl->curl_easy_strerror(code));
        buf_add(&t->in, piece, got);
        t->heard_us = clock_read().us;
        t->more = t->in.len > FRAME_MAX;
        if (t->more)
            return true; /* the rest when that is taken; the socket may have none of it */
    }
}

/* ---- the upgrade ---- */

static void make_key(struct buf *key, struct buf *accept)
{
    unsigned char random[WS_KEY_BYTES];
    unsigned char digest[SHA_DIGEST_LENGTH];
    struct buf text;
    (void)getrandom(random, sizeof(random), 0);
    base64_encode(key, (struct span){(const char *)random, sizeof(random)});
    buf_init(&text, 256);
    buf_add_span(&text, buf_span(key));
    buf_add_str(&text, WS_GUID);
    (void)SHA1((const unsigned char *)text.ptr, text.len, digest);
    base64_encode(accept, (struct span){(const char *)digest, sizeof(digest)});
    buf_fini(&text);
}

/* False: it will not come. */
static bool await_answer(struct tunnel *t, struct span accept)
{
    uint64_t until_us = clock_read().us + TUNNEL_TIMEOUT_MS * 1000ULL;
    for (;;) {
        unsigned status = 0;
        size_t used = 0;
        switch (ws_client_answer(buf_span(&t->in), accept, &status, &used)) {
        case WS_ANSWER_ACCEPTED:
            buf_consume(&t->in, used);
            return true;
        case WS_ANSWER_REFUSED:
            (void)snprintf(t->why, sizeof(t->why),
                           status ? "the hub answers %u" : "what answers there is no hub", status);
            return false;
        case WS_ANSWER_PARTIAL:
            break;
        }
        struct pollfd fd = {.fd = t->socket,
                            .events = (short)(t->out.len > 0 ? POLLIN | POLLOUT : POLLIN)};
        uint64_t now_us = clock_read().us;
        if (caller_is_gone(t))
            return false;
        if (now_us >= until_us)
            return fail(t, "the hub does not answer");
        (void)poll(&fd, 1, LOOK_MS / 10);
        if (!send_out(t) || !receive_in(t))
            return false;
    }
}

static bool upgrade(struct tunnel *t)
{
    struct buf key;
    struct buf accept;
    buf_init(&key, 64);
    buf_init(&accept, 64);
    make_key(&key, &accept);
    ws_client_request(&t->out, &(struct ws_request){.host = span_of(t->hub->host),
                                                    .path = span_of(t->hub->path),
                                                    .key = buf_span(&key),
                                                    .token = span_of(t->hub->token)});
    bool good = buf_status(&t->out) == OK && send_out(t) && await_answer(t, buf_span(&accept));
    buf_fini(&key);
    buf_fini(&accept);
    return good;
}

/* ---- the stream ---- */

static void add_frame(struct buf *b, enum ws_opcode op, struct span payload)
{
    unsigned char mask[WS_MASK_BYTES];
    (void)getrandom(mask, sizeof(mask), 0);
    ws_client_frame(b, op, mask, payload);
}

static bool take_frame(struct tunnel *t, const struct ws_frame *frame)
{
    switch (frame->op) {
    case WS_CLOSE:
        (void)snprintf(t->why, sizeof(t->why), "the hub says: %.*s",
                       frame->payload.len > 2 ? (int)frame->payload.len - 2 : 7,
                       frame->payload.len > 2 ? frame->payload.ptr + 2 : "goodbye");
        return false;
    case WS_PING:
        add_frame(&t->replies, WS_PONG, frame->payload);
        return buf_status(&t->replies) == OK || fail(t, "the hub pings too much");
    case WS_PONG:
        return true;
    default:
        buf_add_span(&t->local, frame->payload);
        return true;
    }
}

/* Takes `in` apart. False: the connection is of no use any more. */
static bool take_frames(struct tunnel *t)
{
    struct span rest = buf_span(&t->in);
    struct ws_frame frame;
    enum ws_read read = WS_READ_FRAME;
    bool good = true;
    while (good && (read = ws_client_read(rest, FRAME_MAX, &frame)) == WS_READ_FRAME) {
        good = take_frame(t, &frame);
        rest = (struct span){rest.ptr + frame.bytes, rest.len - frame.bytes};
    }
    buf_consume(&t->in, t->in.len - rest.len);
    if (good && read == WS_READ_BAD)
        return fail(t, "the hub sends no WebSocket frames");
    return good && (buf_status(&t->local) == OK || fail(t, "out of memory"));
}

/* Hands the caller what it takes. False: it is gone. */
static bool send_local(struct tunnel *t)
{
    while (t->local.len > 0) {
        ssize_t n = send(t->fd, t->local.ptr, t->local.len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0)
            return errno == EAGAIN || errno == EINTR;
        buf_consume(&t->local, (size_t)n);
    }
    return true;
}

static void read_local(struct tunnel *t)
{
    static const char goodbye[] = {0x03, (char)0xe8}; /* 1000 */
    char piece[PIECE_BYTES];
    ssize_t n = recv(t->fd, piece, sizeof(piece), MSG_DONTWAIT);
    if (n > 0)
        add_frame(&t->out, WS_BINARY, (struct span){piece, (size_t)n});
    if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
        return;
    add_frame(&t->out, WS_CLOSE, (struct span){goodbye, sizeof(goodbye)});
    t->finishing = true;
}

/* The next for the network, when all before it is out. */
static void fill_out(struct tunnel *t)
{
    if (t->out.len > 0 || t->finishing)
        return;
    if (t->replies.len > 0) {
        buf_add_span(&t->out, buf_span(&t->replies));
        buf_reset(&t->replies);
    } else {
        read_local(t);
    }
}

static bool sleep_until_something_comes(struct tunnel *t)
{
    bool idle = t->out.len == 0;
    struct pollfd fds[] = {
        {.fd = t->socket, .events = (short)((idle ? 0 : POLLOUT) | (t->local.len ? 0 : POLLIN))},
        {.fd = t->fd, .events = (short)((idle ? POLLIN : 0) | (t->local.len ? POLLOUT : 0))},
    };
    (void)poll(fds, 2, LOOK_MS);
    return clock_read().us - t->heard_us < SILENCE_US || fail(t, "the hub is silent");
}

static bool turn(struct tunnel *t)
{
    fill_out(t);
    if (!send_out(t) || !send_local(t))
        return false;
    if (t->finishing && t->out.len == 0)
        return false;
    bool goes_on = true;
    if (t->local.len == 0) {
        goes_on = receive_in(t);
        goes_on = take_frames(t) && goes_on; /* what came before the end counts */
    }
    if (!send_local(t) || !goes_on)
        return false;
    bool at_once = t->replies.len > 0 || (t->more && t->local.len == 0);
    return at_once || sleep_until_something_comes(t);
}

static void destroy(struct tunnel *t)
{
    if (t->easy)
        t->curl->curl_easy_cleanup(t->easy);
    (void)close(t->fd);
    buf_fini(&t->out);
    buf_fini(&t->replies);
    buf_fini(&t->in);
    buf_fini(&t->local);
    free(t);
}

static void *tunnel_main(void *tunnel)
{
    struct tunnel *t = tunnel;
    struct upstream *hub = t->hub;
    t->curl = libcurl();
    if (!t->curl)
        (void)fail(t, LIBCURL_MISSING);
    else if (!(t->easy = t->curl->curl_easy_init()))
        (void)fail(t, "out of memory");
    else if (dial(t) && upgrade(t)) {
        t->heard_us = clock_read().us;
        while (turn(t))
            ;
    }
    /* Who closed it himself knows why, and may have said so. */
    if (t->why[0] != '\0')
        upstream_note(hub, t->why);
    destroy(t);
    /* What a thread's own clean-up would free may come after the process has ended. */
    OPENSSL_thread_stop();
    upstream_count(hub, -1);
    return NULL;
}

/* All signals are the loop's. */
static bool start(struct tunnel *t)
{
    pthread_t thread;
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    upstream_count(t->hub, 1);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    bool good = pthread_create(&thread, NULL, tunnel_main, t) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (good)
        (void)pthread_detach(thread);
    else
        upstream_count(t->hub, -1);
    return good;
}

int tunnel_open(struct upstream *hub)
{
    int ends[2];
    struct tunnel *t = calloc(1, sizeof(*t));
    if (!t || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) {
        free(t);
        return -1;
    }
    t->hub = hub;
    t->fd = ends[0];
    buf_init(&t->out, PIECE_BYTES + OUT_SLACK);
    buf_init(&t->replies, 4096);
    buf_init(&t->in, IN_MAX);
    buf_init(&t->local, IN_MAX);
    if (start(t))
        return ends[1];
    (void)close(ends[1]);
    destroy(t);
    return -1;
}
