/* SPDX-License-Identifier: MIT */
/*
 * A cursor or a range that does not parse is refused: read as "absent" it would answer a full
 * replay to somebody who asked for three entries. `limit` alone is lenient, as the contract has it,
 * and its default of 100 does not apply to points, which are a limit of their own.
 *
 * Names are looked up in the trainers' table of spellings, so `step` and `lr` find what the entry
 * calls currentStep and learning_rate.
 */
#include "streamd/http/history.h"

#include "proto/spelling.h"
#include "streamd/app.h"
#include "streamd/http/history_select.h"
#include "streamd/http/history_write.h"
#include "streamd/http/params.h"

static struct history_field field_of(struct span name)
{
    const struct spelling *spelling = spelling_find(name);
    if (spelling && spelling->kind == SPELL_FIELD)
        return (struct history_field){span_of(record_field_name(spelling->field)), spelling->field};
    if (spelling && spelling->kind == SPELL_RENAME)
        name = spelling->rename;
    return (struct history_field){name, RECORD_FIELDS};
}

static bool has_field(const struct history_query *q, struct span name)
{
    for (size_t i = 0; i < q->field_count; i++) {
        if (span_eq(q->fields[i].name, name))
            return true;
    }
    return false;
}

/* `fields=a,b`; empty names and repeats are passed over. */
static bool read_fields(const struct request *req, struct reply *reply, struct history_query *q)
{
    if (!query_find(req->query, "fields", &q->names))
        return true;
    struct span rest = query_span(&q->names);
    while (rest.ptr) {
        struct history_field field = field_of(span_trim(span_cut(&rest, ',')));
        if (field.name.len == 0 || has_field(q, field.name))
            continue;
        if (q->field_count == HISTORY_FIELDS_MAX) {
            reply_error(reply, 400, "fields may name at most 32 metrics");
            return false;
        }
        q->fields[q->field_count++] = field;
    }
    return true;
}

bool history_query_read(const struct request *req, struct reply *reply, struct history_query *out)
{
    const uint64_t absent = UINT64_MAX;
    struct query_value limit;
    uint64_t from = absent;
    out->since = 0;
    out->to = absent;
    out->points = 0;
    out->field_count = 0;
    if (!param_u64(req, "since", reply, &out->since) || !param_u64(req, "from", reply, &from) ||
        !param_u64(req, "to", reply, &out->to) || !param_u64(req, "points", reply, &out->points))
        return false;
    out->ranged = from != absent || out->to != absent;
    out->from = from != absent ? from : 0;
    bool unlimited = out->points > 0 && !query_find(req->query, "limit", &limit);
    out->limit = unlimited ? UINT64_MAX : param_limit(req);
    return read_fields(req, reply, out);
}

struct num history_value(const struct record *r, const struct history_field *field)
{
    if (field->field != RECORD_FIELDS)
        return r->field[field->field];
    const struct num *value = record_extra(r, field->name);
    return value ? *value : num_none();
}

static const struct history_format *read_format(const struct request *req, struct reply *reply)
{
    struct query_value name;
    bool given = query_find(req->query, "format", &name);
    const struct history_format *format =
        history_format_find(given ? query_span(&name) : SPAN("json"));
    if (!format)
        reply_error(reply, 400, "format must be json, csv or ndjson");
    return format;
}

void history_answer(struct app *app, const struct request *req, struct reply *reply)
{
    struct history_query query;
    struct history_selection selection;
    const struct history_format *format = read_format(req, reply);
    if (!format || !history_query_read(req, reply, &query))
        return;
    const struct session *s = registry_find(&app->registry, req->tail);
    if (history_select(&selection, &query, s ? s->series : NULL) != OK) {
        reply_error(reply, 503, "Out of memory");
        return;
    }
    reply->content_type = format->content_type;
    format->write(reply, req->tail, &selection);
    history_select_fini(&selection);
}
