/* SPDX-License-Identifier: MIT */
#include "streamd/tools/daemon_call.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool receive_all(struct daemon_link *l, struct buf *out)
{
    char piece[16384];
    ssize_t n;
    while ((n = daemon_link_receive(l, piece, sizeof(piece))) > 0)
        buf_add(out, piece, (size_t)n);
    return n == 0;
}

static void write_request(const struct daemon_call *call, const struct daemon_place *place,
                          struct buf *out)
{
    bool is_v6 = strchr(place->host, ':') != NULL;
    buf_addf(out, "%s %s HTTP/1.0\r\nUser-Agent: streamd\r\nHost: %s%s%s:%s\r\n", call->method,
             call->path, is_v6 ? "[" : "", place->host, is_v6 ? "]" : "", place->port);
    const char *token = getenv("STREAMD_TOKEN");
    if (token && *token)
        buf_addf(out, "Authorization: Bearer %s\r\n", token);
    if (call->body.len > 0)
        buf_addf(out, "Content-Type: application/json\r\nContent-Length: %zu\r\n", call->body.len);
    buf_add_str(out, "\r\n");
    buf_add_span(out, call->body);
}

bool daemon_take_head(struct buf *answer, int *out_status)
{
    struct span all = buf_span(answer);
    uint64_t status;
    const char *end = all.len > 0 ? memmem(all.ptr, all.len, "\r\n\r\n", 4) : NULL;
    if (!end || all.len < 12 || !span_starts(all, SPAN("HTTP/1.")) ||
        !span_u64((struct span){all.ptr + 9, 3}, &status))
        return false;
    *out_status = (int)status;
    buf_consume(answer, (size_t)(end - all.ptr) + 4);
    return true;
}

const char *daemon_open(const struct daemon_call *call, struct daemon_link *out)
{
    const char *url = call->url ? call->url : getenv("STREAMD_URL");
    struct daemon_place place;
    struct buf request;
    if (!daemon_place_read(url ? url : "http://127.0.0.1:5001", &place))
        return "the address must be http://host:port or https://host:port";
    const char *why = daemon_link_open(out, &place, call->ca_file);
    if (why)
        return why;
    buf_init(&request, 1 << 20);
    write_request(call, &place, &request);
    bool sent = buf_status(&request) == OK && daemon_link_send(out, buf_span(&request));
    buf_fini(&request);
    if (sent)
        return NULL;
    why = strerror(errno);
    daemon_link_close(out);
    return why;
}

const char *daemon_call(const struct daemon_call *call, int *out_status, struct buf *out)
{
    struct daemon_link l;
    const char *why = daemon_open(call, &l);
    if (why)
        return why;
    if (!receive_all(&l, out))
        why = strerror(errno);
    daemon_link_close(&l);
    if (why)
        return why;
    if (buf_status(out) != OK)
        return status_text(buf_status(out));
    return daemon_take_head(out, out_status) ? NULL : "what answers there is no daemon of ours";
}

void daemon_path_add(struct buf *path, const char *text)
{
    buf_add_char(path, '/');
    for (; *text; text++) {
        bool plain = (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') ||
                     (*text >= '0' && *text <= '9') || strchr("-._~", *text);
        if (plain)
            buf_add_char(path, *text);
        else
            buf_addf(path, "%%%02X", (unsigned char)*text);
    }
}
