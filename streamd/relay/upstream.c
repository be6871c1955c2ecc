/* SPDX-License-Identifier: MIT */
#include "streamd/relay/upstream.h"

#include "streamd/ingest/feed.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { WAIT_S = 7 }; /* more than a tunnel takes to notice */

/* The scheme's, as curl names it; NULL: none of ours. */
static const char *cut_scheme(struct span *url)
{
    static const struct {
        const char *given;
        const char *plain;
    } schemes[] = {{"http://", "http://"},
                   {"https://", "https://"},
                   {"ws://", "http://"},
                   {"wss://", "https://"}};
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        struct span given = span_of(schemes[i].given);
        if (!span_starts(*url, given))
            continue;
        *url = (struct span){url->ptr + given.len, url->len - given.len};
        return schemes[i].plain;
    }
    return NULL;
}

static bool is_plain(struct span url)
{
    for (size_t i = 0; i < url.len; i++) {
        if (url.ptr[i] <= ' ' || url.ptr[i] > '~' || strchr("?#\"\\", url.ptr[i]))
            return false;
    }
    return true;
}

const char *upstream_init(struct upstream *h, const char *url)
{
    struct span rest = span_of(url);
    *h = (struct upstream){.encrypted = false};
    const char *scheme = cut_scheme(&rest);
    if (!scheme)
        return "the address of the hub begins with http://, https://, ws:// or wss://";
    if (rest.len + strlen(FEED_PATH) + strlen(scheme) + 2 > UPSTREAM_URL_MAX || !is_plain(rest))
        return "the address of the hub is too long, or has characters that no address has";
    struct span host = span_cut(&rest, '/');
    if (host.len == 0 || memchr(host.ptr, '@', host.len))
        return "the address of the hub is SCHEME://HOST[:PORT][/PATH]; a token goes in a file";
    while (rest.len > 0 && rest.ptr[rest.len - 1] == '/')
        rest.len--;
    (void)snprintf(h->url, sizeof(h->url), "%s%.*s/", scheme, (int)host.len, host.ptr);
    (void)snprintf(h->host, sizeof(h->host), "%.*s", (int)host.len, host.ptr);
    (void)snprintf(h->path, sizeof(h->path), "%s%.*s%s", rest.len > 0 ? "/" : "", (int)rest.len,
                   rest.len > 0 ? rest.ptr : "", FEED_PATH);
    (void)snprintf(h->base, sizeof(h->base), "%s%.*s%s%.*s", scheme, (int)host.len, host.ptr,
                   rest.len > 0 ? "/" : "", (int)rest.len, rest.len > 0 ? rest.ptr : "");
    h->encrypted = strcmp(scheme, "https://") == 0;
    (void)pthread_mutex_init(&h->lock, NULL);
    (void)pthread_cond_init(&h->quiet, NULL);
    return NULL;
}

void upstream_fini(struct upstream *h)
{
    struct timespec until;
    int result = 0;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_S;
    (void)pthread_mutex_lock(&h->lock);
    while (h->tunnels > 0 && result != ETIMEDOUT)
        result = pthread_cond_timedwait(&h->quiet, &h->lock, &until);
    bool quiet = h->tunnels == 0;
    (void)pthread_mutex_unlock(&h->lock);
    if (!quiet)
        return; /* the process ends with it; a thread still has the lock */
    (void)pthread_mutex_destroy(&h->lock);
    (void)pthread_cond_destroy(&h->quiet);
}

const char *upstream_set_token(struct upstream *h, struct span text)
{
    text = span_trim(text);
    if (text.len == 0 || text.len >= sizeof(h->token))
        return "the token is empty, or longer than 1023 bytes";
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] <= ' ' || text.ptr[i] > '~')
            return "the token has characters that no token has";
    }
    memcpy(h->token, text.ptr, text.len);
    h->token[text.len] = '\0';
    return NULL;
}

bool upstream_leaks_token(const struct upstream *h)
{
    struct span host = span_of(h->host);
    return h->token[0] && !h->encrypted && !span_starts(host, SPAN("127.")) &&
           !span_starts(host, SPAN("localhost")) && !span_starts(host, SPAN("[::1]"));
}

void upstream_note(struct upstream *h, const char *why)
{
    (void)pthread_mutex_lock(&h->lock);
    (void)snprintf(h->why, sizeof(h->why), "%s", why);
    (void)pthread_mutex_unlock(&h->lock);
}

void upstream_why(struct upstream *h, char out[UPSTREAM_WHY_MAX])
{
    (void)pthread_mutex_lock(&h->lock);
    memcpy(out, h->why, UPSTREAM_WHY_MAX);
    (void)pthread_mutex_unlock(&h->lock);
}

void upstream_count(struct upstream *h, int change)
{
    (void)pthread_mutex_lock(&h->lock);
    h->tunnels += (unsigned)change;
    if (h->tunnels == 0)
        (void)pthread_cond_broadcast(&h->quiet);
    (void)pthread_mutex_unlock(&h->lock);
}
