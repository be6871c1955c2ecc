/* SPDX-License-Identifier: MIT */
/*
 * client_parts: what the files of a client share.
 */
#ifndef TESTS_FLOW_CLIENT_PARTS_H
#define TESTS_FLOW_CLIENT_PARTS_H

#include "base/span.h"
#include "streamd/http/request.h"
#include "tests/flow/client.h"

bool client_speaks_plain(const struct client *c);
bool client_deflates(const struct client *c);

/* One more event in the inbox. `data` must be JSON. */
void client_inbox_add(struct client *c, struct span event, struct span data, uint64_t id);

/* Frees what was taken from the inbox. */
void client_inbox_forget(struct client *c);

/* Sends a request on *conn, on a new connection when that one is gone. Host and time are set. */
void client_asks_http(struct client *c, struct conn **conn, struct request *req);

/* The headers of a request have come, its body has not. */
void client_begins_http(struct client *c, struct conn **conn, struct request *req);

/* A WebSocket, or NULL when the upgrade is refused; c->refused is the status then. */
struct conn *client_opens_ws(struct client *c, const char *path, struct span query);

/* One text message on one WebSocket, whatever the client thinks it is on. */
void client_sends_on(struct client *c, struct conn *conn, struct span text);

#endif
