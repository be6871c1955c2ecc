/* SPDX-License-Identifier: MIT */
/*
 * libcurl: the library, loaded when it is first asked for, and kept.
 *
 * For whoever goes out to the network: notices and relays. Linked, it would bring two dozen
 * libraries into every start (decision 011).
 */
#ifndef STREAMD_NOTIFY_LIBCURL_H
#define STREAMD_NOTIFY_LIBCURL_H

#include <curl/curl.h>

#define CURL_CALLS(X)                                                                              \
    X(curl_global_init)                                                                            \
    X(curl_easy_init)                                                                              \
    X(curl_easy_setopt)                                                                            \
    X(curl_easy_perform)                                                                           \
    X(curl_easy_getinfo)                                                                           \
    X(curl_easy_reset)                                                                             \
    X(curl_easy_cleanup)                                                                           \
    X(curl_easy_strerror)                                                                          \
    X(curl_easy_send)                                                                              \
    X(curl_easy_recv)                                                                              \
    X(curl_slist_append)                                                                           \
    X(curl_slist_free_all)

/* curl.h has macros of these names that check types. */
#undef curl_easy_setopt
#undef curl_easy_getinfo

struct curl_calls {
#define CURL_CALL(name) __typeof__ (&(name))(name);
    CURL_CALLS(CURL_CALL)
#undef CURL_CALL
};

#define LIBCURL_MISSING "libcurl.so.4 is not installed"

/* NULL when it is not installed. For any thread. */
const struct curl_calls *libcurl(void);

#endif
