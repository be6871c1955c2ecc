/* SPDX-License-Identifier: MIT */
/*
 * Flags are read first, then the variables of what no flag gave, then the defaults of what is still
 * open; so a bad variable under a good flag harms nobody, and a default is read by the same code as
 * a user's text. Every value goes through option_set, which knows its kind and nothing of where the
 * text came from; whoever called it does, and says so in the one line of an error.
 */
#include "streamd/options.h"

#include "streamd/options_value.h"
#include "streamd/options_write.h"

#include <assert.h>
#include <string.h>
#include <unistd.h>

const char STREAMD_VERSION[] = "0.1.0";

struct parse {
    struct config *config;
    options_env_fn *env; /* NULL: no environment */
    FILE *err;
    bool given[OPTIONS_MAX]; /* rows that a flag or a variable has set */
};

/* `source` is the flag or the variable. */
static bool refuse_value(struct parse *p, const struct option_row *row, const char *source,
                         const char *text)
{
    char range[OPTION_RANGE_MAX];
    struct log_text quoted;
    const char *many = option_full(p->config, row) ? ", and not so many of them" : "";
    (void)fprintf(p->err, "streamd: %s %s: expected %s%s\n", source,
                  log_quoted(&quoted, span_of(text)), option_range(row, range), many);
    return false;
}

static bool refuse_argument(struct parse *p, const char *argument, const char *why)
{
    struct log_text quoted;
    (void)fprintf(p->err, "streamd: %s: %s; streamd --help lists options and commands\n",
                  log_quoted(&quoted, span_of(argument)), why);
    return false;
}

static size_t index_of(const struct option_row *row)
{
    return (size_t)(row - option_at(0));
}

/* Takes argv[*at], and the value behind it if it is there. */
static bool take_flag(struct parse *p, char **argv, int *at)
{
    char *flag = argv[(*at)++];
    if (strncmp(flag, "--", 2) != 0 || flag[2] == '\0')
        return refuse_argument(p, flag, "not an option");
    struct span rest = span_of(flag + 2);
    const struct option_row *row = option_find(span_cut(&rest, '='));
    if (!row)
        return refuse_argument(p, flag, "no such option");
    const char *value = rest.ptr;
    p->given[index_of(row)] = true;
    if (!row->value) {
        if (value)
            return refuse_argument(p, flag, "this option takes no value");
        return option_set(p->config, row, "1") || row->kind != OPTION_SWITCH;
    }
    if (!value)
        value = argv[*at] && strncmp(argv[*at], "--", 2) != 0 ? argv[(*at)++] : "";
    char source[OPTION_VARIABLE_MAX];
    (void)snprintf(source, sizeof(source), "--%s", row->name);
    return option_set(p->config, row, value) || refuse_value(p, row, source, value);
}

/* A copy of one item of a comma-separated variable, kept in the config; NULL when full. */
static const char *keep_item(struct config *config, struct span item)
{
    if (item.len >= sizeof(config->lists) - config->lists_len)
        return NULL;
    char *copy = config->lists + config->lists_len;
    memcpy(copy, item.ptr, item.len);
    copy[item.len] = '\0';
    config->lists_len += item.len + 1;
    return copy;
}

static bool set_items(struct config *config, const struct option_row *row, const char *text)
{
    struct span rest = span_of(text);
    while (rest.ptr) {
        const char *item = keep_item(config, span_trim(span_cut(&rest, ',')));
        if (!item || !option_set(config, row, item))
            return false;
    }
    return true;
}

/* An empty variable counts as unset. */
static bool take_variable(struct parse *p, const struct option_row *row)
{
    char name[OPTION_VARIABLE_MAX];
    const char *text = NULL;
    if (p->env && *option_variable(row, name))
        text = p->env(name);
    if (!text || !*text)
        return true;
    p->given[index_of(row)] = true;
    bool good =
        option_repeatable(row) ? set_items(p->config, row, text) : option_set(p->config, row, text);
    return good || refuse_value(p, row, name, text);
}

static void take_default(struct parse *p, const struct option_row *row)
{
    if (row->kind == OPTION_SWITCH)
        *(bool *)option_field(p->config, row) = !row->on;
    bool good = !row->fallback || option_set(p->config, row, row->fallback);
    assert(good);
}

/* The variable's directory, when it is an absolute one as the XDG rules have it. */
static const char *directory(const struct parse *p, const char *name)
{
    const char *text = p->env ? p->env(name) : NULL;
    return text && *text == '/' && strlen(text) < CONFIG_TEXT_MAX - 64 ? text : NULL;
}

/* What other tools of the field call them, too; empty counts as unset. */
static void derive_telegram(struct parse *p)
{
    struct config *c = p->config;
    const char *token = p->env ? p->env("TELEGRAM_TOKEN") : NULL;
    const char *chat = p->env ? p->env("TELEGRAM_CHAT") : NULL;
    if (!c->telegram_token && token && *token)
        c->telegram_token = token;
    if (!c->telegram_chat && chat && *chat)
        c->telegram_chat = chat;
}

static void derive_paths(struct parse *p)
{
    struct config *c = p->config;
    const char *runtime = directory(p, "XDG_RUNTIME_DIR");
    const char *state = directory(p, "XDG_STATE_HOME");
    const char *home = directory(p, "HOME");
    if (runtime)
        (void)snprintf(c->derived_socket, CONFIG_TEXT_MAX, "%s/streamd.sock", runtime);
    else
        (void)snprintf(c->derived_socket, CONFIG_TEXT_MAX, "/tmp/streamd-%lu.sock",
                       (unsigned long)geteuid());
    if (state)
        (void)snprintf(c->derived_data, CONFIG_TEXT_MAX, "%s/streamd", state);
    else if (home)
        (void)snprintf(c->derived_data, CONFIG_TEXT_MAX, "%s/.local/state/streamd", home);
    else
        (void)snprintf(c->derived_data, CONFIG_TEXT_MAX, "/var/lib/streamd");
    if (!c->socket_path)
        c->socket_path = c->derived_socket;
    if (!c->data_dir)
        c->data_dir = c->derived_data;
}

static bool complete(struct parse *p)
{
    for (size_t i = 0; option_at(i); i++) {
        if (!p->given[i] && !take_variable(p, option_at(i)))
            return false;
        if (!p->given[i])
            take_default(p, option_at(i));
    }
    derive_paths(p);
    derive_telegram(p);
    return true;
}

static bool given(const struct parse *p, enum option_kind kind)
{
    for (size_t i = 0; option_at(i); i++) {
        if (option_at(i)->kind == kind && p->given[i])
            return true;
    }
    return false;
}

enum options_result options_parse(int argc, char **argv, options_env_fn *env, FILE *out, FILE *err,
                                  struct config *config)
{
    *config = (struct config){0};
    struct parse p = {.config = config, .env = env, .err = err};
    for (int at = 1; at < argc;) {
        if (!take_flag(&p, argv, &at))
            return OPTIONS_BAD;
        if (given(&p, OPTION_HELP)) {
            options_write_help(out);
            return OPTIONS_DONE;
        }
        if (given(&p, OPTION_VERSION)) {
            (void)fprintf(out, "streamd %s\n", STREAMD_VERSION);
            return OPTIONS_DONE;
        }
    }
    return complete(&p) ? OPTIONS_RUN : OPTIONS_BAD;
}

void options_defaults(struct config *config)
{
    *config = (struct config){0};
    bool good = complete(&(struct parse){.config = config});
    assert(good);
}
