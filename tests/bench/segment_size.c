/* SPDX-License-Identifier: MIT */
/*
 * segment_size CURVES.tar.gz: what sealed segments take on disk over real curves, and what sealing
 * and reading them costs; one figure a line.
 *
 * Every line of a curve becomes the record the daemon would make of it: the trainer's numbers under
 * their names, the rest completed. Server times are the curve's own or a second apart, with some
 * milliseconds of jitter. A point is a number that the trainer sent, steps and epochs left out;
 * `per value` counts these too. Everything is read back and must be the same to the bit.
 *
 * Without the curves only the costs are measured, over a made-up run of a million records: the loss
 * and the gradient's norm with six digits, the learning rate on a schedule.
 */
#include "proto/line.h"
#include "streamd/store/segment_inside.h"
#include "tests/support/random.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    RUN_ROWS_MAX = 8192,
    ROW_EXTRAS_MAX = 16,
    LINE_MAX_BYTES = 4096,
    LONG_ROWS = 1000000,
    SEALED_BYTES_MAX = 256 << 20,
    JITTER_MS = 40,
    RUNS_MAX = 4096,
};

struct row {
    struct series_entry entry;
    struct extra extra[ROW_EXTRAS_MAX];
};

/* One run's rows, and what has been measured over all runs. */
struct bench {
    struct random random;
    struct row *rows; /* owns RUN_ROWS_MAX */
    size_t count;
    struct line_decoder decoder;
    struct record_memory memory;
    double step;
    double per_point[RUNS_MAX];
    size_t runs;
    uint64_t bytes;
    uint64_t heads;
    uint64_t points;
    uint64_t values;
    uint64_t records;
};

static void die(const char *what)
{
    (void)fprintf(stderr, "segment_size: %s\n", what);
    exit(EXIT_FAILURE);
}

static void must(enum status status)
{
    if (status != OK)
        die(status_text(status));
}

