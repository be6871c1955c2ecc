/* SPDX-License-Identifier: MIT */
/*
 * listen_unix: a listening Unix socket that only its owner may connect to, or a group as well.
 *
 * The file has mode 0600 from its first moment, and 0660 once it is the group's. What stands at the
 * path is only ever removed when it is a socket that nobody listens on any more.
 */
#ifndef STREAMD_INGEST_LISTEN_UNIX_H
#define STREAMD_INGEST_LISTEN_UNIX_H

#include <stdbool.h>
#include <sys/types.h>

/* Which file we made, so that another daemon's is never removed. */
struct listen_unix {
    int fd;           /* owns; non-blocking, close-on-exec; -1: not listening */
    const char *path; /* borrows; NULL: another's file */
    gid_t group;      /* who else may connect; NO_GROUP: nobody */
    dev_t device;
    ino_t inode;
};

/*
 * `fd` is one that listens already, taken with what its maker gave it; -1: none, then `path` is
 * listened on. `group` is a name, NULL for none. False after logging one line with the path and the
 * reason. Changes the umask for a moment: to be called before there are threads.
 */
bool listen_unix_open(struct listen_unix *l, int fd, const char *path, const char *group);

/* Stops listening; the file stays, and connecting to it is refused. */
void listen_unix_close(struct listen_unix *l);

/* Removes the file, if it is still the one that was made. */
void listen_unix_unlink(const struct listen_unix *l);

#endif
