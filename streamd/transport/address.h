/* SPDX-License-Identifier: MIT */
/*
 * address: ADDR:PORT → a listening TCP socket.
 */
#ifndef STREAMD_TRANSPORT_ADDRESS_H
#define STREAMD_TRANSPORT_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

enum { ADDRESS_TEXT_MAX = 80 };

/*
 * Listens on a numeric address or host name (the first of its addresses that can be bound) with a
 * port number: 127.0.0.1:5001, [::1]:0, localhost:80.
 * NULL and *out_fd (non-blocking, close-on-exec); or why not (static or strerror's).
 */
const char *address_listen(const char *where, int *out_fd);

/* Where a socket is bound: 127.0.0.1:5001, [::1]:40312. */
void address_describe(int fd, char bound[ADDRESS_TEXT_MAX]);

/* Who is at the other end: 127.0.0.1:40312, [::1]:40312; "" when it is not known. */
void address_of_peer(int fd, char *out, size_t size);
/* Of this machine alone: 127.0.0.0/8, ::1, or the first as an IPv4-mapped IPv6 address. */
bool address_is_loopback(const struct sockaddr_storage *address);

#endif
