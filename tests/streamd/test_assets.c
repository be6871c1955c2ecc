/* SPDX-License-Identifier: MIT */
#include "streamd/http/assets.h"

#include "streamd/http/assets_load.h"
#include "tests/support/http_world.h"
#include "tests/support/oom.h"

#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

/* A folder of files, and a world that serves it. */
struct build {
    struct world world;
    char dir[64];
};

static void put(const struct build *b, const char *name, const char *bytes, size_t len)
{
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/%s", b->dir, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static void put_text(const struct build *b, const char *name, const char *text)
{
    put(b, name, text, strlen(text));
}

static void make_dir(const struct build *b, const char *name)
{
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/%s", b->dir, name);
    assert_int_equal(mkdir(path, 0700), 0);
}

static const char index_text[] = "<!doctype html><title>runs</title>";

static int setup(void **state)
{
    struct build *b = calloc(1, sizeof(*b));
    assert_non_null(b);
    (void)snprintf(b->dir, sizeof(b->dir), "/tmp/streamd-assets-XXXXXX");
    assert_non_null(mkdtemp(b->dir));
    make_dir(b, "assets");
    put_text(b, "index.html", index_text);
    world_config(&b->world);
    b->world.config.web_dir = b->dir;
    *state = b;
    return 0;
}

static int remove_node(const char *path, const struct stat *info, int type, struct FTW *ftw)
{
    (void)info;
    (void)type;
    (void)ftw;
    return remove(path);
}

static int teardown(void **state)
{
    struct build *b = *state;
    (void)nftw(b->dir, remove_node, 8, FTW_DEPTH | FTW_PHYS);
    world_close(&b->world);
    free(b);
    return 0;
}

static void the_page_is_served_with_a_strict_policy(void **state)
{
    static const char *const targets[] = {"/", "/index.html", "/?run=a"};
    struct build *b = *state;
    struct world *w = &b->world;
    world_open(w);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(world_get(w, targets[i]), 200);
        assert_true(span_is(w->body, index_text));
        assert_header(w, "Content-Type", "text/html; charset=utf-8");
        assert_header(w, "Cache-Control", "no-cache");
        struct span policy = world_header(w, "Content-Security-Policy");
        assert_true(span_starts(policy, SPAN("default-src 'self'; ")));
        assert_non_null(memmem(policy.ptr, policy.len, "object-src 'none'", 17));
        assert_null(memmem(policy.ptr, policy.len, "unsafe-eval", 11));
        assert_header(w, "X-Content-Type-Options", "nosniff");
    }
}

static void the_page_stands_in_the_frames_of_those_who_may_read_it_anyway(void **state)
{
    struct build *b = *state;
    struct world *w = &b->world;
    w->config.allow_origin[w->config.allow_origin_count++] = "https://lab.example";
    world_open(w);
    (void)world_get(w, "/?embed=1");
    struct span policy = world_header(w, "Content-Security-Policy");
    const char ancestors[] =
        "; frame-ancestors 'self' http://localhost:* https://localhost:* http://127.0.0.1:* "
        "https://127.0.0.1:* https://lab.example";
    assert_true(policy.len > sizeof(ancestors));
    const char *end = policy.ptr + policy.len - (sizeof(ancestors) - 1);
    assert_memory_equal(end, ancestors, sizeof(ancestors) - 1);
    assert_header(w, "Referrer-Policy", "same-origin");
}

static void hashed_files_are_kept_for_a_year_and_others_asked_for_again(void **state)
{
    struct build *b = *state;
    struct world *w = &b->world;
    put_text(b, "assets/index-B6y7.js", "let a=1");
    put_text(b, "favicon.svg", "<svg/>");
    world_open(w);
    assert_int_equal(world_get(w, "/assets/index-B6y7.js"), 200);
    assert_header(w, "Cache-Control", "public, max-age=31536000, immutable");
    assert_header(w, "Content-Security-Policy", NULL);
    assert_int_equal(world_get(w, "/favicon.svg"), 200);
    assert_header(w, "Cache-Control", "no-cache");
}

