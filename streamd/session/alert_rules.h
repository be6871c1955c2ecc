/* SPDX-License-Identifier: MIT */
/*
 * alert_rules: what a user wants to be told of one run, in his own terms.
 *
 * A rule holds one metric against a condition. Each record that has the metric is looked at; when
 * the condition has held for so many epochs in a row (records, where the run says no epochs) the
 * rule fires: as `alert` in the run's room, in the bulletin and to people (notify). Then it is
 * silent for its cooldown, and fires again after it only if the condition still holds. A session
 * owns its rules, at most ALERT_RULES_MAX of them, and keeps them, and how they stand, in its row.
 */
#ifndef STREAMD_SESSION_ALERT_RULES_H
#define STREAMD_SESSION_ALERT_RULES_H

#include "base/buf.h"
#include "base/status.h"
#include "streamd/clock.h"
#include "streamd/session/record_point.h"

enum {
    ALERT_RULES_MAX = 16,
    ALERT_NAME_MAX = 65,
    ALERT_TEXT_MAX = 200,
    ALERT_RULES_BYTES_MAX = 32768, /* as a row has them */
};

/* X(op, name on the wire, as it is said) */
#define ALERT_OP_TABLE(X)                                                                          \
    X(ALERT_LT, "lt", "below")                                                                     \
    X(ALERT_LE, "le", "at most")                                                                   \
    X(ALERT_GT, "gt", "above")                                                                     \
    X(ALERT_GE, "ge", "at least")                                                                  \
    X(ALERT_NONFINITE, "nonfinite", "not finite")                                                  \
    X(ALERT_NO_IMPROVEMENT, "no_improvement", "without improvement")

enum alert_op {
#define ALERT_OP_ENUM(op, name, words) op,
    ALERT_OP_TABLE(ALERT_OP_ENUM)
#undef ALERT_OP_ENUM
        ALERT_OPS
};

struct session;
struct record;

struct alert_rule {
    char name[ALERT_NAME_MAX];
    char metric[METRIC_NAME_MAX]; /* as history calls it, or what it means: val_loss */
    enum alert_op op;
    double value; /* of no_improvement: what counts as one, at least */
    uint64_t for_epochs;
    uint64_t cooldown_s;
    /* How it stands. */
    bool holds;         /* the newest value meets the condition */
    bool firing;        /* and has for long enough */
    bool seen;          /* there was a value */
    uint64_t count;     /* epochs in a row that it has held for, or without improvement */
    double epoch;       /* of the newest value; NaN: not said */
    double best;        /* no_improvement */
    uint64_t times;     /* that it fired */
    uint64_t silent_us; /* until then; 0: it may fire */
};

struct alert_rules {
    struct alert_rule *rules; /* owns; NULL while there are none */
    size_t count;
};

/* ALERT_OPS when there is none of that name. */
enum alert_op alert_op_find(struct span name);
const char *alert_op_name(enum alert_op op);

/* Creates the rule of that name or replaces it; one that is the same already stays as it stands.
 * It is held against the newest value at once (out->holds), and told from the next one on.
 * E_LIMIT, E_NOMEM. */
MUST_CHECK enum status alert_rule_set(struct session *s, const struct alert_rule *rule,
                                      const struct alert_rule **out);

/* False: there was none. */
bool alert_rule_remove(struct session *s, struct span name);

/* A record was kept: `r` is completed. */
void alert_rules_record(struct session *s, const struct record *r, struct now now);

/* How many fire. */
unsigned alert_rules_firing(const struct session *s);

/* "val_loss is 0.31, above 0.3 for 2 epochs" */
void alert_rule_write(const struct alert_rule *rule, double value, char out[ALERT_TEXT_MAX]);

/* Appends them as JSON, nothing when there are none; ages are on the store's clock, which is
 * `age_base_us` ahead of ours. */
void alert_rules_write(const struct alert_rules *a, uint64_t age_base_us, struct buf *out);

/* The same back, in place of those there are. E_NOMEM: there are none. */
MUST_CHECK enum status alert_rules_read(struct alert_rules *a, uint64_t age_base_us,
                                        struct span array);

void alert_rules_fini(struct alert_rules *a);

#endif
