/* SPDX-License-Identifier: MIT */
#include "insight/phase.h"

#include <assert.h>

static const struct phase_words words[PHASES] = {
#define PHASE_WORDS(phase, name, emoji, description, action, advice)                               \
    [phase] = {name, emoji, description, action, advice},
    PHASE_TABLE(PHASE_WORDS)
#undef PHASE_WORDS
};

const struct phase_words *phase_words(enum insight_phase phase)
{
    assert(phase < PHASES);
    return &words[phase];
}
