/* SPDX-License-Identifier: MIT */
/*
 * What interpreting costs: CPU time a point, over files of runs as `streamd replay` reads them,
 * each played as often as it takes; reading and writing JSON not counted.
 */
#include "insight/insight.h"
#include "streamd/tools/replay_line.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { POINTS_MAX = 200000, TIMES = 5 };

static double cpu_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* Reads a run; answers how many points it has. */
static size_t read_run(const char *path, struct insight_config *config, struct point *points)
{
    char *line = NULL;
    size_t cap = 0;
    size_t count = 0;
    FILE *file = fopen(path, "r");
    if (!file)
        err(1, "%s", path);
    for (ssize_t n; (n = getline(&line, &cap, file)) > 0 && count < POINTS_MAX; count++) {
        struct span text = {line, (size_t)n};
        if ((count == 0 ? replay_read_header(text, config)
                        : replay_read_point(text, &points[count - 1])) != OK)
            errx(1, "%s: line %zu", path, count + 1);
    }
    free(line);
    fclose(file);
    return count > 0 ? count - 1 : 0;
}

int main(int argc, char **argv)
{
    static struct point points[POINTS_MAX];
    static struct insight run;
    double spent = 0;
    size_t played = 0;
    for (int i = 1; i < argc; i++) {
        struct insight_config config = {0};
        size_t n = read_run(argv[i], &config, points);
        double begun = cpu_us();
        for (int again = 0; again < TIMES; again++) {
            insight_init(&run, &config);
            for (size_t p = 0; p < n; p++)
                (void)insight_point(&run, &points[p]);
        }
        spent += cpu_us() - begun;
        played += n * TIMES;
    }
    if (played == 0)
        errx(2, "usage: insight_cost RUN.jsonl...");
    printf("insight: %.2f us a point, %zu points of %d runs, %zu bytes a run\n",
           spent / (double)played, played / TIMES, argc - 1, sizeof(run));
    return 0;
}
