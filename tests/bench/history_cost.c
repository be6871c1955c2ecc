/* SPDX-License-Identifier: MIT */
/*
 * history_cost [records]: what readings of one long session cost in CPU; one figure a line.
 *
 * A session of a million records (or as many as asked for) in an SQLite file, sealed as the daemon
 * seals it: step, loss, learning rate, gradient norm, accuracy, with the digits trainers give them.
 * Then charts of it, a page of it and all of it, each three times; the cheapest counts, since other
 * work on the machine only ever adds.
 */
#include "streamd/store/archive_cursor.h"
#include "streamd/store/reading.h"
#include "streamd/store/store_sqlite.h"
#include "tests/support/random.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { KEY = 1, ROUNDS = 3, SEGMENTS_A_COMMIT = 64, SEALED_BYTES_MAX = 64 << 20 };

static void die(const char *what)
{
    (void)fprintf(stderr, "history_cost: %s\n", what);
    exit(EXIT_FAILURE);
}

static void must(enum status status)
{
    if (status != OK)
        die(status_text(status));
}

static double cpu_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec * 1e-6;
}

/* About normal. */
static double noise(struct random *r)
{
    double sum = 0;
    for (int i = 0; i < 4; i++)
        sum += (double)random_below(r, 1 << 20) / (1 << 20) - 0.5;
    return sum;
}

/* As a trainer prints it. */
static struct num digits(double value, int decimals)
{
    return num_float(round_decimal(value, decimals));
}

static void make_entry(struct random *r, uint64_t i, uint64_t records, struct extra extra[3],
                       struct series_entry *out)
{
    static struct record_memory memory;
    double part = (double)i / (double)records;
    struct run_mark mark = {INT64_C(1700000000000) + (int64_t)(i * 50 + random_below(r, 9)), i * 50,
                            i};
    struct record *record = &out->record;
    record_init(record);
    record_set(record, F_LOSS, digits(2.5 * exp(-4 * part) + 0.3 + 0.05 * noise(r), 6));
    record_set(record, F_CURRENT_STEP, num_int((int64_t)i));
    extra[0] = (struct extra){SPAN("learning_rate"), num_float(3e-4 * (1 + cos(part * 3.14159)))};
    extra[1] = (struct extra){SPAN("grad_norm"), digits(fabs(1 + 0.4 * noise(r)), 4)};
    extra[2] = (struct extra){SPAN("accuracy"), digits(1 - exp(-3 * part) + 0.01 * noise(r), 4)};
    record->extra = extra;
    record->extra_count = 3;
    run_complete(record, &memory, mark);
    out->offset = i + 1;
    out->axis = i;
    out->server_time_s = (double)mark.wall_ms / 1000.0;
}

static void put_segment(struct store *store, struct segment_writer *writer, uint64_t first)
{
    struct buf head;
    struct buf body;
    struct store_segment row = {
        .session = KEY, .first = first, .count = segment_writer_rows(writer)};
    buf_init(&head, SEALED_BYTES_MAX);
    buf_init(&body, SEALED_BYTES_MAX);
    must(segment_writer_finish(writer, &head, &body));
    row.head = buf_span(&head);
    row.body = buf_span(&body);
    must(store->ops->put_segment(store, &row));
    buf_fini(&head);
    buf_fini(&body);
}

static void fill(struct store *store, uint64_t records)
{
    struct random random = random_seeded(1);
    struct segment_writer *writer = segment_writer_create();
    struct extra extra[3];
    struct series_entry entry;
    uint64_t first = 1;
    if (!writer)
        die("out of memory");
    must(store->ops->begin(store));
    for (uint64_t i = 0; i < records; i++) {
        make_entry(&random, i, records, extra, &entry);
        must(segment_writer_add(writer, &entry));
        if (segment_writer_rows(writer) < SEGMENT_ROWS_MAX && i + 1 < records)
            continue;
        put_segment(store, writer, first);
        first = i + 2;
        if (i / SEGMENT_ROWS_MAX % SEGMENTS_A_COMMIT == 0) {
            must(store->ops->commit(store));
            must(store->ops->begin(store));
        }
    }
    must(store->ops->commit(store));
    segment_writer_destroy(writer);
}

/* ---- what is asked ---- */

struct outcome {
    double cpu_ms;
    double longest_step_ms;
    size_t bytes;
    uint64_t entries;
};

