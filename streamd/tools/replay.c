/* SPDX-License-Identifier: MIT */
/*
 * replay: one run of a file through the engine, a point at a time, as a candidate of an evaluation
 * wants it: each answer is out before the next point is read.
 */
#include "insight/insight.h"
#include "streamd/tools/model_file.h"
#include "streamd/tools/replay_features.h"
#include "streamd/tools/replay_line.h"
#include "streamd/tools/tool_options.h"

#include <stdlib.h>
#include <string.h>

enum { ANSWER_MAX = 4096 };

struct replay_flags {
    const char *tau, *caution, *model;
    bool strict, features;
};

const struct tool_option replay_options[] = {
    {"tau", "P", NULL,
     "advise to stop where the chance of a gain is below P with half of the plan left, below less "
     "with less (0.14, strict 0.15); 1: whatever it is",
     offsetof(struct replay_flags, tau)},
    {"caution", "FACTOR", NULL, "scale every patience (0.7, strict 0.4)",
     offsetof(struct replay_flags, caution)},
    {"strict", NULL, NULL, "judge gains against the range since a tenth of the run",
     offsetof(struct replay_flags, strict)},
    {"model", "FILE", NULL, "constants as scripts/insight-fit writes them (default: built in)",
     offsetof(struct replay_flags, model)},
    {"features", NULL, NULL, "answer with what the models are told instead, to fit them",
     offsetof(struct replay_flags, features)},
    {0},
};

struct replayer {
    const struct tool *tool;
    struct insight_config config;
    struct insight_model model;
    struct insight run;
    struct buf answer;
    bool features;
    char *line; /* owns; getline's */
    size_t line_cap;
    uint64_t number; /* of the line, from 1 */
};

/* False at the end of the input. */
static bool next_line(struct replayer *r, struct span *out)
{
    ssize_t n = getline(&r->line, &r->line_cap, stdin);
    if (n < 0)
        return false;
    r->number++;
    *out = span_trim((struct span){r->line, (size_t)n});
    return true;
}

static bool answer(struct replayer *r, struct span line)
{
    struct point p;
    if (replay_read_point(line, &p) != OK)
        return false;
    buf_reset(&r->answer);
    (void)insight_point(&r->run, &p);
    if (r->features)
        replay_write_features(&r->answer, &r->run);
    else
        replay_write(&r->answer, insight_now(&r->run));
    struct span text = buf_span(&r->answer);
    return buf_status(&r->answer) == OK && fwrite(text.ptr, 1, text.len, stdout) == text.len &&
           fflush(stdout) == 0;
}

static int play(struct replayer *r)
{
    struct span line;
    if (!next_line(r, &line))
        return tool_fail(r->tool, "there is no header");
    bool good = replay_read_header(line, &r->config) == OK;
    insight_init(&r->run, &r->config);
    while (good && next_line(r, &line))
        good = answer(r, line);
    if (!good)
        return tool_fail(r->tool, "line %llu: no JSON object, or nobody reads the answer",
                         (unsigned long long)r->number);
    return TOOL_GOOD;
}

/* NULL: the default. */
static bool read_factor(const char *text, double *out)
{
    char *end;
    if (!text)
        return true;
    *out = strtod(text, &end);
    return *end == '\0' && *out > 0 && *out <= 1000;
}

static int open_and_play(struct replayer *r, const struct replay_flags *flags)
{
    const char *why;
    r->config.strict = flags->strict;
    if (!read_factor(flags->tau, &r->config.tau))
        return tool_refuse(r->tool, "--tau: expected a chance above 0");
    if (!read_factor(flags->caution, &r->config.caution))
        return tool_refuse(r->tool, "--caution: expected a factor above 0");
    if (flags->model) {
        if (!model_file_read(flags->model, &r->model, &why))
            return tool_fail(r->tool, "%s: %s", flags->model, why);
        r->config.model = &r->model;
    }
    r->features = flags->features;
    buf_init(&r->answer, ANSWER_MAX);
    int status = play(r);
    buf_fini(&r->answer);
    free(r->line);
    return status;
}

int tool_replay(const struct tool *tool, int argc, char **argv)
{
    struct replay_flags flags = {0};
    int count;
    int status;
    if (!tool_begin(tool, argc, argv, &flags, &count, &status))
        return status;
    if (count > 0)
        return tool_refuse(tool, "it takes no argument; the run comes on standard input");
    struct replayer *r = calloc(1, sizeof(*r)); /* too large for a stack */
    if (!r)
        return tool_fail(tool, "%s", status_text(E_NOMEM));
    r->tool = tool;
    status = open_and_play(r, &flags);
    free(r);
    return status;
}