static void types_follow_the_ending_of_the_name(void **state)
{
    static const struct {
        const char *name;
        const char *type;
    } cases[] = {
        {"a.js", "text/javascript; charset=utf-8"},
        {"a.css", "text/css; charset=utf-8"},
        {"a.svg", "image/svg+xml"},
        {"a.json", "application/json"},
        {"a.js.map", "application/json"},
        {"a.woff2", "font/woff2"},
        {"a.png", "image/png"},
        {"a.ico", "image/x-icon"},
        {"a.wasm", "application/wasm"},
        {"a.txt", "text/plain; charset=utf-8"},
        {"a.exe", "application/octet-stream"},
        {"js", "application/octet-stream"},
        {"a b.js", "text/javascript; charset=utf-8"},
    };
    struct build *b = *state;
    struct world *w = &b->world;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        put_text(b, cases[i].name, "x");
    world_open(w);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char target[64];
        (void)snprintf(target, sizeof(target), "/%s",
                       strchr(cases[i].name, ' ') ? "a%20b.js" : cases[i].name);
        assert_int_equal(world_get(w, target), 200);
        assert_header(w, "Content-Type", cases[i].type);
    }
}

static void a_file_is_packed_once_and_sent_packed_where_accepted(void **state)
{
    static char text[5000];
    struct build *b = *state;
    struct world *w = &b->world;
    memset(text, 'x', sizeof(text));
    put(b, "assets/a.js", text, sizeof(text));
    put(b, "assets/a.png", text, sizeof(text));
    world_open(w);
    w->req.accept_gzip = true;
    assert_int_equal(world_get(w, "/assets/a.js"), 200);
    assert_header(w, "Content-Encoding", "gzip");
    assert_true(w->body.len < 200);
    assert_memory_equal(w->body.ptr, "\x1f\x8b", 2);
    assert_int_equal(world_get(w, "/assets/a.png"), 200);
    assert_header(w, "Content-Encoding", NULL);
    w->req.accept_gzip = false;
    assert_int_equal(world_get(w, "/assets/a.js"), 200);
    assert_header(w, "Content-Encoding", NULL);
    assert_int_equal(w->body.len, sizeof(text));
    assert_memory_equal(w->body.ptr, text, sizeof(text));
}

static void nothing_is_packed_with_compression_off(void **state)
{
    static char text[5000];
    struct build *b = *state;
    struct world *w = &b->world;
    memset(text, 'x', sizeof(text));
    put(b, "assets/a.js", text, sizeof(text));
    w->config.compression = false;
    world_open(w);
    w->req.accept_gzip = true;
    assert_int_equal(world_get(w, "/assets/a.js"), 200);
    assert_header(w, "Content-Encoding", NULL);
}

static void an_unchanged_file_is_a_304(void **state)
{
    struct build *b = *state;
    struct world *w = &b->world;
    char etag[32];
    put_text(b, "other.txt", "other");
    world_open(w);
    (void)world_get(w, "/");
    struct span first = world_header(w, "ETag");
    memcpy(etag, first.ptr, first.len);
    w->req.if_none_match = (struct span){etag, first.len};
    assert_int_equal(world_get(w, "/"), 304);
    assert_int_equal(world_get(w, "/other.txt"), 200);
}

static void head_works_and_writing_does_not(void **state)
{
    struct build *b = *state;
    struct world *w = &b->world;
    world_open(w);
    assert_int_equal(world_ask(w, METHOD_HEAD, "/", ""), 200);
    assert_int_equal(w->body.len, 0);
    struct span length = world_header(w, "Content-Length");
    assert_int_equal(strtoul(length.ptr, NULL, 10), strlen(index_text));
    assert_int_equal(world_ask(w, METHOD_POST, "/index.html", "x"), 405);
    assert_header(w, "Allow", "GET, HEAD, OPTIONS");
    assert_header(w, "Content-Security-Policy", NULL);
    assert_int_equal(world_ask(w, METHOD_OPTIONS, "/index.html", ""), 204);
}

