/* SPDX-License-Identifier: MIT */
/*
 * jsonrpc and json_schema: whatever comes is a message or refused with a code and a reason; what is
 * read borrows from the input; an answer with the id that was read is JSON and has that id. Params
 * that can be read are held against a schema with every word we know.
 */
#include "proto/json_schema.h"
#include "proto/jsonrpc.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

static const char schema_text[] =
    "{\"type\":\"object\",\"properties\":{"
    "\"id\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":8},"
    "\"n\":{\"type\":[\"integer\",\"null\"],\"minimum\":-3,\"maximum\":9},"
    "\"of\":{\"enum\":[\"a\",1,null,[1]]},"
    "\"list\":{\"type\":\"array\",\"minItems\":1,\"maxItems\":4,\"items\":{\"type\":\"object\","
    "\"properties\":{\"x\":{\"type\":\"boolean\"}},\"required\":[\"x\"]}},"
    "\"map\":{\"type\":\"object\",\"additionalProperties\":{\"type\":\"number\"}}},"
    "\"required\":[\"id\"],\"additionalProperties\":false}";

static bool inside(struct span part, struct span whole)
{
    return part.len == 0 || (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len);
}

static void check_answer(struct span id)
{
    struct jsonrpc_message again;
    struct jsonrpc_fault fault;
    struct buf out;
    buf_init(&out, 4096);
    jsonrpc_write_result(&out, id, SPAN("{}"));
    CHECK(buf_status(&out) == OK);
    if (id.len > 0) {
        CHECK(jsonrpc_read(buf_span(&out), &again, &fault) == OK);
        CHECK(again.kind == JSONRPC_RESPONSE && span_eq(again.id, id));
    }
    buf_fini(&out);
}

static void check_params(struct span params)
{
    struct fields *schema = NULL;
    struct fields *value = NULL;
    struct buf why;
    buf_init(&why, 1 << 16);
    if (fields_parse(params, &value, NULL) == OK &&
        fields_parse(SPAN(schema_text), &schema, NULL) == OK) {
        bool fits = json_schema_check(schema, value, "arguments", &why);
        CHECK(fits == (why.len == 0));
        CHECK(json_utf8_valid(buf_span(&why)));
    }
    fields_destroy(schema);
    fields_destroy(value);
    buf_fini(&why);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct span text = copy_of((struct span){(const char *)data, size});
    struct jsonrpc_message m;
    struct jsonrpc_fault fault = {0, NULL};
    bool good = jsonrpc_read(text, &m, &fault) == OK;
    CHECK(good || (fault.code < 0 && fault.why));
    CHECK(inside(m.id, text) && inside(m.params, text));
    CHECK(m.id.len <= JSONRPC_ID_MAX);
    CHECK(strlen(m.method) <= JSONRPC_METHOD_MAX);
    check_answer(m.id);
    if (good && m.params.len > 0)
        check_params(m.params);
    free((char *)text.ptr);
    return 0;
}
