/* SPDX-License-Identifier: MIT */
/*
 * client_engine: the Engine.IO and Socket.IO side of a client.
 *
 * client.c brings it up and reads its frames; here are its packets, its polls and the steps of the
 * upgrade, each of which a test may also do by hand.
 */
#ifndef TESTS_FLOW_CLIENT_ENGINE_H
#define TESTS_FLOW_CLIENT_ENGINE_H

#include "tests/flow/client.h"

/* Joins the namespace, over polling or over the stream, with this auth object ("": none). */
void client_engine_connects(struct client *c, const char *auth);

/* One packet came, over whichever road. */
void client_engine_take(struct client *c, struct span packet);

/* Reads what came on the poll and, by habit, polls again. True when anything moved. */
bool client_engine_react(struct client *c);

/* A GET of the polling transport, now. */
void client_polls(struct client *c);

/* A POST of the polling transport; answers its status. */
int client_posts(struct client *c, const char *payload);

/* A WebSocket with the session's sid; false when it was refused. */
bool client_opens_probe(struct client *c);

/* 2probe, or another word, on that WebSocket. */
void client_sends_probe(struct client *c, const char *word);

/* Both in one. */
void client_probes(struct client *c);

/* The WebSocket was lost: back to the polls. */
void client_forgets_probe(struct client *c);

/* The client's `5`: from now on it is on the WebSocket. */
void client_finishes_upgrade(struct client *c);

/* All of it, in order. */
void client_upgrades(struct client *c);

#endif
