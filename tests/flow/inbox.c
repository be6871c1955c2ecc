/* SPDX-License-Identifier: MIT */
/*
 * What a test asks of a client's inbox. What was looked at is kept until the client reacts again,
 * so a heard event may be looked at in several ways.
 */
#include "tests/flow/client_parts.h"
#include "tests/flow/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

static char *copy(struct span s)
{
    char *text = malloc(s.len + 1);
    assert_non_null(text);
    memcpy(text, s.ptr, s.len);
    text[s.len] = '\0';
    return text;
}

void client_inbox_forget(struct client *c)
{
    if (c->next == 0)
        return;
    for (size_t i = 0; i < c->next; i++) {
        free(c->inbox[i].event);
        free(c->inbox[i].data);
    }
    c->count -= c->next;
    memmove(c->inbox, c->inbox + c->next, c->count * sizeof(*c->inbox));
    c->next = 0;
}

void client_inbox_add(struct client *c, struct span event, struct span data, uint64_t id)
{
    if (c->next == c->count)
        client_inbox_forget(c);
    if (c->count == c->cap) {
        c->cap = c->cap ? c->cap * 2 : 16;
        c->inbox = realloc(c->inbox, c->cap * sizeof(*c->inbox));
        assert_non_null(c->inbox);
    }
    cJSON *json = cJSON_ParseWithLengthOpts(data.ptr, data.len, NULL, false);
    if (!json)
        fail_msg("%.*s came with bad JSON: %.*s", (int)event.len, event.ptr, (int)data.len,
                 data.ptr);
    cJSON_Delete(json);
    c->inbox[c->count++] = (struct heard){
        .event = copy(event), .data = copy(data), .id = id, .at_us = c->world->now.us};
}

const struct heard *client_hears(struct client *c, const char *event)
{
    if (c->next == c->count)
        fail_msg("%s: %s expected, nothing came (close code %u, status %d)",
                 tongue_names[c->tongue], event, c->close_code, c->refused);
    const struct heard *h = &c->inbox[c->next++];
    if (strcmp(h->event, event) != 0)
        fail_msg("%s: %s expected, not %s %s", tongue_names[c->tongue], event, h->event, h->data);
    return h;
}

void client_hears_nothing(struct client *c)
{
    if (c->next < c->count)
        fail_msg("%s: nothing expected, not %s %s", tongue_names[c->tongue],
                 c->inbox[c->next].event, c->inbox[c->next].data);
}

void client_hears_step(struct client *c, unsigned step)
{
    const struct heard *h = client_hears(c, "progress_update");
    double came = heard_number(h, "metrics.currentStep");
    if (came != step)
        fail_msg("%s: step %u expected, not %.0f", tongue_names[c->tongue], step, came);
}

size_t client_counts(struct client *c, const char *event)
{
    size_t n = 0;
    for (; c->next < c->count; c->next++)
        n += strcmp(c->inbox[c->next].event, event) == 0;
    return n;
}

/* The member of a tree by a dotted path, or NULL. */
static const cJSON *find(const cJSON *at, const char *path)
{
    char names[128];
    char *rest = names;
    (void)snprintf(names, sizeof(names), "%s", path);
    for (char *name = strtok_r(rest, ".", &rest); name && at; name = strtok_r(NULL, ".", &rest))
        at = cJSON_GetObjectItemCaseSensitive(at, name);
    return at;
}

double heard_number(const struct heard *h, const char *path)
{
    cJSON *tree = cJSON_Parse(h->data);
    const cJSON *at = find(tree, path);
    if (!cJSON_IsNumber(at))
        fail_msg("no number %s in %s %s", path, h->event, h->data);
    double value = at->valuedouble;
    cJSON_Delete(tree);
    return value;
}

bool heard_is(const struct heard *h, const char *path, const char *text)
{
    cJSON *tree = cJSON_Parse(h->data);
    const cJSON *at = find(tree, path);
    bool is = cJSON_IsString(at) && strcmp(at->valuestring, text) == 0;
    cJSON_Delete(tree);
    return is;
}
