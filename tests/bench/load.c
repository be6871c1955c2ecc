/* SPDX-License-Identifier: MIT */
#include "load_options.h"

/*
 * The load generator of `make bench` and `make load`: one program, one thread. It is the
 * trainer and all the watchers at once, so that the moment of sending and of receiving are read
 * from one clock, and it reads the server's CPU clock itself at the edges of each measurement.
 * It prints `name value` lines; run.py decides what they mean.
 */

#include <arpa/inet.h>
#include <err.h>
#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum option_key {
    KEY_TARGET = 1,
    KEY_TRAINER,
    KEY_PUBLISH,
    KEY_SERVER_PID,
    KEY_DIALECT,
    KEY_DEFLATE,
    KEY_STAGGER,
    KEY_SPREAD,
    KEY_INDEPENDENT,
    KEY_METRICS,
    KEY_REVALIDATE,
    KEY_PATH,
    KEY_NUMBERS /* from here on: the numbers, in the order of number_options */
};

struct number_option {
    const char *name;
    size_t offset;
    unsigned least, most, absent;
};

#define NUMBER(name, field, least, most, absent)                                                   \
    {                                                                                              \
        name, offsetof(struct load_options, field), least, most, absent                            \
    }

static const struct number_option number_options[] = {
    NUMBER("subscribers", subscribers, 1, 19000, 100),
    NUMBER("connecting", connecting, 1, 19000, 32),
    NUMBER("rooms", rooms, 0, LOAD_ROOMS_MAX, 1),
    NUMBER("rate", rate_per_s, 1, 1000, 10),
    NUMBER("ticks", ticks, 1, 100000, 20),
    NUMBER("warm-ticks", warm_ticks, 1, 1000, 5),
    NUMBER("slices", slices, 1, 1000, 1),
    NUMBER("events", events, 0, 100000, 0),
    NUMBER("churn", churn, 0, 100, 0),
    NUMBER("inflate-every", inflate_every, 1, 100000, 1),
    NUMBER("lines", lines, 10, 100000000, 100000),
    NUMBER("batch", batch, 1, 1000, 1),
    NUMBER("connections", connections, 1, 19000, 32),
    NUMBER("requests", requests, 10, 100000000, 100000),
};

enum { NUMBER_COUNT = sizeof(number_options) / sizeof(*number_options) };

static const struct option word_options[] = {
    {"target", required_argument, NULL, KEY_TARGET},
    {"trainer", required_argument, NULL, KEY_TRAINER},
    {"publish", no_argument, NULL, KEY_PUBLISH},
    {"server-pid", required_argument, NULL, KEY_SERVER_PID},
    {"dialect", required_argument, NULL, KEY_DIALECT},
    {"deflate", no_argument, NULL, KEY_DEFLATE},
    {"stagger", no_argument, NULL, KEY_STAGGER},
    {"spread", no_argument, NULL, KEY_SPREAD},
    {"independent", no_argument, NULL, KEY_INDEPENDENT},
    {"metrics", required_argument, NULL, KEY_METRICS},
    {"revalidate", no_argument, NULL, KEY_REVALIDATE},
    {"path", required_argument, NULL, KEY_PATH},
};

enum { WORD_COUNT = sizeof(word_options) / sizeof(*word_options) };

static unsigned long number_in(const char *name, const char *text, unsigned long least,
                               unsigned long most)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    if (end == text || *end || value < least || value > most)
        errx(2, "--%s: %s is not a number from %lu to %lu", name, text, least, most);
    return value;
}

static unsigned *number_at(struct load_options *options, const struct number_option *number)
{
    return (unsigned *)(void *)((char *)options + number->offset);
}

static void set_target(struct load_options *options, const char *text)
{
    const char *colon = strrchr(text, ':');
    char address[32];

    if (!colon || (size_t)(colon - text) >= sizeof(address))
        errx(2, "--target: %s is not ADDRESS:PORT", text);
    memcpy(address, text, (size_t)(colon - text));
    address[colon - text] = '\0';
    options->target.sin_family = AF_INET;
    options->target.sin_port = htons((uint16_t)number_in("target", colon + 1, 1, 65535));
    if (inet_pton(AF_INET, address, &options->target.sin_addr) != 1)
        errx(2, "--target: %s is not an IPv4 address", address);
    snprintf(options->host, sizeof(options->host), "%s", text);
}

