/* SPDX-License-Identifier: MIT */
#include "streamd/http/reply.h"

#include "tests/support/http_world.h"

#include <zlib.h>

enum { BODY_LIMIT = 2 << 20 };

static struct deflater *deflater;
static struct stats stats;

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    deflater = deflater_create();
    assert_non_null(deflater);
    stats = (struct stats){0};
    w->config = (struct config){.listen = {"127.0.0.1:5001"}, .listen_count = 1};
    w->config.compression = true;
    w->req = (struct request){
        .method = METHOD_GET,
        .host = SPAN("127.0.0.1:5001"),
        .keep_alive = true,
        .now = {.wall_s = 784111777.9},
    };
    reply_init(&w->reply, BODY_LIMIT);
    buf_init(&w->out, BODY_LIMIT + REPLY_HEAD_MAX);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    cJSON_Delete(w->json);
    reply_fini(&w->reply);
    buf_fini(&w->out);
    free(w);
    deflater_destroy(deflater);
    return 0;
}

static void render(struct world *w)
{
    buf_reset(&w->out);
    reply_render(&w->reply, &w->req, &w->config, deflater, &stats, &w->out);
    world_take_answer(w);
}

static void fill(struct world *w, size_t bytes)
{
    buf_add_char(&w->reply.body, '"');
    for (size_t i = 2; i < bytes; i++)
        buf_add_char(&w->reply.body, (char)('a' + i % 7));
    buf_add_char(&w->reply.body, '"');
}

static void an_answer_says_what_it_is_and_how_long(void **state)
{
    struct world *w = *state;
    buf_add_str(&w->reply.body, "{\"a\":1}");
    render(w);
    assert_int_equal(w->status, 200);
    assert_true(span_starts(w->head, SPAN("HTTP/1.1 200 OK\r\n")));
    assert_header(w, "Content-Type", "application/json");
    assert_header(w, "Content-Length", "7");
    assert_header(w, "Content-Encoding", NULL);
    assert_header(w, "Cache-Control", "no-store");
    assert_header(w, "X-Content-Type-Options", "nosniff");
    assert_header(w, "Date", "Sun, 06 Nov 1994 08:49:37 GMT");
    assert_header(w, "Connection", "keep-alive");
    assert_header(w, "Vary", "Accept-Encoding, Origin");
    assert_header(w, "ETag", NULL);
    assert_true(span_is(w->body, "{\"a\":1}"));
}

static void an_error_is_json_and_forgets_what_was_meant(void **state)
{
    struct world *w = *state;
    w->reply.etag = 7;
    w->reply.content_type = "text/csv";
    w->reply.cache_control = "public";
    fill(w, 5000);
    reply_error(&w->reply, 404, "no \"such\"\nthing");
    render(w);
    assert_int_equal(w->status, 404);
    assert_true(cJSON_IsFalse(world_at(w, "success")));
    assert_string_equal(world_string(w, "error"), "no \"such\"\nthing");
    assert_header(w, "Content-Type", "application/json");
    assert_header(w, "Cache-Control", "no-store");
    assert_header(w, "ETag", NULL);
}

static void the_connection_ends_when_either_side_says_so(void **state)
{
    struct world *w = *state;
    w->req.keep_alive = false;
    render(w);
    assert_header(w, "Connection", "close");
    w->req.keep_alive = true;
    w->reply.close = true;
    reply_error(&w->reply, 413, "too long");
    render(w);
    assert_header(w, "Connection", "close");
}

static void head_has_the_headers_of_get_and_no_body(void **state)
{
    struct world *w = *state;
    char get[REPLY_HEAD_MAX];
    fill(w, 3000);
    w->req.accept_gzip = true;
    render(w);
    size_t len = w->head.len;
    memcpy(get, w->head.ptr, len);
    w->req.method = METHOD_HEAD;
    render(w);
    assert_int_equal(w->head.len, len);
    assert_memory_equal(w->head.ptr, get, len);
    assert_int_equal(w->body.len, 0);
}

