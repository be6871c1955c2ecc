/* SPDX-License-Identifier: MIT */
#include "clients/c/sampler.h"

#include "clients/c/nvml.h"
#include "clients/c/proc_tree.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { JOIN_MS = 200, MS_NS = 1000000, S_NS = 1000000000 };

struct sampler {
    unsigned every_ms;
    const char *nvml_name;
    pthread_t thread;
    pthread_mutex_t lock; /* guards the following, but not `fresh` */
    pthread_cond_t ending_came;
    bool ending;
    struct streamd_metric sample[SAMPLE_MAX];
    size_t count;
    atomic_bool fresh; /* `sample` was not taken */

    /* The thread's. */
    struct nvml *nvml; /* owns */
    struct proc_tree tree;
    uint64_t ticks;
    double at_s; /* of ticks; 0: none yet */
};

static double monotonic_s(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Since the last reading; when a process has ended meanwhile, what it used is gone. */
static double cpu_percent(struct sampler *s)
{
    double now_s = monotonic_s();
    double passed_s = now_s - s->at_s;
    double used = s->tree.cpu_ticks > s->ticks ? (double)(s->tree.cpu_ticks - s->ticks) : 0;
    s->ticks = s->tree.cpu_ticks;
    s->at_s = now_s;
    return passed_s > 0 ? used / (double)sysconf(_SC_CLK_TCK) / passed_s * 100 : 0;
}

static size_t read_all(struct sampler *s, struct streamd_metric out[SAMPLE_MAX])
{
    size_t n = 0;
    struct gpu_sample gpu;
    bool first = s->at_s == 0;
    if (!proc_tree_read(getpid(), &s->tree))
        s->tree.count = 0;
    double cpu = cpu_percent(s);
    if (first)
        return 0; /* what was used is known from the second reading on */
    if (s->tree.count > 0) {
        out[n++] = (struct streamd_metric){"rss_mb", (double)s->tree.rss_bytes / (1024 * 1024)};
        out[n++] = (struct streamd_metric){"cpu_percent", cpu};
    }
    if (s->nvml && nvml_read(s->nvml, s->tree.pids, s->tree.count, &gpu)) {
        out[n++] = (struct streamd_metric){"gpu_memory_mb", gpu.memory_mb};
        out[n++] = (struct streamd_metric){"gpu_memory_total_mb", gpu.memory_total_mb};
        out[n++] = (struct streamd_metric){"gpu_util", gpu.utilisation};
    }
    return n;
}

/* Sleeps; false: it is the end. */
static bool sleep_well(struct sampler *s)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)(s->every_ms % 1000) * MS_NS;
    until.tv_sec += s->every_ms / 1000 + until.tv_nsec / S_NS;
    until.tv_nsec %= S_NS;
    (void)pthread_mutex_lock(&s->lock);
    int status = 0;
    while (!s->ending && status == 0)
        status = pthread_cond_timedwait(&s->ending_came, &s->lock, &until);
    bool ending = s->ending;
    (void)pthread_mutex_unlock(&s->lock);
    return !ending;
}

static void *sampler_main(void *sampler)
{
    struct sampler *s = sampler;
    struct streamd_metric sample[SAMPLE_MAX];
    s->nvml = nvml_open(s->nvml_name);
    do {
        size_t n = read_all(s, sample);
        (void)pthread_mutex_lock(&s->lock);
        for (size_t i = 0; i < n; i++)
            s->sample[i] = sample[i];
        s->count = n;
        atomic_store(&s->fresh, n > 0);
        (void)pthread_mutex_unlock(&s->lock);
    } while (sleep_well(s));
    nvml_close(s->nvml);
    return NULL;
}

static bool start(struct sampler *s)
{
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = pthread_create(&s->thread, NULL, sampler_main, s) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

static void destroy(struct sampler *s)
{
    (void)pthread_cond_destroy(&s->ending_came);
    (void)pthread_mutex_destroy(&s->lock);
    free(s);
}

struct sampler *sampler_create(const char *nvml, unsigned every_ms)
{
    pthread_condattr_t monotonic;
    struct sampler *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    s->every_ms = every_ms;
    s->nvml_name = nvml;
    (void)pthread_mutex_init(&s->lock, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&s->ending_came, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    if (start(s))
        return s;
    destroy(s);
    return NULL;
}

size_t sampler_take(struct sampler *s, struct streamd_metric out[SAMPLE_MAX])
{
    if (!s || !atomic_load_explicit(&s->fresh, memory_order_relaxed))
        return 0;
    (void)pthread_mutex_lock(&s->lock);
    size_t n = atomic_exchange(&s->fresh, false) ? s->count : 0;
    for (size_t i = 0; i < n; i++)
        out[i] = s->sample[i];
    (void)pthread_mutex_unlock(&s->lock);
    return n;
}

void sampler_destroy(struct sampler *s)
{
    struct timespec by;
    if (!s)
        return;
    (void)pthread_mutex_lock(&s->lock);
    s->ending = true;
    (void)pthread_cond_signal(&s->ending_came);
    (void)pthread_mutex_unlock(&s->lock);
    (void)clock_gettime(CLOCK_REALTIME, &by);
    by.tv_nsec += (long)JOIN_MS * MS_NS;
    by.tv_sec += by.tv_nsec / S_NS;
    by.tv_nsec %= S_NS;
    if (pthread_timedjoin_np(s->thread, NULL, &by) == 0)
        destroy(s);
    else
        (void)pthread_detach(s->thread);
}
