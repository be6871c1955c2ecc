/* SPDX-License-Identifier: MIT */
/*
 * jsonrpc: JSON-RPC 2.0 messages, one at a time.
 *
 * Reads the envelope and leaves what is in it as raw JSON: params are for who knows the method.
 * Batches are refused, as MCP has none since 2025-06-18; so are ids that are null, broken numbers
 * or longer than JSONRPC_ID_MAX, which would have to be kept and sent back.
 */
#ifndef PROTO_JSONRPC_H
#define PROTO_JSONRPC_H

#include "base/buf.h"
#include "base/span.h"
#include "base/status.h"

enum {
    JSONRPC_PARSE_ERROR = -32700,
    JSONRPC_INVALID_REQUEST = -32600,
    JSONRPC_METHOD_NOT_FOUND = -32601,
    JSONRPC_INVALID_PARAMS = -32602,
    JSONRPC_INTERNAL_ERROR = -32603,
};

enum { JSONRPC_ID_MAX = 256, JSONRPC_METHOD_MAX = 64 };

enum jsonrpc_kind { JSONRPC_REQUEST, JSONRPC_NOTIFICATION, JSONRPC_RESPONSE };

struct jsonrpc_message {
    enum jsonrpc_kind kind;
    struct span id;                      /* raw, a string or a number; empty for a notification */
    char method[JSONRPC_METHOD_MAX + 1]; /* "" for a response; a longer one is cut off */
    struct span params;                  /* raw, an object; empty when there are none */
};

/* Why a text is none. */
struct jsonrpc_fault {
    int code;
    const char *why; /* static, a sentence */
};

/*
 * *out borrows from the text. E_MALFORMED, E_NOMEM: *out_fault says why, and out->id is the id if
 * there was one that can be answered, else empty.
 */
MUST_CHECK enum status jsonrpc_read(struct span text, struct jsonrpc_message *out,
                                    struct jsonrpc_fault *out_fault);

/* Whole messages, appended. An empty `id` is written as null; what is called `json` is JSON. */
void jsonrpc_write_result(struct buf *out, struct span id, struct span json);
void jsonrpc_write_notification(struct buf *out, const char *method, struct span params_json);

/* `data_json` may be empty. */
void jsonrpc_write_error(struct buf *out, struct span id, int code, struct span message,
                         struct span data_json);

#endif
