/* SPDX-License-Identifier: MIT */
/*
 * What is set here and why is measured: own accept, because a stalled client with the kernel's
 * default send buffer first gets megabytes of old frames when it wakes; rx_buffer_size 256 with
 * tx_packet_size 65536, because the first is allocated per connection and the second caps a write;
 * pt_serv_buf_size, because what lws leaves of a TLS record looks like pipelined input
 * (lws_link.c); no HTTP/2 in ALPN, because lws would speak it then; a pulse, because the libev
 * plugin of lws 4.1.6 ignores a deadline shorter than the pending one.
 */
#include "streamd/transport/lws_server.h"

#include "streamd/app.h"
#include "streamd/log.h"
#include "streamd/service.h"
#include "streamd/transport/address.h"
#include "streamd/transport/lws_link.h"
#include "streamd/transport/outlets.h"
#include "streamd/transport/random_id.h"
#include "streamd/transport/tls.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    ACCEPTS_PER_WAKEUP = 64,
    SEND_BUFFER_BYTES = 64 * 1024,
    RECEIVE_BUFFER_BYTES = 256,
    HEADER_BYTES = 16384,
    HEADER_TIMEOUT_S = 15,
    KEEPALIVE_S = 75,
    PULSE_US = 50 * 1000,
    FIRST_REQUEST_US = 500 * 1000, /* looked at with each pulse */
    READ_BYTES = 20 * 1024,        /* a whole TLS record at least */
    RESERVED_FDS = 64,             /* for trainers to be told so, the store and the log */
};

static void on_tls_context(struct lws *wsi, SSL_CTX *tls)
{
    struct lws_server *s = lws_context_user(lws_get_context(wsi));
    s->tls = tls;
    tls_harden(tls);
}

/* The single callback: reason → event, nothing else. A wsi without a link is none of ours yet. */
static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t len)
{
    struct lws_link *l = lws_link_of(wsi);
    if (reason == LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS)
        on_tls_context(wsi, user);
    if (reason == LWS_CALLBACK_RAW_ADOPT)
        return -1; /* CONNECT turned the connection raw */
    if (!l)
        return 0;
    switch (reason) {
    case LWS_CALLBACK_HTTP:
        return lws_link_on_request(l);
    case LWS_CALLBACK_TIMER:
        return lws_link_on_timer(l);
    case LWS_CALLBACK_HTTP_BODY:
        return lws_link_on_body(l, (struct span){in, len});
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
        return lws_link_on_body_end(l);
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
        return lws_link_on_upgrade(l, in);
    case LWS_CALLBACK_CONFIRM_EXTENSION_OKAY:
        return !lws_deflate_acceptable(wsi);
    case LWS_CALLBACK_ESTABLISHED:
        return lws_link_on_ws_open(l);
    case LWS_CALLBACK_RECEIVE:
        return lws_receive_piece(l, (struct span){in, len});
    case LWS_CALLBACK_RECEIVE_PONG:
        return lws_link_on_pong(l);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        return lws_link_on_peer_close(l, (struct span){in, len});
    case LWS_CALLBACK_HTTP_WRITEABLE:
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return lws_link_on_writable(l);
    case LWS_CALLBACK_WSI_DESTROY:
        lws_set_opaque_user_data(wsi, NULL);
        lws_link_destroy(l);
        return 0;
    default:
        return 0;
    }
}

static const struct lws_protocols protocols[] = {
    {.name = "streamd",
     .callback = on_event,
     .rx_buffer_size = RECEIVE_BUFFER_BYTES,
     .tx_packet_size = 65536},
    {.name = NULL},
};

/* Never by lws: a watcher's heartbeat is ours (peers.h). */
static const lws_retry_bo_t no_lws_pings = {.secs_since_valid_ping = 0,
                                            .secs_since_valid_hangup = 0};

static void emit_log(int level, const char *line)
{
    size_t n = strlen(line);
    struct log_text text;
    if (n > 0 && line[n - 1] == '\n')
        n--;
    if (level & LLL_ERR)
        log_debug("lws", "%s ignoring", log_quoted(&text, (struct span){line, n}));
}

static void on_pulse(lws_sorted_usec_list_t *sul)
{
    struct lws_server *s = LIST_ENTRY(sul, struct lws_server, pulse);
    lws_sul_schedule(s->context, 0, &s->pulse, on_pulse, PULSE_US);
}

/*
 * Lowers (or raises) the limit of file descriptors to what we want and may have, because lws takes
 * it for the size of its tables: told of a smaller number it would search them for every event.
 * Answers how many connections that leaves for clients.
 */