static double cpu_s(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

/* ---- from a curve's line to a record ---- */

/* Names outlive the line they came in. */
static struct span kept_name(struct span name)
{
    static struct span known[256];
    static size_t count;
    for (size_t i = 0; i < count; i++) {
        if (span_eq(known[i], name))
            return known[i];
    }
    if (count == 256)
        die("too many names");
    known[count] = span_of(strndup(name.ptr, name.len));
    return known[count++];
}

/* The curves' own words for numbers that are not finite, made the trainer's. */
static void respell(char *line, const char *from, const char *to)
{
    for (char *at = strstr(line, from); at; at = strstr(at, from)) {
        memset(at, ' ', strlen(from));
        memcpy(at, to, strlen(to));
    }
}

/* Takes "time_s" out of the line; negative when there is none. */
static double take_time(char *line)
{
    static const char key[] = "\"time_s\":";
    char *at = strstr(line, key);
    char *end;
    if (!at)
        return -1;
    double time_s = strtod(at + sizeof(key) - 1, &end);
    while (at > line && *at != ',' && *at != '{')
        at--;
    if (*at == '{')
        at++, end += *end == ',';
    memset(at, ' ', (size_t)(end - at));
    return time_s;
}

/* The way of the session: along the steps, and on by one where they go back. */
static uint64_t axis_of(struct bench *b, const struct record *r)
{
    double step = num_double(r->field[F_CURRENT_STEP]);
    bool known = isfinite(step) && step >= 0;
    double ahead = known ? step - b->step : 1;
    uint64_t before = b->count ? b->rows[b->count - 1].entry.axis : 0;
    if (known)
        b->step = step;
    return before + (ahead < 0 ? 1 : (uint64_t)ahead);
}

static void add_row(struct bench *b, struct record *r, double time_s)
{
    static const double start_ms = 1.7e12;
    struct row *row = &b->rows[b->count];
    double at_ms = floor((time_s < 0 ? (double)b->count : time_s) * 1000) +
                   (double)random_below(&b->random, JITTER_MS);
    double before_ms = b->count ? row[-1].entry.server_time_s * 1000 - start_ms : 0;
    at_ms = at_ms < before_ms ? before_ms : at_ms;
    if (b->count == RUN_ROWS_MAX || r->extra_count > ROW_EXTRAS_MAX)
        die("a run of more rows, or a row of more numbers, than there is room for");
    record_complete(r, &b->memory, floor(at_ms - (double)(random_below(&b->random, 8) == 0)) / 1000,
                    (start_ms + at_ms) / 1000);
    for (size_t i = 0; i < r->extra_count; i++)
        row->extra[i] = (struct extra){kept_name(r->extra[i].name), r->extra[i].value};
    r->extra = row->extra;
    r->ignored = 0;
    row->entry = (struct series_entry){b->count + 1, (start_ms + at_ms) / 1000, axis_of(b, r), *r};
    b->count++;
}

static void add_line(struct bench *b, char *line)
{
    struct record r;
    struct line_error error;
    double time_s = take_time(line);
    respell(line, "\"nan\"", "NaN");
    respell(line, "\"-inf\"", "-1e999");
    respell(line, "\"inf\"", "1e999");
    if (line_decode_metrics(&b->decoder, span_trim(span_of(line)), &r, &error) != OK)
        die(error.why);
    add_row(b, &r, time_s);
}

/* ---- sealing and reading back ---- */

static bool same_entry(const struct series_entry *a, const struct series_entry *c)
{
    const struct record *r = &a->record;
    const struct record *q = &c->record;
    bool same = a->offset == c->offset && a->axis == c->axis && r->sent == q->sent &&
                r->wrong == q->wrong && r->extra_count == q->extra_count &&
                memcmp(&a->server_time_s, &c->server_time_s, sizeof(double)) == 0;
    for (size_t f = 0; same && f < RECORD_FIELDS; f++)
        same = num_same(r->field[f], q->field[f]);
    for (size_t i = 0; same && i < r->extra_count; i++)
        same = num_same(r->extra[i].value, q->extra[i].value) &&
               span_eq(r->extra[i].name, q->extra[i].name);
    return same;
}

static void check_back(const struct row *rows, struct span head, struct span body)
{
    struct segment s;
    struct series_entry e;
    must(segment_open(&s, head, body));
    for (uint32_t i = 0; i < s.rows; i++) {
        must(segment_row(&s, i, &e));
        if (!same_entry(&rows[i].entry, &e))
            die("what was read is not what was written");
    }
    segment_close(&s);
}

static size_t seal_run(struct bench *b, struct segment_writer *w, size_t rows_max)
{
    struct buf head;
    struct buf body;
    size_t bytes = 0;
    buf_init(&head, SEALED_BYTES_MAX);
    buf_init(&body, SEALED_BYTES_MAX);
    for (size_t from = 0; from < b->count;) {
        size_t to = b->count - from < rows_max ? b->count : from + rows_max;
        buf_reset(&head);
        buf_reset(&body);
        for (size_t i = from; i < to; i++)
            must(segment_writer_add(w, &b->rows[i].entry));
        must(segment_writer_finish(w, &head, &body));
        check_back(&b->rows[from], buf_span(&head), buf_span(&body));
        b->heads += head.len;
        bytes += head.len + body.len;
        from = to;
    }
    buf_fini(&head);
    buf_fini(&body);
    return bytes;
}

static void end_run(struct bench *b, struct segment_writer *w, size_t rows_max)
{
    uint64_t points = 0;
    uint64_t values = 0;
    for (size_t i = 0; i < b->count; i++) {
        const struct record *r = &b->rows[i].entry.record;
        values += r->extra_count + (unsigned)__builtin_popcount(r->sent);
        points += r->extra_count + (unsigned)__builtin_popcount(r->sent & ~(1U << F_CURRENT_STEP)) -
                  (record_extra(r, SPAN("epoch")) != NULL);
    }
    if (b->count == 0 || points == 0)
        return;
    size_t bytes = seal_run(b, w, rows_max);
    b->bytes += bytes;
    b->points += points;
    b->values += values;
    b->records += b->count;
    if (b->runs < RUNS_MAX)
        b->per_point[b->runs++] = (double)bytes / (double)points;
}

static void begin_run(struct bench *b, const char *header)
{
    char config[64] = "{}";
    const char *total = strstr(header, "\"total\":");
    if (strstr(header, "\"unit\":\"step\"") && total && total[8] != 'n')
        (void)snprintf(config, sizeof(config), "{\"total_steps\":%ld}",
                       strtol(total + 8, NULL, 10));
    record_memory_init(&b->memory);
    record_memory_seed(&b->memory, span_of(config));
    b->count = 0;
    b->step = 0;
}

static int by_size(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return (left > right) - (left < right);
}

static void report(struct bench *b, size_t rows)
{
    qsort(b->per_point, b->runs, sizeof(double), by_size);
    printf("segment.curves.rows%zu.bytes_per_point %.3f\n", rows,
           (double)b->bytes / (double)b->points);
    printf("segment.curves.rows%zu.bytes_per_value %.3f\n", rows,
           (double)b->bytes / (double)b->values);
    printf("segment.curves.rows%zu.bytes_per_record %.3f\n", rows,
           (double)b->bytes / (double)b->records);
    printf("segment.curves.rows%zu.head_share %.3f\n", rows, (double)b->heads / (double)b->bytes);
    static const unsigned quantiles[] = {10, 50, 90, 100};
    for (size_t i = 0; i < 4; i++)
        printf("segment.curves.rows%zu.run_p%u.bytes_per_point %.3f\n", rows, quantiles[i],
               b->per_point[(b->runs - 1) * quantiles[i] / 100]);
}

static void measure_curves(const char *path, size_t rows_max)
{
    static char line[LINE_MAX_BYTES];
    static char command[LINE_MAX_BYTES];
    struct bench b = {.random = random_seeded(1), .rows = calloc(RUN_ROWS_MAX, sizeof(*b.rows))};
    struct segment_writer *w = segment_writer_create();
    (void)snprintf(command, sizeof(command), "tar -xzOf '%s' --wildcards '*.jsonl'", path);
    FILE *curves = popen(command, "r"); /* NOLINT(cert-env33-c) a benchmark's own argument */
    if (!b.rows || !w || !curves)
        die("no memory");
    line_decoder_init(&b.decoder, 1);
    while (fgets(line, sizeof(line), curves)) {
        if (strncmp(line, "{\"run\":", 7) != 0) {
            add_line(&b, line);
            continue;
        }
        end_run(&b, w, rows_max);
        begin_run(&b, line);
    }
    end_run(&b, w, rows_max);
    (void)pclose(curves);
    report(&b, rows_max);
    line_decoder_fini(&b.decoder);
    segment_writer_destroy(w);
    free(b.rows);
}

/* ---- what it costs ---- */

enum { LONG_EXTRAS = 3 };

static void make_long_row(struct random *random, struct record_memory *m, size_t i,
                          struct extra *extra, struct series_entry *out)
{
    char text[64];
    double at = (double)i / LONG_ROWS;
    double noise = (double)(random_next(random) >> 11) * 0x1p-53 - 0.5;
    *out = (struct series_entry){.offset = i + 1, .axis = i};
    (void)snprintf(text, sizeof(text), "%.6g", 2 + 3 / (1 + 50 * at) + noise * 0.2);
    extra[0] = (struct extra){SPAN("train_loss"), num_float(strtod(text, NULL))};
    (void)snprintf(text, sizeof(text), "%.6g", exp(noise * 3));
    extra[1] = (struct extra){SPAN("grad_norm"), num_float(strtod(text, NULL))};
    extra[2] = (struct extra){SPAN("lr"), num_float(3e-4 * 0.5 * (1 + cos(3.14159 * at)))};
    record_set(&out->record, F_CURRENT_STEP, num_int((int64_t)i));
    out->record.extra = extra;
    out->record.extra_count = LONG_EXTRAS;
    double at_ms = 20.0 * (double)i + (double)random_below(random, 8);
    out->server_time_s = (1.7e12 + at_ms) / 1000;
    record_complete(&out->record, m, at_ms / 1000, out->server_time_s);
}

struct sealed {
    struct buf head[LONG_ROWS / 1024 + 1];
    struct buf body[LONG_ROWS / 1024 + 1];
    size_t count;
};

static double seal_long(struct sealed *all, size_t rows_max)
{
    struct segment_writer *w = segment_writer_create();
    struct random random = random_seeded(9);
    struct record_memory memory;
    double spent_s = 0;
    static struct series_entry entries[SEGMENT_ROWS_MAX];
    static struct extra extra[SEGMENT_ROWS_MAX][LONG_EXTRAS];
    if (!w)
        die("no memory");
    record_memory_init(&memory);
    all->count = 0;
    for (size_t from = 0; from < LONG_ROWS; from += rows_max) {
        size_t n = LONG_ROWS - from < rows_max ? LONG_ROWS - from : rows_max;
        for (size_t i = 0; i < n; i++)
            make_long_row(&random, &memory, from + i, extra[i], &entries[i]);
        buf_init(&all->head[all->count], SEALED_BYTES_MAX);
        buf_init(&all->body[all->count], SEALED_BYTES_MAX);
        double before_s = cpu_s();
        for (size_t i = 0; i < n; i++)
            must(segment_writer_add(w, &entries[i]));
        must(segment_writer_finish(w, &all->head[all->count], &all->body[all->count]));
        spent_s += cpu_s() - before_s;
        all->count++;
    }
    segment_writer_destroy(w);
    return spent_s;
}

/* Every segment opened; `name` NULL: heads only. */
static double read_column(const struct sealed *all, enum record_field field, struct span name)
{
    static double values[SEGMENT_ROWS_MAX];
    static uint64_t axis[SEGMENT_ROWS_MAX];
    static bool has[SEGMENT_ROWS_MAX];
    double before_s = cpu_s();
    for (size_t i = 0; i < all->count; i++) {
        struct segment s;
        uint32_t column;
        must(segment_open(&s, buf_span(&all->head[i]), buf_span(&all->body[i])));
        if (name.ptr && segment_column_find(&s, field, name, &column)) {
            must(segment_numbers(&s, column, values, has));
            must(segment_axis(&s, axis));
        }
        segment_close(&s);
    }
    return cpu_s() - before_s;
}

static double read_rows(const struct sealed *all)
{
    double before_s = cpu_s();
    for (size_t i = 0; i < all->count; i++) {
        struct segment s;
        struct series_entry e;
        must(segment_open(&s, buf_span(&all->head[i]), buf_span(&all->body[i])));
        for (uint32_t row = 0; row < s.rows; row++)
            must(segment_row(&s, row, &e));
        segment_close(&s);
    }
    return cpu_s() - before_s;
}

static void measure_cost(size_t rows)
{
    static struct sealed all;
    uint64_t bytes = 0;
    double sealing_s = seal_long(&all, rows);
    for (size_t i = 0; i < all.count; i++)
        bytes += all.head[i].len + all.body[i].len;
    printf("segment.long.rows%zu.bytes_per_point %.3f\n", rows,
           (double)bytes / LONG_ROWS / LONG_EXTRAS);
    printf("segment.long.rows%zu.seal_ns_per_record %.0f\n", rows, sealing_s * 1e9 / LONG_ROWS);
    static const char *const names[] = {"train_loss", "grad_norm", "lr"};
    for (size_t i = 0; i < LONG_EXTRAS; i++)
        printf("segment.long.rows%zu.read_%s_ms_per_million %.2f\n", rows, names[i],
               read_column(&all, RECORD_FIELDS, span_of(names[i])) * 1e9 / LONG_ROWS);
    static const enum record_field fields[] = {F_LOSS, F_PERPLEXITY, F_OVERALL_PROGRESS,
                                               F_CURRENT_STEP, F_TRAINING_TIME};
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        printf("segment.long.rows%zu.read_%s_ms_per_million %.2f\n", rows,
               record_field_name(fields[i]),
               read_column(&all, fields[i], SPAN("")) * 1e9 / LONG_ROWS);
    printf("segment.long.rows%zu.open_heads_ms_per_million %.3f\n", rows,
           read_column(&all, RECORD_FIELDS, (struct span){NULL, 0}) * 1e9 / LONG_ROWS);
    printf("segment.long.rows%zu.row_ns %.0f\n", rows, read_rows(&all) * 1e9 / LONG_ROWS);
    (void)fflush(stdout);
    for (size_t i = 0; i < all.count; i++) {
        buf_fini(&all.head[i]);
        buf_fini(&all.body[i]);
    }
}

int main(int argc, char **argv)
{
    static const size_t sizes[] = {1024, 2048, 4096};
    FILE *curves = argc > 1 ? fopen(argv[1], "rb") : NULL;
    for (size_t i = 0; curves && i < 3; i++)
        measure_curves(argv[1], sizes[i]);
    if (curves)
        (void)fclose(curves);
    else
        printf("segment.curves skipped: %s is not there\n",
               argc > 1 ? argv[1] : "an archive of curves");
    for (size_t i = 0; i < 3; i++)
        measure_cost(sizes[i]);
    return 0;
}
