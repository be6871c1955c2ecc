/* SPDX-License-Identifier: MIT */
/*
 * client: a watcher, whichever of the dialects it speaks.
 *
 * client_open brings it as far as a library would before it hands out `connect`: handshake,
 * namespace, greeting. What comes afterwards stands in its inbox, one entry an event, and
 * client_hears takes the next. Its habits (answer pings, close back, poll again) are fields that a
 * test may turn off. A client belongs to its world.
 */
#ifndef TESTS_FLOW_CLIENT_H
#define TESTS_FLOW_CLIENT_H

#include "tests/flow/fake_link.h"

/* All but the last can also speak: an event stream only listens. */
enum tongue { PLAIN, PLAIN_DEFLATED, SOCKETIO, SOCKETIO_DEFLATED, POLLING, SSE, TONGUES };

/* "plain", "plain deflated", ...; for messages. */
extern const char *const tongue_names[TONGUES];

struct world;

/* One event. */
struct heard {
    char *event;    /* owns */
    char *data;     /* owns; the JSON that came with it */
    uint64_t id;    /* of a Server-Sent Event, else 0 */
    uint64_t at_us; /* when it came, on the world's clock */
};

struct client {
    struct world *world; /* borrows */
    enum tongue tongue;
    struct conn *stream; /* owns; the WebSocket or event stream, NULL while polling */
    struct conn *poll;   /* owns; where GETs go */
    struct conn *post;   /* owns; where POSTs go */
    struct conn *probe;  /* owns; the WebSocket that may take over */
    struct heard *inbox; /* owns; from `next` on not looked at yet */
    size_t count;
    size_t next;
    size_t cap;
    char sid[40];        /* Engine.IO's, once it is known */
    char id[40];         /* Socket.IO's, once it is connected */
    char pid[40];        /* what it may recover with; "" when it was given none */
    char mark[32];       /* the last argument of the last event, when that was a string */
    bool recovers;       /* events have one more argument */
    bool connected;      /* the namespace was joined */
    bool probe_answered; /* 3probe came */
    bool told_to_close;  /* an Engine.IO close packet came */
    bool answers_pings;  /* habits, all on at first */
    bool closes_back;
    bool polls_on;
    unsigned pings;
    unsigned noops;
    unsigned poll_answers;
    size_t most_packets; /* in one poll answer */
    int refused;         /* status of the last HTTP answer that was not 200; else 0 */
    unsigned close_code; /* of the close frame that came; 0: none */
    char close_why[126];
};

/* It has done nothing yet. */
struct client *client_nobody(struct world *w);

/* Its connection stands (the handshake of Engine.IO included) and it has said nothing yet, or it
 * was refused. An event stream cannot do that: client_watch. */
struct client *client_shakes_hands(struct world *w, enum tongue tongue);

/* Connected and greeted, in no room. */
struct client *client_open(struct world *w, enum tongue tongue);

/* The same, and subscribed. `since` UINT64_MAX: not asked for. */
struct client *client_watch(struct world *w, enum tongue tongue, const char *session);
struct client *client_watch_since(struct world *w, enum tongue tongue, const char *session,
                                  uint64_t since);

/* The same, asking for recovery; with `auth` (members of the object, NULL: only that). */
struct client *client_recovers(struct world *w, enum tongue tongue, const char *auth);

/* It comes back on new connections with the pid and the mark of `before`, which is another client
 * from then on. */
struct client *client_comes_back(struct world *w, enum tongue tongue, const struct client *before);

/* For the world: reads what came and reacts. True when anything moved. */
bool client_react(struct client *c);
void client_destroy(struct client *c);

/* What it does. `json` may be NULL; an ack is asked for and stands in the inbox as "ack". */
void client_says(struct client *c, const char *event, const char *json);
void client_asks(struct client *c, const char *event, const char *json);
void client_subscribes(struct client *c, const char *session);
void client_subscribes_since(struct client *c, const char *session, uint64_t since);
void client_unsubscribes(struct client *c, const char *session);

/* A packet or message as it stands, on whatever road it is on. */
void client_sends(struct client *c, const char *text);

/* A pong, asked for or not; an event stream has none. */
void client_pongs(struct client *c);

/* All its connections break off. */
void client_leaves(struct client *c);

/* It takes nothing any more; some bytes; everything again. */
void client_chokes(struct client *c);
void client_takes(struct client *c, size_t bytes);
void client_reads_on(struct client *c);

/* Is it without a connection that could bring anything? */
bool client_is_gone(const struct client *c);

/* The next event must be this one; borrows, valid until another comes. */
const struct heard *client_hears(struct client *c, const char *event);
void client_hears_nothing(struct client *c);

/* The next event must be a progress_update of that step. */
void client_hears_step(struct client *c, unsigned step);

/* Takes all that is in the inbox; how many of them had that name. */
size_t client_counts(struct client *c, const char *event);

/* A member of the data by a dotted path, as "metrics.currentStep"; the test ends without it. */
double heard_number(const struct heard *h, const char *path);

/* The same for a string: is it `text`? */
bool heard_is(const struct heard *h, const char *path, const char *text);

#endif
