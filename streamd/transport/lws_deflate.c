/* SPDX-License-Identifier: MIT */
/*
 * An offer is accepted when it is exactly one, its parameters are known, none comes twice, and it
 * does not ask for a smaller server window (our frames use 2^13, and the answer could not say so).
 * An offer without any parameter cannot be answered with client_no_context_takeover, because lws
 * only prints options that were offered; it is declined, and such a client goes uncompressed.
 */
#include "streamd/transport/lws_deflate.h"

#include "base/span.h"
#include "streamd/transport/lws_link.h"

enum { OFFER_MAX = 256 };

static const char answer_client[] = "client_no_context_takeover";
static const char answer_both[] = "server_no_context_takeover; client_no_context_takeover";

struct offer {
    bool client_no_context;
    bool server_no_context;
    bool client_window;
};

/* 8 to 15, no leading zero, as a token or a quoted string. */
static bool window_valid(struct span value)
{
    uint64_t bits;
    if (value.len >= 2 && value.ptr[0] == '"' && value.ptr[value.len - 1] == '"')
        value = (struct span){value.ptr + 1, value.len - 2};
    return span_u64(value, &bits) && bits >= 8 && bits <= 15 && value.ptr[0] != '0';
}

/* One parameter; false when it is unknown, comes twice or has a value it must not have. */
static bool take_parameter(struct offer *o, struct span name, struct span value, bool has_value)
{
    if (span_is(name, "client_no_context_takeover") && !has_value && !o->client_no_context)
        return o->client_no_context = true;
    if (span_is(name, "server_no_context_takeover") && !has_value && !o->server_no_context)
        return o->server_no_context = true;
    if (span_is(name, "client_max_window_bits") && !o->client_window)
        return (o->client_window = true) && (!has_value || window_valid(value));
    return false;
}

static bool read_offer(struct lws *wsi, struct offer *o)
{
    char text[OFFER_MAX];
    int n = lws_hdr_copy(wsi, text, sizeof(text), WSI_TOKEN_EXTENSIONS);
    if (n <= 0)
        return false;
    struct span rest = {text, (size_t)n};
    struct span first = span_cut(&rest, ',');
    struct span name = span_trim(span_cut(&first, ';'));
    if (!span_is(name, "permessage-deflate") || !first.ptr)
        return false;
    *o = (struct offer){0};
    while (first.ptr) {
        struct span value = span_cut(&first, ';');
        struct span parameter = span_trim(span_cut(&value, '='));
        bool has_value = value.ptr != NULL;
        if (!take_parameter(o, parameter, span_trim(value), has_value))
            return false;
    }
    return true;
}

void lws_deflate_init(struct lws_deflate *d)
{
    *d = (struct lws_deflate){.options = {{"", EXTARG_NONE}, {NULL, EXTARG_NONE}}};
}

bool lws_deflate_acceptable(struct lws *wsi)
{
    struct lws_link *l = lws_link_of(wsi);
    struct offer offer;
    return l && l->server->app->config->compression && read_offer(wsi, &offer);
}

static int construct(struct lws *wsi, const struct lws_ext_options **out_options)
{
    struct lws_link *l = lws_link_of(wsi);
    struct offer offer;
    if (!l || !read_offer(wsi, &offer))
        return 1;
    struct lws_deflate *d = &l->server->deflate;
    d->options[0].name = ""; /* matches whatever comes first */
    d->answer = offer.server_no_context ? answer_both : answer_client;
    *out_options = d->options;
    l->link.deflate = true;
    l->link.follows = !offer.server_no_context;
    return 0;
}

/* The first option of the offer carries the whole answer; lws then prints our name for it. */
static int set_option(struct lws *wsi)
{
    struct lws_deflate *d = &lws_link_of(wsi)->server->deflate;
    if (!d->answer)
        return 1;
    d->options[0].name = d->answer;
    d->answer = NULL;
    return 0;
}

static int on_extension(struct lws_context *context, const struct lws_extension *ext,
                        struct lws *wsi, enum lws_extension_callback_reasons reason, void *user,
                        void *in, size_t len)
{
    (void)context;
    (void)ext;
    (void)user;
    (void)len;
    switch (reason) {
    case LWS_EXT_CB_CONSTRUCT:
        return construct(wsi, in);
    case LWS_EXT_CB_OPTION_SET:
        return set_option(wsi);
    case LWS_EXT_CB_PAYLOAD_RX:
        return lws_receive_deflated(lws_link_of(wsi), in);
    default:
        return 0;
    }
}

const struct lws_extension lws_deflate_extensions[] = {
    {"permessage-deflate", on_extension, "permessage-deflate"},
    {NULL, NULL, NULL},
};
