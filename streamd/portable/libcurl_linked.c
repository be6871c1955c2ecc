/* SPDX-License-Identifier: MIT */
/*
 * The other answer to streamd/notify/libcurl.h: the library is in the program. Only `make portable`
 * links it (decision 021).
 */
#include "streamd/notify/libcurl.h"

#include <pthread.h>
#include <stdbool.h>

static const struct curl_calls calls = {
#define CURL_LINKED(name) .name = (name),
    CURL_CALLS(CURL_LINKED)
#undef CURL_LINKED
};
static bool begun;
static pthread_once_t begin_once = PTHREAD_ONCE_INIT;

static void begin(void)
{
    begun = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

const struct curl_calls *libcurl(void)
{
    (void)pthread_once(&begin_once, begin);
    return begun ? &calls : NULL;
}
