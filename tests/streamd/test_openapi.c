/* SPDX-License-Identifier: MIT */
#include "streamd/http/openapi.h"

#include "tests/support/http_world.h"

#include <ctype.h>

static const char *const names[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};
static const enum method bits[] = {METHOD_GET, METHOD_POST, METHOD_PUT, METHOD_PATCH,
                                   METHOD_DELETE};

/* How many methods the document has for that path, by its object. */
static int count_methods(const cJSON *path)
{
    const cJSON *member;
    int count = 0;
    cJSON_ArrayForEach(member, path) count += strcmp(member->string, "parameters") != 0;
    return count;
}

static const cJSON *method_of(const cJSON *path, const char *name)
{
    char lower[16] = "";
    for (size_t i = 0; name[i]; i++)
        lower[i] = (char)tolower((unsigned char)name[i]);
    return cJSON_GetObjectItemCaseSensitive(path, lower);
}

static void check_row(const struct world *w, const struct route *route, int *methods)
{
    struct buf text;
    buf_init(&text, 256);
    openapi_write_path(route, &text);
    buf_add_char(&text, '\0');
    const cJSON *path = cJSON_GetObjectItemCaseSensitive(world_at(w, "paths"), text.ptr);
    assert_non_null(path);
    assert_int_equal(cJSON_HasObjectItem(path, "parameters"), strstr(text.ptr, "{id}") != NULL);
    for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
        if (!(route->methods & bits[i]))
            continue;
        const cJSON *summary = cJSON_GetObjectItem(method_of(path, names[i]), "summary");
        assert_string_equal(summary->valuestring, route->summary);
        (*methods)++;
    }
    buf_fini(&text);
}

static void every_row_of_the_tables_is_described_and_nothing_else(void **state)
{
    struct world *w = *state;
    const cJSON *path;
    int rows = 0;
    int described = 0;
    assert_int_equal(world_get(w, "/openapi.json"), 200);
    assert_string_equal(world_string(w, "openapi"), "3.1.0");
    for (size_t t = 0; route_tables[t]; t++) {
        for (const struct route *r = route_tables[t]; r->pattern; r++)
            check_row(w, r, &rows);
    }
    cJSON_ArrayForEach(path, world_at(w, "paths")) described += count_methods(path);
    assert_int_equal(described, rows);
}

static void both_ends_of_the_metrics_are_named(void **state)
{
    struct world *w = *state;
    (void)world_get(w, "/openapi.json");
    const cJSON *path =
        cJSON_GetObjectItemCaseSensitive(world_at(w, "paths"), "/api/v1/operations/{id}/metrics");
    assert_true(cJSON_HasObjectItem(path, "get"));
    assert_true(cJSON_HasObjectItem(path, "post"));
    assert_true(cJSON_HasObjectItem(cJSON_GetObjectItem(path, "post"), "requestBody"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(every_row_of_the_tables_is_described_and_nothing_else),
        WORLD_TEST(both_ends_of_the_metrics_are_named),
    };
    return cmocka_run_group_tests_name("http/openapi", tests, NULL, NULL);
}
