/* SPDX-License-Identifier: MIT */
/*
 * A connection that is used a second time may have been closed meanwhile, and libcurl would then
 * send the request again by itself, when the first may have been taken; hence a fresh one each
 * time.
 */
#include "streamd/notify/http_post.h"

#include "streamd/notify/libcurl.h"

#include <stdio.h>
#include <stdlib.h>

enum { ANSWER_BYTES_MAX = 16384 };

struct http_post {
    const struct curl_calls *curl; /* borrows */
    CURL *easy;                    /* owns */
    size_t answer_bytes;
};

struct http_post *http_post_create(const char **why)
{
    const struct curl_calls *curl = libcurl();
    if (!curl) {
        *why = LIBCURL_MISSING;
        return NULL;
    }
    struct http_post *h = calloc(1, sizeof(*h));
    if (h) {
        h->curl = curl;
        h->easy = curl->curl_easy_init();
    }
    if (!h || !h->easy) {
        *why = "no memory";
        http_post_destroy(h);
        return NULL;
    }
    return h;
}

void http_post_destroy(struct http_post *h)
{
    if (h && h->easy)
        h->curl->curl_easy_cleanup(h->easy);
    free(h);
}

/* What the answer says does not matter; how much it says does. */
static size_t on_bytes(char *bytes, size_t size, size_t count, void *http_post)
{
    struct http_post *h = http_post;
    (void)bytes;
    h->answer_bytes += size * count;
    return h->answer_bytes > ANSWER_BYTES_MAX ? 0 : size * count;
}

/* Called again and again while something is waited for. */
static int on_wait(void *abort, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    (void)a, (void)b, (void)c, (void)d;
    return atomic_load((const atomic_bool *)abort);
}

#define SET(option, value) (void)h->curl->curl_easy_setopt(h->easy, (option), (value))

static void set_limits(struct http_post *h, long timeout_ms, const atomic_bool *abort)
{
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_TIMEOUT_MS, timeout_ms);
    SET(CURLOPT_CONNECTTIMEOUT_MS, timeout_ms);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_FRESH_CONNECT, 1L);
    SET(CURLOPT_FORBID_REUSE, 1L);
    SET(CURLOPT_NOPROGRESS, 0L);
    SET(CURLOPT_XFERINFOFUNCTION, on_wait);
    SET(CURLOPT_XFERINFODATA, (void *)(uintptr_t)abort);
    SET(CURLOPT_WRITEFUNCTION, on_bytes);
    SET(CURLOPT_WRITEDATA, h);
}

static struct curl_slist *headers_of(const struct curl_calls *curl, const struct parcel *p)
{
    char line[96];
    (void)snprintf(line, sizeof(line), "Idempotency-Key: %s", p->id);
    struct curl_slist *list = curl->curl_slist_append(NULL, "Content-Type: application/json");
    struct curl_slist *longer = list ? curl->curl_slist_append(list, line) : NULL;
    list = longer ? longer : list;
    longer = list ? curl->curl_slist_append(list, "Expect:") : NULL;
    return longer ? longer : list;
}

struct http_answer http_post_send(struct http_post *h, const struct parcel *p, long timeout_ms,
                                  const atomic_bool *abort)
{
    const struct curl_calls *curl = h->curl;
    struct http_answer answer = {0};
    curl_off_t retry_s = 0;
    struct curl_slist *headers = headers_of(curl, p);
    curl->curl_easy_reset(h->easy);
    h->answer_bytes = 0;
    set_limits(h, timeout_ms, abort);
    SET(CURLOPT_URL, p->url);
    SET(CURLOPT_USERAGENT, "streamd");
    SET(CURLOPT_HTTPHEADER, headers);
    SET(CURLOPT_POSTFIELDSIZE, (long)p->body_len);
    SET(CURLOPT_POSTFIELDS, p->body);
    CURLcode code = curl->curl_easy_perform(h->easy);
    (void)curl->curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &answer.status);
    (void)curl->curl_easy_getinfo(h->easy, CURLINFO_REQUEST_SIZE, &answer.sent);
    (void)curl->curl_easy_getinfo(h->easy, CURLINFO_RETRY_AFTER, &retry_s);
    answer.retry_s = retry_s > 0 ? (uint64_t)retry_s : 0;
    answer.error = code == CURLE_OK ? NULL : curl->curl_easy_strerror(code);
    curl->curl_slist_free_all(headers);
    return answer;
}
