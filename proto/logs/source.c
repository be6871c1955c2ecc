/* SPDX-License-Identifier: MIT */
#include "proto/logs/source.h"

#include "proto/line.h"

#include <stdlib.h>
#include <string.h>

enum {
    CONFIG_BYTES_MAX = 48 << 10, /* with the rest of a start line, no longer than a line */
    NAMES_BYTES_MAX = 8 << 20,
};

/* In the order of asking: what is unmistakable first. A table of numbers looks like nothing else,
 * so it comes last. */
static const struct source_ops *const formats[] = {
    &source_events,      &source_ndjson,  &source_json, &source_mmengine,
    &source_huggingface, &source_nanogpt, &source_text, &source_csv,
};

const struct source_ops *source_at(size_t index)
{
    return index < sizeof(formats) / sizeof(formats[0]) ? formats[index] : NULL;
}

const struct source_ops *source_find(const char *name, struct span file)
{
    bool any = strcmp(name, "auto") == 0;
    for (size_t i = 0; source_at(i); i++) {
        if (any ? formats[i]->fits(file) : strcmp(name, formats[i]->name) == 0)
            return formats[i];
    }
    return NULL;
}

void source_init(struct source *s, const struct source_ops *ops, struct span file)
{
    *s = (struct source){.ops = ops, .file = file, .rest = file};
    buf_init(&s->config, CONFIG_BYTES_MAX);
    buf_init(&s->text, LINE_BYTES_MAX);
    buf_init(&s->names, NAMES_BYTES_MAX);
}

void source_fini(struct source *s)
{
    free(s->columns);
    buf_fini(&s->config);
    buf_fini(&s->text);
    buf_fini(&s->names);
}

void source_feed(struct source *s, struct span more)
{
    s->file = s->rest = more;
    s->at = 0;
    s->why = NULL;
}

enum status source_refuse(struct source *s, enum status status, const char *at, const char *why)
{
    s->at = (size_t)(at - s->file.ptr);
    s->why = why;
    return status;
}
