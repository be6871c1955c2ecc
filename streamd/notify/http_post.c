/* SPDX-License-Identifier: MIT */
/*
 * A connection that is used a second time may have been closed meanwhile, and libcurl would then
 * send the request again by itself, when the first may have been taken; hence a fresh one each
 * time. Loading by name keeps libcurl and the two dozen libraries below it out of the daemon's
 * start and memory (decision 011).
 */
#include "streamd/notify/http_post.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_BYTES_MAX = 16384 };

#define CURL_CALLS(X)                                                                              \
    X(curl_global_init)                                                                            \
    X(curl_easy_init)                                                                              \
    X(curl_easy_setopt)                                                                            \
    X(curl_easy_perform)                                                                           \
    X(curl_easy_getinfo)                                                                           \
    X(curl_easy_reset)                                                                             \
    X(curl_easy_cleanup)                                                                           \
    X(curl_easy_strerror)                                                                          \
    X(curl_slist_append)                                                                           \
    X(curl_slist_free_all)

/* curl.h has macros of these names that check types. */
#undef curl_easy_setopt
#undef curl_easy_getinfo

/* libcurl, once it is loaded; it stays. */
static struct curl_calls {
#define CURL_CALL(name) __typeof__ (&(name))(name);
    CURL_CALLS(CURL_CALL)
#undef CURL_CALL
    bool loaded;
} curl;

static pthread_once_t load_once = PTHREAD_ONCE_INIT;

static void load(void)
{
    static const char *const names[] = {"libcurl.so.4", "libcurl-gnutls.so.4"};
    void *library = NULL;
    for (size_t i = 0; !library && i < sizeof(names) / sizeof(names[0]); i++)
        library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return;
    bool complete = true;
#define CURL_CALL(name)                                                                            \
    {                                                                                              \
        void *at = dlsym(library, #name);                                                          \
        complete = complete && at;                                                                 \
        memcpy(&curl.name, &at, sizeof(at));                                                       \
    }
    CURL_CALLS(CURL_CALL)
#undef CURL_CALL
    curl.loaded = complete && curl.curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

struct http_post {
    CURL *easy; /* owns */
    size_t answer_bytes;
};

struct http_post *http_post_create(const char **why)
{
    (void)pthread_once(&load_once, load);
    if (!curl.loaded) {
        *why = "libcurl.so.4 is not installed";
        return NULL;
    }
    struct http_post *h = calloc(1, sizeof(*h));
    if (h)
        h->easy = curl.curl_easy_init();
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
        curl.curl_easy_cleanup(h->easy);
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

#define SET(option, value) (void)curl.curl_easy_setopt(h->easy, (option), (value))

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

static struct curl_slist *headers_of(const struct parcel *p)
{
    char line[96];
    (void)snprintf(line, sizeof(line), "Idempotency-Key: %s", p->id);
    struct curl_slist *list = curl.curl_slist_append(NULL, "Content-Type: application/json");
    struct curl_slist *longer = list ? curl.curl_slist_append(list, line) : NULL;
    list = longer ? longer : list;
    longer = list ? curl.curl_slist_append(list, "Expect:") : NULL;
    return longer ? longer : list;
}

struct http_answer http_post_send(struct http_post *h, const struct parcel *p, long timeout_ms,
                                  const atomic_bool *abort)
{
    struct http_answer answer = {0};
    curl_off_t retry_s = 0;
    struct curl_slist *headers = headers_of(p);
    curl.curl_easy_reset(h->easy);
    h->answer_bytes = 0;
    set_limits(h, timeout_ms, abort);
    SET(CURLOPT_URL, p->url);
    SET(CURLOPT_USERAGENT, "streamd");
    SET(CURLOPT_HTTPHEADER, headers);
    SET(CURLOPT_POSTFIELDSIZE, (long)p->body_len);
    SET(CURLOPT_POSTFIELDS, p->body);
    CURLcode code = curl.curl_easy_perform(h->easy);
    (void)curl.curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &answer.status);
    (void)curl.curl_easy_getinfo(h->easy, CURLINFO_REQUEST_SIZE, &answer.sent);
    (void)curl.curl_easy_getinfo(h->easy, CURLINFO_RETRY_AFTER, &retry_s);
    answer.retry_s = retry_s > 0 ? (uint64_t)retry_s : 0;
    answer.error = code == CURLE_OK ? NULL : curl.curl_easy_strerror(code);
    curl.curl_slist_free_all(headers);
    return answer;
}
