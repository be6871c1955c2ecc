/* SPDX-License-Identifier: MIT */
/*
 * Who has left is remembered for a while, or coming back would be a way to be new; but no more than
 * so many, who left longest ago is forgotten first, so that addresses cost no more memory than
 * connections do.
 */
#include "streamd/transport/visitors.h"

#include "streamd/transport/address.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

enum { IDLE_MAX = 4096, BURST_S = 2, KEY_MAX = 9 };

/* What may still come now. */
struct allowance {
    double left;
    uint64_t at_us;
};

struct visitor {
    struct list idle; /* in visitors.idle */
    struct allowance requests;
    struct allowance bytes;
    uint64_t connections;
    char key[KEY_MAX];
    size_t key_len;
};

void visitors_init(struct visitors *all, const struct config *config, uint64_t seed)
{
    *all = (struct visitors){.config = config};
    strmap_init(&all->by_address, seed);
    list_init(&all->idle);
}

void visitors_fini(struct visitors *all)
{
    struct span key;
    void *value;
    size_t at = 0;
    if (!all->config)
        return;
    while (strmap_next(&all->by_address, &at, &key, &value))
        free(value);
    strmap_fini(&all->by_address);
}

/* The family, and as much of the address as is one host's. Answers its length. */
static size_t key_of(const struct sockaddr_storage *from, char out[KEY_MAX])
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    if (from->ss_family == AF_INET) {
        memcpy(&v4, from, sizeof(v4));
        out[0] = '4';
        memcpy(out + 1, &v4.sin_addr, 4);
        return 5;
    }
    if (from->ss_family != AF_INET6)
        return 0;
    memcpy(&v6, from, sizeof(v6));
    bool mapped = IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr);
    out[0] = mapped ? '4' : '6';
    memcpy(out + 1, v6.sin6_addr.s6_addr + (mapped ? 12 : 0), mapped ? 4 : 8);
    return mapped ? 5 : 9;
}

static struct allowance whole(uint64_t per_s, uint64_t now_us)
{
    return (struct allowance){(double)per_s * BURST_S, now_us};
}

/* Takes it, be it more than there is: then the next one has to wait for longer. */
static bool spend(struct allowance *a, uint64_t per_s, double amount, uint64_t now_us)
{
    double most = (double)per_s * BURST_S;
    a->left += (double)per_s * (double)(now_us - a->at_us) / 1e6;
    a->left = a->left < most ? a->left : most;
    a->at_us = now_us;
    if (a->left <= 0)
        return false;
    a->left -= amount;
    return true;
}

static void forget_oldest(struct visitors *all)
{
    struct visitor *v = LIST_ENTRY(list_first(&all->idle), struct visitor, idle);
    list_remove(&v->idle);
    all->idle_count--;
    (void)strmap_take(&all->by_address, (struct span){v->key, v->key_len});
    free(v);
}

/* NULL when out of memory. */
static struct visitor *add(struct visitors *all, struct span key, uint64_t now_us)
{
    const struct config *config = all->config;
    struct visitor *v = calloc(1, sizeof(*v));
    if (!v)
        return NULL;
    list_init(&v->idle);
    v->requests = whole(config->max_address_requests, now_us);
    v->bytes = whole(config->max_address_bytes, now_us);
    memcpy(v->key, key.ptr, key.len);
    v->key_len = key.len;
    if (strmap_put(&all->by_address, key, v) == OK)
        return v;
    free(v);
    return NULL;
}

enum visitor_entry visitors_enter(struct visitors *all, const struct sockaddr_storage *from,
                                  uint64_t now_us, struct visitor **out)
{
    char bytes[KEY_MAX];
    struct span key = {bytes, key_of(from, bytes)};
    *out = NULL;
    if (key.len == 0 || (address_is_loopback(from) && !all->config->limit_loopback))
        return VISITOR_FREE;
    struct visitor *v = strmap_find(&all->by_address, key);
    if (!v)
        v = add(all, key, now_us);
    if (!v || v->connections >= all->config->max_address_connections)
        return VISITOR_REFUSED;
    if (!list_empty(&v->idle)) {
        list_remove(&v->idle);
        all->idle_count--;
    }
    v->connections++;
    *out = v;
    return VISITOR_COUNTED;
}

void visitors_leave(struct visitors *all, struct visitor *v)
{
    if (!v || --v->connections > 0)
        return;
    list_add_tail(&all->idle, &v->idle);
    if (++all->idle_count > IDLE_MAX)
        forget_oldest(all);
}

bool visitor_asks(struct visitors *all, struct visitor *v, uint64_t now_us)
{
    return !v || spend(&v->requests, all->config->max_address_requests, 1, now_us);
}

bool visitor_sends(struct visitors *all, struct visitor *v, size_t bytes, uint64_t now_us)
{
    return !v || spend(&v->bytes, all->config->max_address_bytes, (double)bytes, now_us);
}