static void set_dialect(struct load_options *options, const char *text)
{
    if (strcmp(text, "ws") != 0 && strcmp(text, "socketio") != 0)
        errx(2, "--dialect: %s is neither ws nor socketio", text);
    options->dialect = strcmp(text, "ws") == 0 ? DIALECT_WS : DIALECT_SOCKETIO;
}

static void set_word(struct load_options *options, enum option_key key, const char *text)
{
    switch (key) {
    case KEY_TARGET:
        set_target(options, text);
        break;
    case KEY_TRAINER:
        options->trainer = text;
        break;
    case KEY_PUBLISH:
        options->publish = true;
        break;
    case KEY_SERVER_PID:
        options->server_pid = (pid_t)number_in("server-pid", text, 1, INT32_MAX);
        break;
    case KEY_DIALECT:
        set_dialect(options, text);
        break;
    case KEY_DEFLATE:
        options->deflate = true;
        break;
    case KEY_STAGGER:
        options->stagger = true;
        break;
    case KEY_SPREAD:
        options->spread = true;
        break;
    case KEY_INDEPENDENT:
        options->independent = true;
        break;
    case KEY_METRICS:
        options->metrics = text;
        break;
    case KEY_REVALIDATE:
        options->revalidate = true;
        break;
    case KEY_PATH:
        options->path = text;
        break;
    default:
        errx(2, "usage: load fanout|ingest|http|storm|crowd --server-pid PID [options]");
    }
}

static void set_absent(struct load_options *options)
{
    *options = (struct load_options){.path = "/api/training/metrics/s00"};
    for (size_t i = 0; i < NUMBER_COUNT; i++)
        *number_at(options, &number_options[i]) = number_options[i].absent;
}

static void read_options(struct load_options *options, int argc, char **argv)
{
    struct option all[WORD_COUNT + NUMBER_COUNT + 1] = {0};
    int key;

    set_absent(options);
    memcpy(all, word_options, sizeof(word_options));
    for (size_t i = 0; i < NUMBER_COUNT; i++)
        all[WORD_COUNT + i] =
            (struct option){number_options[i].name, required_argument, NULL, KEY_NUMBERS + (int)i};
    while ((key = getopt_long(argc, argv, "", all, NULL)) != -1) {
        if (key < KEY_NUMBERS || key == '?') {
            set_word(options, (enum option_key)key, optarg);
            continue;
        }
        const struct number_option *number = &number_options[key - KEY_NUMBERS];
        *number_at(options, number) =
            (unsigned)number_in(number->name, optarg, number->least, number->most);
    }
    if (options->server_pid == 0)
        errx(2, "--server-pid is missing");
    if (options->rooms > LOAD_ROOMS_EACH_MAX && !options->spread)
        errx(2, "--rooms: more than %d of them ask for --spread", LOAD_ROOMS_EACH_MAX);
}

static void raise_file_limit(void)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        err(1, "getrlimit");
    files.rlim_cur = files.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &files) != 0)
        err(1, "setrlimit");
}

int main(int argc, char **argv)
{
    struct load_options options;
    const char *mode = argc > 1 ? argv[1] : "";

    read_options(&options, argc - (argc > 1), argv + (argc > 1));
    raise_file_limit();
    if (strcmp(mode, "fanout") == 0)
        return load_fanout(&options);
    if (strcmp(mode, "ingest") == 0)
        return load_ingest(&options);
    if (strcmp(mode, "http") == 0)
        return load_http(&options);
    if (strcmp(mode, "storm") == 0)
        return load_storm(&options);
    if (strcmp(mode, "crowd") == 0)
        return load_crowd(&options);
    errx(2, "the mode is fanout, ingest, http, storm or crowd, not '%s'", mode);
}
