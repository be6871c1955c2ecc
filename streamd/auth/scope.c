/* SPDX-License-Identifier: MIT */
#include "streamd/auth/scope.h"

#include <stdio.h>

static const struct {
    const char *word;
    unsigned scope;
} words[] = {{"read", SCOPE_READ}, {"write", SCOPE_WRITE}, {"control", SCOPE_CONTROL}};

enum { WORDS = sizeof(words) / sizeof(words[0]) };

static unsigned scope_of(struct span word)
{
    for (size_t i = 0; i < WORDS; i++) {
        if (span_is(word, words[i].word))
            return words[i].scope;
    }
    return 0;
}

bool scopes_parse(struct span text, unsigned *out)
{
    unsigned scopes = 0;
    while (text.ptr) {
        unsigned scope = scope_of(span_cut(&text, ','));
        if (scope == 0)
            return false;
        scopes |= scope;
    }
    if (scopes == 0)
        return false;
    *out = scopes;
    return true;
}

const char *scopes_text(unsigned scopes, char out[SCOPES_TEXT_MAX])
{
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; i < WORDS; i++) {
        if (scopes & words[i].scope)
            len += (size_t)snprintf(out + len, SCOPES_TEXT_MAX - len, "%s%s", len > 0 ? "," : "",
                                    words[i].word);
    }
    if (len == 0)
        (void)snprintf(out, SCOPES_TEXT_MAX, "nothing");
    return out;
}
