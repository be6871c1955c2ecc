/* SPDX-License-Identifier: MIT */
/*
 * daemon_ask: what the tools that ask a running daemon have in common: a path, an answer as fields,
 * and its own words when it refuses.
 */
#ifndef STREAMD_TOOLS_DAEMON_ASK_H
#define STREAMD_TOOLS_DAEMON_ASK_H

#include "proto/fields.h"
#include "streamd/tools/daemon_call.h"
#include "streamd/tools/tool.h"

/* The options that all of them have; first in each one's flags. */
struct daemon_flags {
    const char *url;
    const char *ca_file;
    bool json;
};

#define DAEMON_OPTIONS                                                                             \
    {"url", "URL", NULL, "the daemon (default: $STREAMD_URL, else http://127.0.0.1:5001)",         \
     offsetof(struct daemon_flags, url)},                                                          \
        {"ca-file", "FILE", NULL,                                                                  \
         "who may sign the certificate of an https daemon (default: the system's)",                \
         offsetof(struct daemon_flags, ca_file)},                                                  \
    {                                                                                              \
        "json", NULL, NULL, "the answer as it came", offsetof(struct daemon_flags, json)           \
    }

/* A request under way, and its answer. */
struct daemon_ask {
    const struct tool *tool;         /* borrows */
    const struct daemon_flags *with; /* borrows */
    struct buf path;                 /* owned; begun by the asker */
    struct buf body;                 /* owned; JSON, empty: none */
    struct buf answer;               /* owned */
    int status;
    struct fields *fields;     /* owned; of the answer, NULL when it is no JSON */
    const struct fields *data; /* of it; NULL when there is none */
};

/* Begins with that path, to which daemon_path_add adds. */
void daemon_ask_init(struct daemon_ask *a, const struct tool *tool, const struct daemon_flags *with,
                     const char *path);
void daemon_ask_fini(struct daemon_ask *a);

/*
 * Asks. TOOL_GOOD: it answered 200. Otherwise one line was written to stderr that says why not: the
 * daemon's own words where there are some.
 */
int daemon_ask_send(struct daemon_ask *a, const char *method);

/* The same with a whole text as the answer, which need not be JSON. */
int daemon_ask_text(struct daemon_ask *a, const char *method);

/* The answer as it came, and a newline. */
void daemon_ask_print(const struct daemon_ask *a);

#endif
