/* SPDX-License-Identifier: MIT */
#include "streamd/session/legacy_room.h"

#include "proto/json_write.h"
#include "streamd/session/registry.h"

#include <string.h>

struct span legacy_room_name(struct span session_id, char name[LEGACY_ROOM_NAME_MAX])
{
    static const char prefix[] = "legacy/";
    size_t n = sizeof(prefix) - 1;
    memcpy(name, prefix, n);
    memcpy(name + n, session_id.ptr, session_id.len);
    return (struct span){name, n + session_id.len};
}

static struct room *find(struct session *s)
{
    char name[LEGACY_ROOM_NAME_MAX];
    return room_find(s->registry->hub, legacy_room_name(session_id(s), name));
}

static void write_update(struct session *s, struct buf *out)
{
    struct refbuf *metrics = session_metrics_json(s);
    buf_add_char(out, '{');
    json_write_pair_string(out, "sessionId", session_id(s));
    json_write_pair_string(out, "eventType", SPAN("progress"));
    json_write_pair_raw(out, "metrics", metrics ? refbuf_span(metrics) : SPAN("null"));
    json_write_pair_string(out, "status", span_of(session_state_name(s->state)));
    json_write_pair_double(out, "timestamp", s->last_update_s);
    json_write_pair_string(out, "message", SPAN("Training progress"));
    buf_add_char(out, '}');
}

void legacy_room_publish(struct session *s)
{
    struct registry *r = s->registry;
    struct room *room = find(s);
    if (!room)
        return;
    buf_reset(&r->scratch);
    write_update(s, &r->scratch);
    if (buf_status(&r->scratch) != OK)
        return;
    struct message m;
    message_init(&m, r->encoder, "progress_update", buf_span(&r->scratch), s->newest_offset);
    room_publish_update(room, &m);
    message_fini(&m);
}

void legacy_room_announce(struct session *s, struct message *event)
{
    struct room *room = find(s);
    if (room)
        room_publish_event(room, event);
}
