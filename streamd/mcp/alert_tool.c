/* SPDX-License-Identifier: MIT */
#include "streamd/mcp/tools.h"

#include "proto/json_write.h"
#include "streamd/app.h"

#include <string.h>

enum { COOLDOWN_DEFAULT_S = 300, FOR_MAX = 1000000 };

static void write_state(struct reply *reply, struct span name, const char *state,
                        const bool *already_true)
{
    struct buf *out = &reply->body;
    buf_add_char(out, '{');
    json_write_pair_string(out, "name", name);
    json_write_pair_string(out, "state", span_of(state));
    if (already_true)
        json_write_pair_bool(out, "already_true", *already_true);
    buf_add_char(out, '}');
}

/* False: it is too long, or there is none. */
static bool copy(struct span text, char *out, size_t cap)
{
    if (text.len == 0 || text.len >= cap)
        return false;
    memcpy(out, text.ptr, text.len);
    return true;
}

static bool needs_value(enum alert_op op)
{
    return op != ALERT_NONFINITE && op != ALERT_NO_IMPROVEMENT;
}

static bool read_rule(const struct mcp_call *call, struct alert_rule *rule, struct reply *reply)
{
    double epochs = answer_number(call, "for_epochs", 1);
    double cooldown = answer_number(call, "cooldown_s", COOLDOWN_DEFAULT_S);
    rule->op = alert_op_find(answer_text(call, "op", SPAN("")));
    rule->value = answer_number(call, "value", 0);
    rule->for_epochs = (uint64_t)(epochs < FOR_MAX ? epochs : FOR_MAX);
    rule->cooldown_s = (uint64_t)(cooldown < 1e9 ? cooldown : 1e9);
    if (!copy(answer_text(call, "name", SPAN("")), rule->name, sizeof(rule->name)))
        answer_refuse(reply, "name must be 1 to 64 bytes.");
    else if (!copy(answer_text(call, "metric", SPAN("")), rule->metric, sizeof(rule->metric)))
        answer_refuse(reply, "Say which metric: 1 to 63 bytes, as get_metrics names it.");
    else if (rule->op == ALERT_OPS)
        answer_refuse(reply, "op must be lt, le, gt, ge, nonfinite or no_improvement.");
    else if (needs_value(rule->op) && !fields_has(call->arguments, "value"))
        answer_refuse(reply, "lt, le, gt and ge need a value.");
    else
        return true;
    return false;
}

static void set(struct mcp_call *call, struct session *s, struct reply *reply)
{
    struct alert_rule rule = {.count = 0};
    const struct alert_rule *kept;
    if (!read_rule(call, &rule, reply))
        return;
    enum status status = alert_rule_set(s, &rule, &kept);
    if (status == E_LIMIT)
        answer_refuse(reply, "A run has at most %d rules: remove one with remove=true.",
                      ALERT_RULES_MAX);
    else if (status != OK)
        answer_refuse(reply, "Out of memory; call again.");
    else
        write_state(reply, span_of(kept->name), kept->firing ? "firing" : "active", &kept->holds);
}

void answer_set_alert(struct mcp_call *call, struct reply *reply)
{
    struct session *s = answer_session(call, "session_id", reply);
    struct span name = answer_text(call, "name", SPAN(""));
    if (!s)
        return;
    if (answer_flag(call, "remove")) {
        (void)alert_rule_remove(s, name);
        write_state(reply, name, "removed", NULL);
    } else {
        set(call, s, reply);
    }
}