static void only_plain_files_of_the_folder_are_served(void **state)
{
    static const char *const targets[] = {"/.env",
                                          "/.git/config",
                                          "/link.txt",
                                          "/up/passwd",
                                          "/fifo",
                                          "/assets",
                                          "/assets/",
                                          "/assets/../index.html",
                                          "/./index.html",
                                          "/%2e%2e/%2e%2e/etc/passwd",
                                          "/index.htm",
                                          "/INDEX.HTML",
                                          "/index.html%20",
                                          "index.html",
                                          NULL};
    struct build *b = *state;
    struct world *w = &b->world;
    char path[512];
    put_text(b, ".env", "SECRET=1");
    make_dir(b, ".git");
    put_text(b, ".git/config", "x");
    (void)snprintf(path, sizeof(path), "%s/link.txt", b->dir);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    (void)snprintf(path, sizeof(path), "%s/up", b->dir);
    assert_int_equal(symlink("/etc", path), 0);
    (void)snprintf(path, sizeof(path), "%s/fifo", b->dir);
    assert_int_equal(mkfifo(path, 0600), 0);
    world_open(w);
    for (const char *const *target = targets; *target; target++) {
        if (world_get(w, *target) != 404)
            fail_msg("%s gave %d", *target, w->status);
    }
    assert_int_equal(world_get(w, "/"), 200);
}

static void folders_are_read_three_deep(void **state)
{
    struct build *b = *state;
    struct world *w = &b->world;
    make_dir(b, "a");
    make_dir(b, "a/b");
    make_dir(b, "a/b/c");
    put_text(b, "a/b/in.txt", "x");
    put_text(b, "a/b/c/out.txt", "x");
    world_open(w);
    assert_int_equal(world_get(w, "/a/b/in.txt"), 200);
    assert_int_equal(world_get(w, "/a/b/c/out.txt"), 404);
}

static void a_path_too_long_to_be_asked_for_is_left_out(void **state)
{
    struct build *b = *state;
    struct world *w = &b->world;
    char path[300] = "/folder/";
    make_dir(b, "folder");
    put_text(b, "folder/short", "x");
    memset(path + 8, 'n', 250);
    put_text(b, path + 1, "x");
    world_open(w);
    assert_int_equal(world_get(w, "/folder/short"), 200);
    assert_int_equal(world_get(w, path), 404);
    path[ASSETS_PATH_MAX] = '\0'; /* nor is it there under what of its name has room */
    assert_int_equal(world_get(w, path), 404);
}

static void what_is_past_the_limits_is_left_out(void **state)
{
    struct build *b = *state;
    struct world *w = &b->world;
    char name[300];
    size_t found = 0;
    char *large = calloc(1, ASSETS_BYTES_MAX);
    assert_non_null(large);
    put(b, "large.bin", large, ASSETS_BYTES_MAX);
    free(large);
    for (int i = 0; i < ASSETS_FILES_MAX + 20; i++) {
        (void)snprintf(name, sizeof(name), "f%d", i);
        put_text(b, name, "12345678");
    }
    memset(name, 'n', 254);
    name[254] = '\0';
    put_text(b, name, "x");
    world_open(w);
    for (int i = 0; i < ASSETS_FILES_MAX + 20; i++) {
        (void)snprintf(name, sizeof(name), "/f%d", i);
        found += world_get(w, name) == 200;
    }
    assert_in_range(found, 1, ASSETS_FILES_MAX);
    assert_int_equal(world_get(w, "/large.bin"), 404);
}

static void an_empty_file_is_an_empty_answer(void **state)
{
    struct build *b = *state;
    struct world *w = &b->world;
    put_text(b, "empty.txt", "");
    world_open(w);
    assert_int_equal(world_get(w, "/empty.txt"), 200);
    assert_header(w, "Content-Length", "0");
    assert_header(w, "Content-Type", "text/plain; charset=utf-8");
}

static void without_a_build_the_page_says_how_to_make_one(void **state)
{
    static const char *const dirs[] = {NULL, "/nonexistent/streamd", "/etc/passwd"};
    struct build *b = *state;
    for (size_t i = 0; i < 3; i++) {
        struct config config = {.web_dir = dirs[i]};
        struct assets *assets = assets_create(&config, NULL);
        struct request req = {.method = METHOD_GET, .path = SPAN("/")};
        struct reply reply;
        assert_non_null(assets);
        reply_init(&reply, REPLY_BODY_MAX);
        assert_true(assets_answer(assets, &req, &reply));
        assert_non_null(memmem(reply.shared_body.ptr, reply.shared_body.len, "make web", 8));
        assert_non_null(reply.extra_headers);
        req.path = SPAN("/index.html");
        assert_false(assets_answer(assets, &req, &reply));
        reply_fini(&reply);
        assets_destroy(assets);
    }
    world_open(&b->world);
}

