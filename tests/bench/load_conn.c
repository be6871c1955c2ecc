/* SPDX-License-Identifier: MIT */
#include "load_swarm.h"

/*
 * One subscriber: TCP, the upgrade, then frames straight out of the shared receive buffer. Only
 * the cut end of a read is copied. A connection that compresses keeps its inflater until it has
 * subscribed, because the handshake of Socket.IO may come compressed too; after that only each
 * n-th does, with all its frames from the first on, since a shared window cannot be entered late.
 */

#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load_meter.h"
#include "load_ws.h"

enum { SEND_MAX = 256, FAILURES_TOLD = 5 };

static void drop_inflater(struct conn *conn)
{
    if (!conn->inflater)
        return;
    inflateEnd(conn->inflater);
    free(conn->inflater);
    conn->inflater = NULL;
}

void conn_close(struct conn *conn)
{
    if (conn->fd >= 0)
        close(conn->fd);
    conn->fd = -1;
    drop_inflater(conn);
    free(conn->held);
    conn->held = NULL;
}

void conn_fail(struct conn *conn, struct swarm *swarm, const char *why)
{
    if (conn->state == CONN_FAILED)
        return;
    if (conn->state != CONN_READY)
        errx(1, "subscriber %u: %s", conn->id, why);
    if (swarm->failed < FAILURES_TOLD)
        warnx("subscriber %u lost: %s", conn->id, why);
    conn->state = CONN_FAILED;
    swarm->failed++;
    conn_close(conn);
}

void conn_ready(struct conn *conn, struct swarm *swarm)
{
    conn->state = CONN_READY;
    swarm->ready++;
    if (conn->id % swarm->options->inflate_every != 0)
        drop_inflater(conn);
}

static void send_frame(struct conn *conn, struct swarm *swarm, enum ws_opcode opcode,
                       const void *payload, size_t bytes)
{
    uint8_t frame[SEND_MAX + WS_HEADER_MAX];

    if (bytes > SEND_MAX) {
        conn_fail(conn, swarm, "asked for an answer longer than we ever send");
        return;
    }
    size_t n = ws_frame_write(frame, opcode, payload, bytes, 0x5EED0000U + conn->id);
    if (conn->fd >= 0 && send(conn->fd, frame, n, MSG_NOSIGNAL) != (ssize_t)n)
        conn_fail(conn, swarm, "does not take what we send");
}

void conn_send_text(struct conn *conn, struct swarm *swarm, const char *text, size_t bytes)
{
    send_frame(conn, swarm, WS_TEXT, text, bytes);
}

bool conn_is_in(const struct conn *conn, const struct load_options *options, unsigned room)
{
    return !options->spread || conn->id % options->rooms == room;
}

static const char *extension_of(const struct load_options *options)
{
    if (options->independent)
        return "permessage-deflate; server_no_context_takeover; client_max_window_bits";
    return options->deflate ? "permessage-deflate; client_max_window_bits" : NULL;
}

static void send_request(struct conn *conn, struct swarm *swarm)
{
    const struct load_options *options = swarm->options;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = conn};
    char path[32 * LOAD_ROOMS_EACH_MAX] = "/socket.io/?EIO=4&transport=websocket";
    char request[sizeof(path) + 512];
    char key[WS_KEY_CHARS + 1];

    if (options->dialect == DIALECT_WS) {
        char *end = stpcpy(path, "/ws?");
        for (unsigned room = 0; room < options->rooms; room++) {
            if (conn_is_in(conn, options, room))
                end += sprintf(end, "sessionId=s%02u&", room);
        }
        if (conn->offset > 0)
            sprintf(end, "since=%" PRIu64, conn->offset);
    }
    ws_key(conn->id, key);
    size_t n =
        ws_request(request, sizeof(request), options->host, path, key, extension_of(options));
    if (n == 0 || send(conn->fd, request, n, MSG_NOSIGNAL) != (ssize_t)n)
        conn_fail(conn, swarm, "cannot send the upgrade request");
    conn->state = CONN_UPGRADING;
    epoll_ctl(swarm->epoll, EPOLL_CTL_MOD, conn->fd, &event);
}

