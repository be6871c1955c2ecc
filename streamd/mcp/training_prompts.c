/* SPDX-License-Identifier: MIT */
#include "streamd/mcp/training_tools.h"

#include "proto/json_write.h"
#include "streamd/mcp/answer.h"

enum { PROMPT_MAX = 4096 };

static void say(struct mcp_call *call, const struct buf *text)
{
    struct buf out;
    buf_init(&out, (size_t)8 * PROMPT_MAX);
    buf_add_str(&out, "[{\"role\":\"user\",\"content\":{\"type\":\"text\"");
    json_write_pair_string(&out, "text", buf_span(text));
    buf_add_str(&out, "}}]");
    enum status status = buf_status(text) != OK ? buf_status(text) : buf_status(&out);
    if (status == OK)
        mcp_call_messages(call, buf_span(&out));
    else
        mcp_call_fail(call, status == E_LIMIT ? SPAN("The argument is too long")
                                              : SPAN("Out of memory; call again"));
    buf_fini(&out);
}

static void get_diagnose_run(struct mcp_call *call)
{
    struct buf text;
    struct span id = answer_text(call, "session_id", SPAN(""));
    buf_init(&text, PROMPT_MAX);
    buf_add_str(&text, "Diagnose the training run ");
    buf_add_span(&text, id);
    buf_add_str(
        &text, ". Call assess_health first: its verdict and evidence are computed, not guessed. If "
               "it names a finding, call get_metrics with stats_only for the metrics in question, "
               "and with points only if the shape of the curve matters. Then say in at most five "
               "sentences what is happening, since when, how sure that is, and what to do. If the "
               "verdict is kill or stop_soon, say what stopping now saves and which checkpoint to "
               "use; ask before you call request_stop.");
    say(call, &text);
    buf_fini(&text);
}

static void get_compare_runs(struct mcp_call *call)
{
    struct buf text;
    struct span ids = answer_text(call, "session_ids", SPAN(""));
    struct span metric = answer_text(call, "metric", SPAN("val_loss"));
    buf_init(&text, PROMPT_MAX);
    buf_add_str(&text, "Compare the training runs ");
    buf_add_span(&text, ids);
    buf_add_str(&text, " by ");
    buf_add_span(&text, metric);
    buf_add_str(&text,
                ". Call compare_sessions with these session_ids and that metric, once with at=best "
                "and once with at=common_epoch, so that a run that went on for longer does not win "
                "by that alone. Say which is better and by how much, which of the differences in "
                "config_diff may explain it, and what to try next.");
    say(call, &text);
    buf_fini(&text);
}

static const struct mcp_argument of_diagnose[] = {
    {.name = "session_id",
     .description = "The run, as list_sessions names it",
     .required = true,
     .complete = training_complete_id},
    {.name = NULL},
};

static const struct mcp_argument of_compare[] = {
    {.name = "session_ids",
     .description = "Two to six runs, with commas between them",
     .required = true},
    {.name = "metric", .description = "What to compare them by; val_loss if it is left out"},
    {.name = NULL},
};

static const struct mcp_prompt diagnose_run = {
    .name = "diagnose_run",
    .title = "Diagnose a run",
    .description = "What is happening to a run, and what to do about it.",
    .arguments = of_diagnose,
    .get = get_diagnose_run,
};

static const struct mcp_prompt compare_runs = {
    .name = "compare_runs",
    .title = "Compare runs",
    .description = "Which run is better, and why.",
    .arguments = of_compare,
    .get = get_compare_runs,
};

const struct mcp_prompt *const training_prompts[] = {&diagnose_run, &compare_runs, NULL};
