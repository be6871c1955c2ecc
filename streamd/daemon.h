/* SPDX-License-Identifier: MIT */
/*
 * daemon: the whole program, argv to exit status.
 *
 * main.c calls it with nothing else; the conformance build calls it with a setup that registers
 * more mounts and namespaces on the app before the first connection.
 */
#ifndef STREAMD_DAEMON_H
#define STREAMD_DAEMON_H

struct app;

typedef void daemon_setup_fn(struct app *app);

/* `setup` may be NULL. 0: ended by a signal; 1: could not start; 2: bad options. */
int daemon_main(int argc, char **argv, daemon_setup_fn *setup);

#endif