void conn_open(struct conn *conn, struct swarm *swarm, unsigned id)
{
    struct linger reset = {.l_onoff = 1};
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.ptr = conn};
    const struct sockaddr_in *target = &swarm->options->target;

    *conn = (struct conn){.id = id, .offset = conn->offset};
    conn->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (conn->fd < 0)
        err(1, "socket of subscriber %u", id);
    setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    if (connect(conn->fd, (const struct sockaddr *)target, sizeof(*target)) != 0 &&
        errno != EINPROGRESS)
        err(1, "connect of subscriber %u", id);
    if (epoll_ctl(swarm->epoll, EPOLL_CTL_ADD, conn->fd, &event) != 0)
        err(1, "epoll_ctl");
}

static void start_inflater(struct conn *conn, struct swarm *swarm, const struct ws_answer *answer)
{
    conn->one_shot_inflate = answer->server_no_context_takeover;
    conn->inflater = calloc(1, sizeof(*conn->inflater));
    if (!conn->inflater || inflateInit2(conn->inflater, -15) != Z_OK)
        conn_fail(conn, swarm, "no memory to inflate");
}

/* Takes the response head out of the bytes; returns its length, 0 while it is incomplete. */
static size_t take_head(struct conn *conn, struct swarm *swarm, const uint8_t *bytes, size_t count)
{
    const uint8_t *end = memmem(bytes, count, "\r\n\r\n", 4);
    char head[4096];
    char key[WS_KEY_CHARS + 1];
    struct ws_answer answer;

    if (!end)
        return 0;
    size_t n = (size_t)(end - bytes) + 4;
    if (n >= sizeof(head))
        errx(1, "subscriber %u: response head of %zu bytes", conn->id, n);
    memcpy(head, bytes, n);
    head[n] = '\0';
    ws_key(conn->id, key);
    if (!ws_answer_read(head, key, &answer))
        errx(1, "subscriber %u: upgrade refused: %.80s", conn->id, head);
    if (swarm->options->deflate && !answer.deflate)
        errx(1, "subscriber %u: permessage-deflate refused", conn->id);
    if (answer.deflate)
        start_inflater(conn, swarm, &answer);
    conn->state = CONN_OPENING;
    if (swarm->options->dialect == DIALECT_WS)
        conn_ready(conn, swarm);
    return n;
}

static bool inflate_piece(z_stream *stream, const uint8_t *bytes, size_t count)
{
    stream->next_in = (Bytef *)bytes;
    stream->avail_in = (uInt)count;
    int code = inflate(stream, Z_SYNC_FLUSH);
    return (code == Z_OK || code == Z_BUF_ERROR) && stream->avail_in == 0 && stream->avail_out > 0;
}

static void take_compressed(struct conn *conn, struct swarm *swarm, const uint8_t *payload,
                            size_t bytes)
{
    static const uint8_t tail[] = {0x00, 0x00, 0xFF, 0xFF};
    z_stream *stream = conn->inflater;

    swarm->tally.compressed++;
    if (!stream) {
        message_opaque(conn, swarm, bytes);
        return;
    }
    stream->next_out = swarm->text;
    stream->avail_out = SWARM_TEXT_BYTES;
    if (!inflate_piece(stream, payload, bytes) || !inflate_piece(stream, tail, sizeof(tail))) {
        swarm->tally.bad++;
        conn_fail(conn, swarm, "sent a frame that does not inflate");
        return;
    }
    swarm->tally.inflated++;
    size_t length = SWARM_TEXT_BYTES - stream->avail_out;
    if (conn->one_shot_inflate)
        inflateReset(stream);
    uint64_t updates = swarm->tally.updates;
    message_text(conn, swarm, (const char *)swarm->text, length);
    swarm->tally.inflated_updates += swarm->tally.updates - updates;
}