static uint64_t limit_fds(const struct config *config)
{
    struct rlimit limit = {.rlim_cur = 1024, .rlim_max = 1024};
    (void)getrlimit(RLIMIT_NOFILE, &limit);
    uint64_t others = config->max_trainers + RESERVED_FDS;
    uint64_t want = config->max_connections + others;
    limit.rlim_cur = want < limit.rlim_max ? want : limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        log_warn("listen", "cannot set the limit of file descriptors: %s, ignoring",
                 strerror(errno));
    if (limit.rlim_cur >= want)
        return config->max_connections;
    /* Too few for both: half of what is left for clients, at least. */
    uint64_t left = limit.rlim_cur > RESERVED_FDS ? limit.rlim_cur - RESERVED_FDS : 1;
    uint64_t clients = left > 2 * config->max_trainers ? left - config->max_trainers : left / 2;
    log_warn("listen", "limit of file descriptors is %llu: at most %llu connections",
             (unsigned long long)limit.rlim_cur, (unsigned long long)clients);
    return clients;
}

/* False after logging why. */
static bool add_tls(const struct config *config, struct lws_context_creation_info *info)
{
    char why[TLS_WHY_MAX];
    if (!config->tls_cert && !config->tls_key)
        return true;
    if (!config->tls_cert || !config->tls_key)
        log_error("listen", "--tls-cert and --tls-key go together");
    else if (!tls_check(config, why))
        log_error("listen", "cannot speak TLS: %s", why);
    else {
        info->options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
        info->ssl_cert_filepath = config->tls_cert;
        info->ssl_private_key_filepath = config->tls_key;
        info->alpn = "http/1.1";
        return true;
    }
    return false;
}

static bool create_context(struct lws_server *s)
{
    void *loops[1] = {s->loop};
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN_SERVER,
        .protocols = protocols,
        .extensions = lws_deflate_extensions,
        .options = LWS_SERVER_OPTION_LIBEV | LWS_SERVER_OPTION_VALIDATE_UTF8 |
                   LWS_SERVER_OPTION_EXPLICIT_VHOSTS,
        .foreign_loops = loops,
        .max_http_header_data = HEADER_BYTES,
        .timeout_secs = HEADER_TIMEOUT_S,
        .keepalive_timeout = KEEPALIVE_S,
        .retry_and_idle_policy = &no_lws_pings,
        .vhost_name = "streamd",
        .user = s,
        .pt_serv_buf_size = READ_BYTES,
    };
    lws_set_log_level(LLL_ERR | LLL_WARN, emit_log);
    if (!add_tls(s->app->config, &info))
        return false;
    s->context = lws_create_context(&info);
    if (!s->context)
        return false;
    s->vhost = lws_create_vhost(s->context, &info);
    if (!s->vhost)
        return false;
    lws_sul_schedule(s->context, 0, &s->pulse, on_pulse, PULSE_US);
    return true;
}

static void adopt(struct lws_server *s, int fd, bool remote, struct visitor *visitor)
{
    int on = 1;
    int bytes = SEND_BUFFER_BYTES;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
    struct lws *wsi = lws_adopt_socket_vhost(s->vhost, fd);
    struct lws_link *l = wsi ? lws_link_create(s, wsi) : NULL; /* NULL: lws has closed the socket */
    if (!l) {
        visitors_leave(&s->visitors, visitor);
        if (wsi)
            shutdown(fd, SHUT_RDWR);
        return;
    }
    l->visitor = visitor;
    l->link.remote = remote;
    lws_set_opaque_user_data(wsi, l);
}

/* False: there are too many, of all or of this address. */
static bool admit(struct lws_server *s, int fd, const struct sockaddr_storage *from)
{
    struct app *app = s->app;
    struct visitor *visitor;
    if (app->stats.connections >= s->max_connections)
        return false;
    if (visitors_enter(&s->visitors, from, app->now.us, &visitor) == VISITOR_REFUSED) {
        app->stats.visits_refused++;
        return false;
    }
    adopt(s, fd, !address_is_loopback(from), visitor);
    return true;
}

