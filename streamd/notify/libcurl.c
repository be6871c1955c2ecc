/* SPDX-License-Identifier: MIT */
#include "streamd/notify/libcurl.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

static struct curl_calls calls;
static bool loaded;
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
        memcpy(&calls.name, &at, sizeof(at));                                                      \
    }
    CURL_CALLS(CURL_CALL)
#undef CURL_CALL
    loaded = complete && calls.curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

const struct curl_calls *libcurl(void)
{
    (void)pthread_once(&load_once, load);
    return loaded ? &calls : NULL;
}
