/* SPDX-License-Identifier: MIT */
/*
 * One function per kind of value, all strict: the whole text or nothing, no sign, no white space,
 * no locale. Origins are compared byte by byte with what browsers send, so only what they can send
 * is taken: lower case, no path, no `*`.
 */
#include "streamd/options_value.h"

#include "proto/number.h"

#include <arpa/inet.h>
#include <assert.h>
#include <string.h>

void *option_field(struct config *config, const struct option_row *row)
{
    return (char *)config + row->at;
}

static bool set_count(struct span text, const struct option_row *row, uint64_t *out)
{
    uint64_t value = 0;
    if (!span_u64(text, &value) || (double)value < row->min || (double)value > row->max)
        return false;
    *out = value;
    return true;
}

static bool set_rate(struct span text, const struct option_row *row, double *out)
{
    struct num n;
    if (!num_parse(text, &n) || !(num_double(n) >= row->min && num_double(n) <= row->max))
        return false;
    *out = num_double(n);
    return true;
}

/* Seconds in one of the unit; 0: no such unit. */
static uint64_t unit_s(char unit)
{
    static const struct {
        char unit;
        uint64_t s;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (units[i].unit == unit)
            return units[i].s;
    }
    return 0;
}

static bool set_duration(struct span text, const struct option_row *row, uint64_t *out)
{
    uint64_t unit = text.len ? unit_s(text.ptr[text.len - 1]) : 0;
    uint64_t value = 0;
    if (unit)
        text.len--;
    else
        unit = 1;
    if (!span_u64(text, &value) || (double)value * (double)unit < row->min ||
        (double)value * (double)unit > row->max)
        return false;
    *out = value * unit;
    return true;
}

static bool is_listen(const char *text)
{
    char host[INET6_ADDRSTRLEN + 1];
    unsigned char address[sizeof(struct in6_addr)];
    const char *colon = strrchr(text, ':');
    uint64_t port = 0;
    if (!colon || !span_u64(span_of(colon + 1), &port) || port > UINT16_MAX)
        return false;
    struct span addr = {text, (size_t)(colon - text)};
    bool v6 = addr.len > 2 && addr.ptr[0] == '[' && addr.ptr[addr.len - 1] == ']';
    if (v6)
        addr = (struct span){addr.ptr + 1, addr.len - 2};
    if (addr.len >= sizeof(host))
        return false;
    memcpy(host, addr.ptr, addr.len);
    host[addr.len] = '\0';
    return inet_pton(v6 ? AF_INET6 : AF_INET, host, address) == 1;
}

static bool is_origin(const char *text)
{
    static const char scheme_bytes[] = "abcdefghijklmnopqrstuvwxyz0123456789+-.";
    static const char host_bytes[] = "abcdefghijklmnopqrstuvwxyz0123456789-._:[]";
    size_t scheme = strspn(text, scheme_bytes);
    if (scheme == 0 || strncmp(text + scheme, "://", 3) != 0)
        return false;
    const char *host = text + scheme + 3;
    return *host && host[strspn(host, host_bytes)] == '\0';
}

/* A repeatable option's place in the config. */
struct texts {
    const char **items;
    size_t *count;
    size_t max;
    bool (*valid)(const char *text);
};

static struct texts texts_of(struct config *config, const struct option_row *row)
{
    if (row->kind == OPTION_LISTEN)
        return (struct texts){config->listen, &config->listen_count, CONFIG_LISTEN_MAX, is_listen};
    assert(row->kind == OPTION_ORIGIN);
    return (struct texts){config->allow_origin, &config->allow_origin_count, CONFIG_ORIGINS_MAX,
                          is_origin};
}

static bool add_text(struct config *config, const struct option_row *row, const char *text)
{
    struct texts texts = texts_of(config, row);
    if (*texts.count == texts.max || !texts.valid(text))
        return false;
    texts.items[(*texts.count)++] = text;
    return true;
}

bool option_repeatable(const struct option_row *row)
{
    return row->kind == OPTION_LISTEN || row->kind == OPTION_ORIGIN;
}

bool option_full(struct config *config, const struct option_row *row)
{
    return option_repeatable(row) && *texts_of(config, row).count == texts_of(config, row).max;
}

static bool set_switch(const char *text, const struct option_row *row, bool *out)
{
    if (strcmp(text, "0") != 0 && strcmp(text, "1") != 0)
        return false;
    *out = *text == '1' ? row->on : !row->on;
    return true;
}

bool option_set(struct config *config, const struct option_row *row, const char *text)
{
    void *to = option_field(config, row);
    switch (row->kind) {
    case OPTION_SWITCH:
        return set_switch(text, row, to);
    case OPTION_COUNT:
        return set_count(span_of(text), row, to);
    case OPTION_RATE:
        return set_rate(span_of(text), row, to);
    case OPTION_DURATION:
        return set_duration(span_of(text), row, to);
    case OPTION_LEVEL:
        return log_level_parse(span_of(text), to);
    case OPTION_TEXT:
        *(const char **)to = text;
        return *text != '\0';
    case OPTION_LISTEN:
    case OPTION_ORIGIN:
        return add_text(config, row, text);
    case OPTION_HELP:
    case OPTION_VERSION:
        break;
    }
    return false;
}