static void on_acceptable(struct ev_loop *loop, ev_io *io, int events)
{
    (void)loop;
    (void)events;
    struct lws_server *s = ((struct listener *)(void *)io)->server;
    struct stats *stats = &s->app->stats;
    for (int i = 0; i < ACCEPTS_PER_WAKEUP; i++) {
        struct sockaddr_storage from = {.ss_family = AF_UNSPEC};
        socklen_t len = sizeof(from);
        int fd = accept4(io->fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return;
        if (!admit(s, fd, &from)) {
            stats->connections_refused++;
            close(fd);
        }
    }
}

/* NULL, or why nobody may be served there. */
static const char *why_closed(const struct config *config, int fd)
{
    struct sockaddr_storage at = {.ss_family = AF_UNSPEC};
    socklen_t len = sizeof(at);
    bool known = getsockname(fd, (struct sockaddr *)&at, &len) == 0;
    if (config->token_file || config->allow_anonymous || (known && address_is_loopback(&at)))
        return NULL;
    return "other machines may reach it, and nobody needs a token: give --token-file, or "
           "--allow-anonymous if everybody may read, write and control";
}

static bool start(struct lws_server *s, struct listener *l, const char *where)
{
    char bound[ADDRESS_TEXT_MAX];
    const char *why = why_closed(s->app->config, l->fd);
    address_describe(l->fd, bound);
    if (why) {
        log_error("listen", "cannot listen on %s: %s", where ? where : bound, why);
        return false;
    }
    l->server = s;
    ev_io_init(&l->io, on_acceptable, l->fd, EV_READ);
    ev_io_start(s->loop, &l->io);
    printf("listening on %s://%s\n", s->tls ? "https" : "http", bound);
    fflush(stdout);
    return true;
}

static bool create_outlet(struct lws_server *s)
{
    struct app *app = s->app;
    int error = 0;
    if (app->config->io_uring)
        s->outlet = outlet_uring_create(&app->stats, (unsigned)app->config->senders, &error);
    if (error)
        log_info("listen", "no io_uring (%s): one system call a message", strerror(error));
    if (!s->outlet)
        s->outlet = outlet_send_create();
    hub_set_outlet(&app->hub, s->outlet, &app->encoder.chain);
    return s->outlet;
}

static bool listen_on(struct lws_server *s, struct listener *l, const char *where)
{
    const char *why = address_listen(where, &l->fd);
    if (!why)
        return start(s, l, where);
    log_error("listen", "cannot listen on %s: %s", where, why);
    return false;
}

static bool listen_everywhere(struct lws_server *s, const struct service *service)
{
    const struct config *config = s->app->config;
    bool handed = service && service->listener_count > 0;
    size_t count = handed ? service->listener_count : config->listen_count;
    bool good = true;
    for (size_t i = 0; i < count && good; i++) {
        struct listener *l = &s->listeners[i];
        l->fd = handed ? service->listeners[i] : -1;
        s->listener_count++;
        good = handed ? start(s, l, NULL) : listen_on(s, l, config->listen[i]);
    }
    return good;
}

struct lws_server *lws_server_create(struct app *app, struct ev_loop *loop,
                                     const struct service *service)
{
    struct lws_server *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    const struct config *config = app->config;
    s->app = app;
    s->loop = loop;
    lws_deflate_init(&s->deflate);
    visitors_init(&s->visitors, config, random_seed());
    s->max_connections = limit_fds(config);
    buf_init(&s->inflated, config->max_payload + 1);
    s->listeners = calloc(CONFIG_LISTEN_MAX, sizeof(*s->listeners));
    if (!s->listeners || !create_outlet(s) || !create_context(s)) {
        log_error("listen", "libwebsockets could not be started");
        goto fail;
    }
    if (!listen_everywhere(s, service))
        goto fail;
    return s;
fail:
    lws_server_destroy(s);
    return NULL;
}

void lws_server_reload(struct lws_server *s)
{
    char why[TLS_WHY_MAX];
    if (!s->tls)
        return;
    if (tls_reload(s->tls, s->app->config, why))
        log_info("listen", "certificate read again");
    else
        log_error("listen", "cannot read certificate: %s; the one before goes on, ignoring", why);
}

bool lws_server_expects(const struct lws_server *s)
{
    return s->silent > 0 && s->app->now.us - s->drained_us < FIRST_REQUEST_US;
}

void lws_server_drain(struct lws_server *s)
{
    s->drained_us = s->app->now.us;
    for (size_t i = 0; s->listeners && i < s->listener_count; i++) {
        if (s->listeners[i].fd < 0)
            continue;
        ev_io_stop(s->loop, &s->listeners[i].io);
        close(s->listeners[i].fd);
        s->listeners[i].fd = -1;
    }
}

void lws_server_destroy(struct lws_server *s)
{
    if (!s)
        return;
    lws_server_drain(s);
    if (s->context) {
        lws_sul_cancel(&s->pulse);
        lws_context_destroy(s->context);
        /* The libev plugin finishes its closes from the loop. */
        ev_run(s->loop, EVRUN_NOWAIT);
        ev_run(s->loop, EVRUN_NOWAIT);
    }
    hub_set_outlet(&s->app->hub, NULL, NULL);
    if (s->outlet)
        s->outlet->ops->destroy(s->outlet);
    buf_fini(&s->inflated);
    visitors_fini(&s->visitors);
    free(s->listeners);
    free(s);
}
