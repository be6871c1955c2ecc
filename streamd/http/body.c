/* SPDX-License-Identifier: MIT */
#include "streamd/http/body.h"

#include <stdio.h>

struct fields *body_read(const struct request *req, struct reply *reply)
{
    struct fields *body;
    struct json_error error;
    char message[160];
    enum status status = fields_parse(req->body, &body, &error);
    if (status == OK && fields_is_object(body))
        return body;
    if (status == OK) {
        fields_destroy(body);
        reply_error(reply, 400, "The body must be a JSON object");
    } else if (status == E_MALFORMED) {
        (void)snprintf(message, sizeof(message), "The body must be a JSON object: %s at byte %zu",
                       error.why, error.at);
        reply_error(reply, 400, message);
    } else {
        reply_error(reply, 503, "Out of memory");
    }
    return NULL;
}