static uint64_t count_lines(struct span text)
{
    uint64_t n = 0;
    for (size_t i = 0; i < text.len; i++)
        n += text.ptr[i] == '\n';
    return n;
}

static struct outcome read_once(struct store *store, const struct reading_request *q)
{
    struct outcome outcome = {.cpu_ms = 0};
    struct line_decoder decoder;
    bool last = false;
    line_decoder_init(&decoder, 1);
    double begin = cpu_ms();
    struct reading_job *job = reading_job_create(store, &decoder, q);
    if (!job)
        die("out of memory");
    outcome.cpu_ms = cpu_ms() - begin;
    while (!last) {
        struct refbuf *piece = NULL;
        begin = cpu_ms();
        enum status status = reading_job_step(job, &piece, &last);
        double took = cpu_ms() - begin;
        outcome.cpu_ms += took;
        outcome.longest_step_ms = fmax(took, outcome.longest_step_ms);
        if (status == E_STATE)
            continue;
        must(status);
        outcome.bytes += piece->len;
        outcome.entries += count_lines(refbuf_span(piece));
        refbuf_unref(piece);
    }
    reading_job_destroy(job);
    line_decoder_fini(&decoder);
    return outcome;
}

static void measure(struct store *store, const char *name, const struct reading_request *q)
{
    struct outcome best = read_once(store, q);
    for (int i = 1; i < ROUNDS; i++) {
        struct outcome outcome = read_once(store, q);
        if (outcome.cpu_ms < best.cpu_ms)
            best = outcome;
    }
    printf("history_cost.%s.cpu_ms %.2f\n", name, best.cpu_ms);
    printf("history_cost.%s.longest_step_ms %.2f\n", name, best.longest_step_ms);
    printf("history_cost.%s.entries %llu\n", name, (unsigned long long)best.entries);
    (void)fflush(stdout);
}

static void add_field(struct reading_request *q, const char *name, enum record_field field)
{
    q->fields[q->field_count++] = (struct reading_field){span_of(name), field};
}

static void measure_all(struct store *store, uint64_t records)
{
    const struct reading_request all = {.form = READING_NDJSON,
                                        .session = KEY,
                                        .until = records,
                                        .to = UINT64_MAX,
                                        .limit = UINT64_MAX};
    struct reading_request q = all;
    q.points = 2000;
    measure(store, "points_2000", &q);
    add_field(&q, "loss", F_LOSS);
    measure(store, "points_2000_loss", &q);
    add_field(&q, "grad_norm", RECORD_FIELDS);
    add_field(&q, "accuracy", RECORD_FIELDS);
    measure(store, "points_2000_3_fields", &q);
    q = all;
    q.points = 500;
    measure(store, "points_500", &q);
    q = all;
    q.points = 2000;
    q.ranged = true;
    q.from = records / 2;
    q.to = records / 2 + records / 10;
    measure(store, "points_2000_of_a_tenth", &q);
    q = all;
    q.limit = 100;
    measure(store, "limit_100", &q);
    q.ranged = true;
    q.from = records / 2;
    measure(store, "limit_100_from_half", &q);
    q = all;
    measure(store, "everything", &q);
    q.form = READING_CSV;
    measure(store, "everything_csv", &q);
}

int main(int argc, char **argv)
{
    char dir[] = "/tmp/history_cost.XXXXXX";
    char path[sizeof(dir) + sizeof("/streamd.db-wal")];
    static const char *const files[] = {"streamd.db", "streamd.db-wal", "streamd.db-shm", "lock"};
    char why[STORE_WHY_MAX];
    uint64_t records = 1000000;
    if (argc > 1 && !span_u64(span_of(argv[1]), &records))
        die("usage: history_cost [records]");
    struct store *store = mkdtemp(dir) ? store_sqlite_open(dir, why) : NULL;
    if (!store)
        die(why);
    double begin = cpu_ms();
    fill(store, records);
    printf("history_cost.records %llu\n", (unsigned long long)records);
    printf("history_cost.seal.cpu_us_per_record %.3f\n",
           (cpu_ms() - begin) * 1e3 / (double)records);
    printf("history_cost.bytes_per_record %.2f\n",
           (double)store->ops->bytes(store) / (double)records);
    measure_all(store, records);
    store->ops->destroy(store);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
        (void)unlink(path);
    }
    (void)rmdir(dir);
    return 0;
}
