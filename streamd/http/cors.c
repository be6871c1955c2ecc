/* SPDX-License-Identifier: MIT */
/*
 * An origin is taken apart and compared by its parts: comparing texts would have to know that
 * `HTTP://Localhost`, a missing port and `:80` mean the same, and a prefix or suffix test is how
 * `good.example.evil.example` gets in. What cannot be taken apart is nobody. Nothing is kept
 * between calls; taking apart a handful of short texts costs less than a table would.
 */
#include "streamd/http/cors.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

struct origin {
    struct span scheme;
    struct span host; /* an IPv6 address without its brackets */
    bool bracketed;
    uint64_t port; /* 0: the scheme's own is unknown to us and none was named */
};

static bool same_nocase(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || strncasecmp(a.ptr, b.ptr, a.len) == 0);
}

static bool all_of(struct span s, const char *punctuation)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!alnum && (c == '\0' || !strchr(punctuation, c)))
            return false;
    }
    return s.len > 0;
}

/* `:port` or nothing. */
static bool parse_port(struct span text, uint64_t default_port, uint64_t *out)
{
    if (text.len == 0) {
        *out = default_port;
        return true;
    }
    if (text.ptr[0] != ':' || text.len > 6)
        return false;
    return span_u64((struct span){text.ptr + 1, text.len - 1}, out) && *out >= 1 && *out <= 65535;
}

/* `name[:port]` or `[v6][:port]` */
static bool parse_host(struct span text, uint64_t default_port, struct origin *out)
{
    const char *end = text.ptr + text.len;
    const char *after;
    out->bracketed = text.len > 0 && text.ptr[0] == '[';
    if (out->bracketed) {
        const char *close = memchr(text.ptr, ']', text.len);
        if (!close)
            return false;
        out->host = (struct span){text.ptr + 1, (size_t)(close - text.ptr) - 1};
        after = close + 1;
    } else {
        const char *colon = text.len > 0 ? memchr(text.ptr, ':', text.len) : NULL;
        after = colon ? colon : end;
        out->host = (struct span){text.ptr, (size_t)(after - text.ptr)};
    }
    if (!all_of(out->host, out->bracketed ? ":." : "-._"))
        return false;
    return parse_port((struct span){after, (size_t)(end - after)}, default_port, &out->port);
}

static uint64_t default_port_of(struct span scheme)
{
    if (span_is_nocase(scheme, "http"))
        return 80;
    return span_is_nocase(scheme, "https") ? 443 : 0;
}

static bool parse_origin(struct span text, struct origin *out)
{
    const char *colon = text.len > 3 ? memchr(text.ptr, ':', text.len - 2) : NULL;
    if (!colon || memcmp(colon, "://", 3) != 0)
        return false;
    out->scheme = (struct span){text.ptr, (size_t)(colon - text.ptr)};
    if (!all_of(out->scheme, "+-."))
        return false;
    const char *host = colon + 3;
    struct span rest = {host, (size_t)(text.ptr + text.len - host)};
    return parse_host(rest, default_port_of(out->scheme), out);
}

static bool same_origin(const struct origin *a, const struct origin *b)
{
    return a->port == b->port && a->bracketed == b->bracketed && same_nocase(a->host, b->host) &&
           same_nocase(a->scheme, b->scheme);
}

static bool is_localhost(const struct origin *o)
{
    if (o->bracketed)
        return span_is(o->host, "::1");
    return span_is_nocase(o->host, "localhost") || span_is(o->host, "127.0.0.1");
}

/* Whether the page came from the address it now asks; the scheme is the page's, since a proxy in
 * front of us may speak TLS. */
static bool asks_itself(const struct origin *origin, struct span host)
{
    struct origin asked = {.scheme = origin->scheme};
    return parse_host(host, default_port_of(origin->scheme), &asked) && same_origin(origin, &asked);
}

bool cors_allowed(const struct config *config, struct span origin, struct span host)
{
    struct origin page;
    if (origin.len == 0)
        return true;
    if (!parse_origin(origin, &page))
        return false;
    bool web = default_port_of(page.scheme) != 0;
    if (web && (is_localhost(&page) || asks_itself(&page, host)))
        return true;
    for (size_t i = 0; i < config->allow_origin_count; i++) {
        struct origin allowed;
        if (parse_origin(span_of(config->allow_origin[i]), &allowed) &&
            same_origin(&page, &allowed))
            return true;
    }
    return false;
}

bool host_valid(struct span host)
{
    struct origin parsed;
    return parse_host(host, 80, &parsed);
}

static bool is_ip_address(const struct origin *o)
{
    unsigned char address[sizeof(struct in6_addr)];
    char text[INET6_ADDRSTRLEN];
    if (o->host.len >= sizeof(text))
        return false;
    memcpy(text, o->host.ptr, o->host.len);
    text[o->host.len] = '\0';
    return inet_pton(o->bracketed ? AF_INET6 : AF_INET, text, address) == 1;
}

static bool listens_on_loopback_only(const struct config *config)
{
    for (size_t i = 0; i < config->listen_count; i++) {
        struct span address = span_of(config->listen[i]);
        if (!span_starts(address, SPAN("127.")) && !span_starts(address, SPAN("[::1]:")) &&
            !span_starts(address, SPAN("localhost:")))
            return false;
    }
    return true;
}

bool host_allowed(const struct config *config, struct span host)
{
    struct origin asked;
    if (!parse_host(host, 80, &asked))
        return false;
    if (is_localhost(&asked) || is_ip_address(&asked) || !listens_on_loopback_only(config))
        return true;
    for (size_t i = 0; i < config->allow_origin_count; i++) {
        struct origin allowed;
        if (parse_origin(span_of(config->allow_origin[i]), &allowed) &&
            same_nocase(asked.host, allowed.host))
            return true;
    }
    return false;
}