/* Inflates a gzip body and compares it with the reply's. */
static void assert_gzip_of_body(const struct world *w)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)w->body.ptr, .avail_in = (uInt)w->body.len};
    char *plain = malloc(w->reply.body.len + 1);
    assert_non_null(plain);
    z.next_out = (Bytef *)plain;
    z.avail_out = (uInt)w->reply.body.len + 1;
    assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
    assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
    assert_int_equal(z.total_out, w->reply.body.len);
    assert_memory_equal(plain, w->reply.body.ptr, w->reply.body.len);
    (void)inflateEnd(&z);
    free(plain);
}

static void a_body_above_one_kib_is_packed_where_accepted(void **state)
{
    static const struct {
        size_t bytes;
        bool accepted;
        bool compression;
        bool packed;
    } cases[] = {
        {1024, true, true, false},          {1025, true, true, true},
        {1025, false, true, false},         {1025, true, false, false},
        {REPLY_GZIP_MAX, true, true, true}, {REPLY_GZIP_MAX + 1, true, true, false},
    };
    struct world *w = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        reply_reset(&w->reply);
        fill(w, cases[i].bytes);
        w->req.accept_gzip = cases[i].accepted;
        w->config.compression = cases[i].compression;
        render(w);
        assert_header(w, "Content-Encoding", cases[i].packed ? "gzip" : NULL);
        assert_header(w, "Vary", cases[i].compression ? "Accept-Encoding, Origin" : "Origin");
        if (cases[i].packed)
            assert_gzip_of_body(w);
        else
            assert_int_equal(w->body.len, cases[i].bytes);
    }
}

static void without_a_deflater_nothing_is_packed(void **state)
{
    struct world *w = *state;
    fill(w, 4000);
    w->req.accept_gzip = true;
    reply_render(&w->reply, &w->req, &w->config, NULL, &stats, &w->out);
    world_take_answer(w);
    assert_header(w, "Content-Encoding", NULL);
    assert_int_equal(w->body.len, 4000);
}

static void bytes_are_counted_before_and_after(void **state)
{
    struct world *w = *state;
    fill(w, 4000);
    w->req.accept_gzip = true;
    render(w);
    assert_int_equal(stats.http_bytes_plain, 4000);
    assert_int_equal(stats.http_bytes_wire, w->body.len);
    assert_true(w->body.len < 400);
}

static void the_clients_own_copy_is_not_sent_again(void **state)
{
    static const struct {
        const char *if_none_match;
        bool unchanged;
    } cases[] = {
        {"W/\"00000000000000ab\"", true},
        {"\"00000000000000ab\"", true},
        {"*", true},
        {"\"x\", W/\"00000000000000ab\"", true},
        {" W/\"00000000000000ab\" ,\"y\"", true},
        {"W/\"00000000000000ac\"", false},
        {"00000000000000ab", false},
        {"w/\"00000000000000ab\"", false},
        {"\"00000000000000ab", false},
        {"\"0000000000000000ab\"", false},
        {",,", false},
        {"\"", false},
        {"", false},
    };
    struct world *w = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        reply_reset(&w->reply);
        w->reply.etag = 0xab;
        fill(w, 100);
        w->req.if_none_match = span_of(cases[i].if_none_match);
        render(w);
        if (w->status != (cases[i].unchanged ? 304 : 200))
            fail_msg("If-None-Match: %s gave %d", cases[i].if_none_match, w->status);
        assert_header(w, "ETag", "W/\"00000000000000ab\"");
        assert_header(w, "Content-Length", cases[i].unchanged ? NULL : "100");
        assert_int_equal(w->body.len, cases[i].unchanged ? 0 : 100);
    }
    assert_int_equal(stats.http_not_modified, 5);
}

static void only_a_successful_read_can_be_unchanged(void **state)
{
    struct world *w = *state;
    w->req.if_none_match = SPAN("*");
    w->reply.etag = 1;
    w->req.method = METHOD_POST;
    render(w);
    assert_int_equal(w->status, 200);
    w->req.method = METHOD_GET;
    w->reply.status = 503;
    render(w);
    assert_int_equal(w->status, 503);
    w->reply.status = 200;
    w->reply.etag = 0;
    render(w);
    assert_int_equal(w->status, 200);
}

