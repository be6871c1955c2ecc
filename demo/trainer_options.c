/* SPDX-License-Identifier: MIT */
/*
 * One table says everything about an option: how it is written, what it means, what it may be and
 * where it goes. The place is an offset, so that the table is a constant.
 */
#include "demo/trainer_options.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { TEXT, NUMBER, FLAG };

struct spec {
    const char *name;
    const char *argument;
    const char *meaning;
    enum kind kind;
    size_t offset; /* in struct trainer_options */
    unsigned long min;
    unsigned long max;
};

#define AT(field) offsetof(struct trainer_options, field)

static const struct spec specs[] = {
    {"--socket", "PATH", "the daemon's socket (the client's default)", TEXT, AT(socket), 0, 0},
    {"--session", "ID", "session id (a fresh one)", TEXT, AT(session), 0, 0},
    {"--models", "N", "models, one after the other (3)", NUMBER, AT(models), 1, 10},
    {"--seed", "N", "same seed, same curves (1)", NUMBER, AT(seed), 0, 1000000000},
    {"--steps", "N", "steps of each model (10000)", NUMBER, AT(steps), 1, 100000},
    {"--step-delay-us", "N", "pause after each step (0)", NUMBER, AT(step_delay_us), 0, 10000000},
    {"--quiet", "", "print nothing", FLAG, AT(quiet), 0, 0},
    {"--help", "", "print this", FLAG, AT(help), 0, 0},
};

enum { SPECS = sizeof(specs) / sizeof(specs[0]) };

static const struct trainer_options defaults = {.models = 3, .seed = 1, .steps = 10000};

static const struct spec *find_spec(const char *name)
{
    for (size_t i = 0; i < SPECS; i++) {
        if (strcmp(name, specs[i].name) == 0)
            return &specs[i];
    }
    return NULL;
}

static bool set_number(const struct spec *spec, const char *text, unsigned long *out)
{
    char *end;
    errno = 0;
    unsigned long number = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno || number < spec->min || number > spec->max) {
        (void)fprintf(stderr, "demo-trainer: %s takes a number from %lu to %lu, not \"%s\"\n",
                      spec->name, spec->min, spec->max, text);
        return false;
    }
    *out = number;
    return true;
}

static bool set_value(const struct spec *spec, const char *value, struct trainer_options *o)
{
    void *place = (char *)o + spec->offset;
    if (!value) {
        (void)fprintf(stderr, "demo-trainer: %s needs %s\n", spec->name, spec->argument);
        return false;
    }
    if (spec->kind == NUMBER)
        return set_number(spec, value, place);
    *(const char **)place = value;
    return true;
}

bool trainer_options_parse(int argc, char **argv, struct trainer_options *out)
{
    struct trainer_options o = defaults;
    for (int at = 1; at < argc; at++) {
        const struct spec *spec = find_spec(argv[at]);
        if (!spec) {
            (void)fprintf(stderr, "demo-trainer: unknown option \"%s\" (see --help)\n", argv[at]);
            return false;
        }
        if (spec->kind == FLAG)
            *(bool *)((char *)&o + spec->offset) = true;
        else if (!set_value(spec, argv[++at], &o)) /* argv ends in NULL */
            return false;
    }
    *out = o;
    return true;
}

void trainer_options_print(void)
{
    printf("demo-trainer: learns modular addition and logs to streamd\n\n");
    for (size_t i = 0; i < SPECS; i++)
        printf("  %-16s %-5s %s\n", specs[i].name, specs[i].argument, specs[i].meaning);
}