static void fail_closed(struct conn *conn, struct swarm *swarm, const uint8_t *payload,
                        size_t bytes)
{
    char why[160];

    if (bytes < 2)
        snprintf(why, sizeof(why), "closed by the server");
    else
        snprintf(why, sizeof(why), "closed by the server with %u %.*s",
                 (unsigned)(payload[0] << 8 | payload[1]), (int)(bytes - 2), payload + 2);
    conn_fail(conn, swarm, why);
}

static void take_frame(struct conn *conn, struct swarm *swarm, const struct ws_frame *frame,
                       const uint8_t *payload)
{
    uint64_t updates = swarm->tally.updates;

    if (frame->masked || !frame->final) {
        swarm->tally.bad++;
        conn_fail(conn, swarm, "sent a masked or fragmented frame");
    } else if (frame->opcode == WS_TEXT && frame->compressed) {
        take_compressed(conn, swarm, payload, frame->payload_bytes);
    } else if (frame->opcode == WS_TEXT) {
        message_text(conn, swarm, (const char *)payload, frame->payload_bytes);
    } else if (frame->opcode == WS_PING) {
        send_frame(conn, swarm, WS_PONG, payload, frame->payload_bytes);
    } else if (frame->opcode == WS_CLOSE) {
        fail_closed(conn, swarm, payload, frame->payload_bytes);
    } else {
        swarm->tally.bad++;
    }
    if (swarm->tally.updates > updates)
        swarm->tally.update_bytes += frame->header_bytes + frame->payload_bytes;
}

/* Takes every whole frame; returns how many bytes they were. */
static size_t take_frames(struct conn *conn, struct swarm *swarm, const uint8_t *bytes,
                          size_t count)
{
    size_t at = 0;
    struct ws_frame frame;

    while (conn->state != CONN_FAILED && ws_frame_peek(bytes + at, count - at, &frame)) {
        if (count - at - frame.header_bytes < frame.payload_bytes)
            break;
        take_frame(conn, swarm, &frame, bytes + at + frame.header_bytes);
        at += frame.header_bytes + frame.payload_bytes;
    }
    return at;
}

static void hold(struct conn *conn, const uint8_t *bytes, size_t count)
{
    if (count == 0) {
        free(conn->held);
        conn->held = NULL;
        conn->held_bytes = 0;
        return;
    }
    uint8_t *held = realloc(conn->held, count);
    if (!held)
        err(1, "realloc");
    memcpy(held, bytes, count);
    conn->held = held;
    conn->held_bytes = count;
}

static void receive(struct conn *conn, struct swarm *swarm)
{
    size_t held = conn->held_bytes;
    size_t taken = 0;

    if (held > 0)
        memcpy(swarm->rx, conn->held, held);
    ssize_t n = recv(conn->fd, swarm->rx + held, SWARM_RX_BYTES - held, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        conn_fail(conn, swarm, n == 0 ? "end of stream" : strerror(errno));
        return;
    }
    swarm->now_us = meter_now_us();
    swarm->tally.receives++;
    swarm->tally.wire_bytes += (uint64_t)n;
    size_t count = held + (size_t)n;
    if (conn->state == CONN_UPGRADING)
        taken = take_head(conn, swarm, swarm->rx, count);
    if (conn->state > CONN_UPGRADING)
        taken += take_frames(conn, swarm, swarm->rx + taken, count - taken);
    if (conn->state != CONN_FAILED)
        hold(conn, swarm->rx + taken, count - taken);
}

void conn_event(struct conn *conn, struct swarm *swarm, bool writable)
{
    int code = 0;
    socklen_t size = sizeof(code);

    if (conn->state == CONN_FAILED)
        return;
    if (conn->state != CONN_CONNECTING) {
        receive(conn, swarm);
        return;
    }
    if (getsockopt(conn->fd, SOL_SOCKET, SO_ERROR, &code, &size) != 0 || code != 0)
        conn_fail(conn, swarm, strerror(code));
    if (writable)
        send_request(conn, swarm);
}