static void an_allowed_origin_is_named_on_every_answer(void **state)
{
    static const int statuses[] = {200, 304, 400, 404, 405, 413, 421, 500, 503};
    struct world *w = *state;
    w->req.origin = SPAN("http://localhost:3000");
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        reply_reset(&w->reply);
        reply_error(&w->reply, statuses[i], "x");
        render(w);
        assert_int_equal(w->status, statuses[i]);
        assert_header(w, "Access-Control-Allow-Origin", "http://localhost:3000");
        assert_header(w, "Access-Control-Allow-Credentials", "true");
        assert_header(w, "Access-Control-Expose-Headers", "ETag, Mcp-Session-Id");
        assert_header(w, "Access-Control-Allow-Methods", NULL);
    }
}

static void any_other_origin_is_told_nothing(void **state)
{
    static const char *const origins[] = {"http://evil.example", "null", "*",
                                          "http://localhost.evil.example", NULL};
    struct world *w = *state;
    for (const char *const *origin = origins; *origin; origin++) {
        w->req.origin = span_of(*origin);
        w->req.method = METHOD_GET;
        reply_reset(&w->reply);
        render(w);
        assert_null(memmem(w->head.ptr, w->head.len, "Access-Control", 14));
        w->req.method = METHOD_OPTIONS;
        reply_options(&w->reply, METHOD_GET);
        render(w);
        assert_null(memmem(w->head.ptr, w->head.len, "Access-Control", 14));
        assert_header(w, "Vary", "Accept-Encoding, Origin");
    }
}

static void a_preflight_is_answered_from_a_fixed_list(void **state)
{
    struct world *w = *state;
    w->req.method = METHOD_OPTIONS;
    w->req.origin = SPAN("http://localhost:3000");
    w->req.access_control_request_method = SPAN("TRACE");
    reply_options(&w->reply, METHOD_GET | METHOD_POST);
    render(w);
    assert_int_equal(w->status, 204);
    assert_int_equal(w->body.len, 0);
    assert_header(w, "Content-Length", NULL);
    assert_header(w, "Allow", "GET, HEAD, POST, OPTIONS");
    assert_header(w, "Access-Control-Allow-Methods", "GET, HEAD, POST, OPTIONS");
    assert_header(w, "Access-Control-Allow-Headers",
                  "Accept, Authorization, Cache-Control, Content-Type, If-None-Match, "
                  "Last-Event-ID, Mcp-Method, Mcp-Name, Mcp-Param-Operation-Id, "
                  "Mcp-Param-Session-Id, Mcp-Protocol-Version, Mcp-Session-Id");
    assert_header(w, "Access-Control-Max-Age", "7200");
}

static void a_405_names_the_methods(void **state)
{
    struct world *w = *state;
    reply_error(&w->reply, 405, "no");
    w->reply.allow = METHOD_PUT | METHOD_DELETE | METHOD_PATCH;
    render(w);
    assert_header(w, "Allow", "PUT, DELETE, PATCH, OPTIONS");
}

static void a_body_past_its_limit_becomes_advice(void **state)
{
    struct world *w = *state;
    w->reply.content_type = "text/csv";
    w->req.accept_gzip = true;
    fill(w, BODY_LIMIT + 1);
    render(w);
    assert_int_equal(w->status, 413);
    assert_header(w, "Content-Type", "application/json");
    assert_non_null(strstr(world_string(w, "error"), "limit"));
}

