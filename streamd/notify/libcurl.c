/* SPDX-License-Identifier: MIT */
#include "streamd/notify/libcurl.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static struct curl_calls calls;
static const struct {
    const char *name;
    size_t at;
} rows[] = {
#define CURL_ROW(name) {#name, offsetof(struct curl_calls, name)},
    CURL_CALLS(CURL_ROW)
#undef CURL_ROW
};
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
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        void *at = dlsym(library, rows[i].name);
        complete = complete && at;
        memcpy((char *)&calls + rows[i].at, &at, sizeof(at));
    }
    loaded = complete && calls.curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

const struct curl_calls *libcurl(void)
{
    (void)pthread_once(&load_once, load);
    return loaded ? &calls : NULL;
}