#define ASSETS_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static void forget(struct strmap *by_path)
{
    size_t at = 0;
    struct span path;
    void *asset;
    while (strmap_next(by_path, &at, &path, &asset))
        asset_destroy(asset);
    strmap_fini(by_path);
}

static void a_page_inside_the_program_is_served_like_a_folder(void **state)
{
    const struct build *b = *state;
    static const char script[] = "let a = 1;";
    static const struct page_file files[] = {
        {"/index.html", index_text, index_text + sizeof(index_text) - 1},
        {"/assets/app-1a2b.js", script, script + sizeof(script) - 1},
        {NULL, NULL, NULL},
    };
    struct strmap inside;
    struct strmap folder;
    strmap_init(&inside, 0);
    strmap_init(&folder, 0);
    put_text(b, "assets/app-1a2b.js", script);
    assets_load_page(&inside, files, NULL);
    assets_load(&folder, b->dir, NULL);
    assert_int_equal(strmap_count(&inside), 2);
    for (const struct page_file *f = files; f->path; f++) {
        const struct asset *a = strmap_find(&inside, span_of(f->path));
        const struct asset *same = strmap_find(&folder, span_of(f->path));
        assert_int_equal(a->plain_len, f->end - f->bytes);
        assert_memory_equal(a->plain, f->bytes, a->plain_len);
        assert_ptr_equal(a->media, same->media);
        assert_true(a->etag == same->etag);
    }
    forget(&inside);
    forget(&folder);
}

static void a_file_that_finds_no_memory_is_left_out(void **state)
{
    struct build *b = *state;
    struct world *w = &b->world;
    static char script[4096];
    static const struct page_file files[] = {{"/app.js", script, script + sizeof(script)},
                                             {NULL, NULL, NULL}};
    bool failed = true;
    memset(script, 'a', sizeof(script));
    put(b, "app.js", script, sizeof(script));
    world_open(w);
    for (size_t nth = 1; failed; nth++) {
        struct strmap inside;
        struct strmap folder;
        strmap_init(&inside, 0);
        strmap_init(&folder, 0);
        oom_fail(nth);
        assets_load_page(&inside, files, w->app->encoder.deflater);
        assets_load(&folder, b->dir, w->app->encoder.deflater);
        failed = oom_failed();
        struct strmap *const maps[] = {&inside, &folder};
        for (size_t i = 0; i < 2; i++) {
            const struct asset *a = strmap_find(maps[i], SPAN("/app.js"));
            assert_true(a || failed);
            if (a)
                assert_memory_equal(a->plain, script, sizeof(script));
            forget(maps[i]);
        }
    }
}

static void without_memory_for_it_there_is_no_page(void **state)
{
    struct build *b = *state;
    bool failed = true;
    world_open(&b->world);
    for (size_t nth = 1; failed; nth++) {
        oom_fail(nth);
        struct assets *assets = assets_create(&b->world.config, NULL);
        failed = oom_failed();
        assert_true(assets || nth <= 2);
        assets_destroy(assets);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ASSETS_TEST(the_page_is_served_with_a_strict_policy),
        ASSETS_TEST(the_page_stands_in_the_frames_of_those_who_may_read_it_anyway),
        ASSETS_TEST(hashed_files_are_kept_for_a_year_and_others_asked_for_again),
        ASSETS_TEST(types_follow_the_ending_of_the_name),
        ASSETS_TEST(a_file_is_packed_once_and_sent_packed_where_accepted),
        ASSETS_TEST(nothing_is_packed_with_compression_off),
        ASSETS_TEST(an_unchanged_file_is_a_304),
        ASSETS_TEST(head_works_and_writing_does_not),
        ASSETS_TEST(only_plain_files_of_the_folder_are_served),
        ASSETS_TEST(folders_are_read_three_deep),
        ASSETS_TEST(a_path_too_long_to_be_asked_for_is_left_out),
        ASSETS_TEST(what_is_past_the_limits_is_left_out),
        ASSETS_TEST(an_empty_file_is_an_empty_answer),
        ASSETS_TEST(without_a_build_the_page_says_how_to_make_one),
        ASSETS_TEST(a_page_inside_the_program_is_served_like_a_folder),
        ASSETS_TEST(a_file_that_finds_no_memory_is_left_out),
        ASSETS_TEST(without_memory_for_it_there_is_no_page),
    };
    return cmocka_run_group_tests_name("http/assets", tests, NULL, NULL);
}