static void shared_bytes_go_out_as_they_are(void **state)
{
    static char file[3000];
    struct world *w = *state;
    w->req.accept_gzip = true;
    memset(file, 'x', sizeof(file));
    reply_share(&w->reply, "image/png", (struct span){file, sizeof(file)});
    w->reply.content_encoding = "gzip";
    w->reply.cache_control = "public";
    w->reply.extra_headers = "X-One: 1\r\nX-Two: 2\r\n";
    render(w);
    assert_header(w, "Content-Type", "image/png");
    assert_header(w, "Content-Encoding", "gzip");
    assert_header(w, "Content-Length", "3000");
    assert_header(w, "Cache-Control", "public");
    assert_header(w, "X-One", "1");
    assert_header(w, "X-Two", "2");
    assert_int_equal(w->body.len, sizeof(file));
    assert_memory_equal(w->body.ptr, file, sizeof(file));
}

static void shared_bytes_are_packed_when_asked_for(void **state)
{
    static char text[3000];
    struct world *w = *state;
    w->req.accept_gzip = true;
    memset(text, 'x', sizeof(text));
    reply_share(&w->reply, "text/plain", (struct span){text, sizeof(text)});
    w->reply.pack_shared = true;
    render(w);
    assert_header(w, "Content-Encoding", "gzip");
    assert_true(w->body.len < 100);
}

static void a_reset_reply_is_as_new(void **state)
{
    struct world *w = *state;
    fill(w, BODY_LIMIT + 1);
    w->reply.extra_headers = "X: y\r\n";
    w->reply.etag = 5;
    w->reply.close = true;
    reply_reset(&w->reply);
    render(w);
    assert_int_equal(w->status, 200);
    assert_header(w, "Content-Length", "0");
    assert_header(w, "X", NULL);
    assert_header(w, "ETag", NULL);
    assert_header(w, "Connection", "keep-alive");
    assert_true(w->reply.body.cap <= 1 << 20);
}

/* Neither is anybody's to send; whoever made it has a mistake in it. */
static void what_no_answer_can_be_is_a_500_or_left_out(void **state)
{
    struct world *w = *state;
    w->reply.status = 299;
    w->req.now.wall_s = 253402300800.0; /* the year 10000 */
    render(w);
    assert_int_equal(w->status, 500);
    assert_header(w, "Date", NULL);
}

static void an_answer_that_does_not_fit_fails_whole(void **state)
{
    struct world *w = *state;
    struct buf small;
    buf_init(&small, 64);
    reply_render(&w->reply, &w->req, &w->config, deflater, &stats, &small);
    assert_int_equal(buf_status(&small), E_LIMIT);
    buf_fini(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_answer_says_what_it_is_and_how_long, setup, teardown),
        cmocka_unit_test_setup_teardown(an_error_is_json_and_forgets_what_was_meant, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_connection_ends_when_either_side_says_so, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(head_has_the_headers_of_get_and_no_body, setup, teardown),
        cmocka_unit_test_setup_teardown(a_body_above_one_kib_is_packed_where_accepted, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(without_a_deflater_nothing_is_packed, setup, teardown),
        cmocka_unit_test_setup_teardown(bytes_are_counted_before_and_after, setup, teardown),
        cmocka_unit_test_setup_teardown(the_clients_own_copy_is_not_sent_again, setup, teardown),
        cmocka_unit_test_setup_teardown(only_a_successful_read_can_be_unchanged, setup, teardown),
        cmocka_unit_test_setup_teardown(an_allowed_origin_is_named_on_every_answer, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(any_other_origin_is_told_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(a_preflight_is_answered_from_a_fixed_list, setup, teardown),
        cmocka_unit_test_setup_teardown(a_405_names_the_methods, setup, teardown),
        cmocka_unit_test_setup_teardown(a_body_past_its_limit_becomes_advice, setup, teardown),
        cmocka_unit_test_setup_teardown(shared_bytes_go_out_as_they_are, setup, teardown),
        cmocka_unit_test_setup_teardown(shared_bytes_are_packed_when_asked_for, setup, teardown),
        cmocka_unit_test_setup_teardown(a_reset_reply_is_as_new, setup, teardown),
        cmocka_unit_test_setup_teardown(what_no_answer_can_be_is_a_500_or_left_out, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(an_answer_that_does_not_fit_fails_whole, setup, teardown),
    };
    return cmocka_run_group_tests_name("http/reply", tests, NULL, NULL);
}
