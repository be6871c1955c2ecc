/* SPDX-License-Identifier: MIT */
/*
 * phase: the nine things a run can be doing, and every word that is said of them.
 *
 * One table for the engine, the wire, the notices and the documentation. Which phase a run is in is
 * decided in verdict.c; here is only what they are called.
 */
#ifndef INSIGHT_PHASE_H
#define INSIGHT_PHASE_H

/* X(phase, name on the wire, emoji, what it means, typical action, advice to whoever watches) */
#define PHASE_TABLE(X)                                                                             \
    X(PHASE_INITIALIZING, "INITIALIZING", "🟡", "Too little was seen to judge the run", "wait",  \
      "The run has just begun. Wait for more samples.")                                            \
    X(PHASE_WARMUP, "WARMUP", "🟡", "The learning rate ramps up, or the first epochs are slow",  \
      "wait", "The run is still warming up. Wait before judging it.")                              \
    X(PHASE_LEARNING_FAST, "LEARNING_FAST", "🟢", "Improving by more than 5 % an epoch",         \
      "monitor", "The run learns fast. Let it run.")                                               \
    X(PHASE_STABLE_CONVERGENCE, "STABLE_CONVERGENCE", "🔵", "Improving by 1 to 5 % an epoch",       \
      "continue", "The run converges steadily. Continue.")                                         \
    X(PHASE_PLATEAU, "PLATEAU", "🟠", "Improving by less than 1 % an epoch",                     \
      "consider stopping",                                                                         \
      "Little is gained any more. Consider stopping, or lowering the learning rate.")              \
    X(PHASE_OVERFITTING_RISK, "OVERFITTING_RISK", "🔴",                                             \
      "Validation gets worse while training gets better", "stop soon",                             \
      "The run overfits. Stop soon and use the best checkpoint.")                                  \
    X(PHASE_DIVERGING, "DIVERGING", "💥", "The loss is not finite any more, or explodes",           \
      "kill now", "The run diverges. Kill it now; lower the learning rate or clip gradients.")     \
    X(PHASE_CONVERGED, "CONVERGED", "✅", "The planned work is done", "done",                       \
      "The run is done. Use the best checkpoint.")                                                 \
    X(PHASE_CRASHED, "CRASHED", "💥", "The trainer died", "look at the log",                        \
      "The trainer died. Look at its log.")

enum insight_phase {
#define PHASE_ENUM(phase, name, emoji, description, action, advice) phase,
    PHASE_TABLE(PHASE_ENUM)
#undef PHASE_ENUM
        PHASES
};

/* All strings are static UTF-8. */
struct phase_words {
    const char *name;        /* "PLATEAU", as the wire has it */
    const char *emoji;       /* "🟠" */
    const char *description; /* "Improving by less than 1 % an epoch" */
    const char *action;      /* "consider stopping" */
    const char *advice;      /* a sentence or two */
};

/* Never NULL; asserts phase < PHASES. */
const struct phase_words *phase_words(enum insight_phase phase);

#endif
