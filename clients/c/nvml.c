/* SPDX-License-Identifier: MIT */
/*
 * Seven functions by name, with the few structs they fill in as NVIDIA's header lays them out; so
 * nothing of NVIDIA's is needed to build this. A call may hang with its driver: this is for a
 * thread that nobody waits for.
 */
#include "clients/c/nvml.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

enum { DEVICES_MAX = 64, PROCESSES_MAX = 256, NVML_OK = 0 };

typedef void *nvml_device;

struct nvml_memory {
    unsigned long long total, free, used;
};

struct nvml_utilisation {
    unsigned gpu, memory;
};

/* Of version 3; version 1 ends after `memory`. */
struct nvml_process {
    unsigned pid;
    unsigned long long memory;
    unsigned gpu_instance, compute_instance;
};

struct nvml_process_v1 {
    unsigned pid;
    unsigned long long memory;
};

typedef int init_fn(void);
typedef int count_fn(unsigned *count);
typedef int handle_fn(unsigned index, nvml_device *device);
typedef int memory_fn(nvml_device device, struct nvml_memory *memory);
typedef int utilisation_fn(nvml_device device, struct nvml_utilisation *utilisation);
typedef int processes_fn(nvml_device device, unsigned *count, void *processes);

struct nvml {
    void *library; /* owns */
    init_fn *init;
    init_fn *shutdown;
    count_fn *count;
    handle_fn *handle;
    memory_fn *memory;
    utilisation_fn *utilisation;
    processes_fn *processes; /* NULL: neither version */
    size_t process_bytes;    /* of one that it tells of */
    nvml_device devices[DEVICES_MAX];
    unsigned device_count;
};

static bool find(const struct nvml *n, const char *name, void *out_function)
{
    void *at = dlsym(n->library, name);
    memcpy(out_function, &at, sizeof(at));
    return at;
}

static bool find_all(struct nvml *n)
{
    n->process_bytes = sizeof(struct nvml_process);
    if (!find(n, "nvmlDeviceGetComputeRunningProcesses_v3", &n->processes) &&
        find(n, "nvmlDeviceGetComputeRunningProcesses", &n->processes))
        n->process_bytes = sizeof(struct nvml_process_v1);
    return find(n, "nvmlInit_v2", &n->init) && find(n, "nvmlShutdown", &n->shutdown) &&
           find(n, "nvmlDeviceGetCount_v2", &n->count) &&
           find(n, "nvmlDeviceGetHandleByIndex_v2", &n->handle) &&
           find(n, "nvmlDeviceGetMemoryInfo", &n->memory) &&
           find(n, "nvmlDeviceGetUtilizationRates", &n->utilisation);
}

static bool find_devices(struct nvml *n)
{
    unsigned count = 0;
    if (n->init() != NVML_OK)
        return false;
    if (n->count(&count) != NVML_OK)
        count = 0;
    for (unsigned i = 0; i < count && i < DEVICES_MAX; i++) {
        if (n->handle(i, &n->devices[n->device_count]) == NVML_OK)
            n->device_count++;
    }
    if (n->device_count == 0)
        (void)n->shutdown();
    return n->device_count > 0;
}

struct nvml *nvml_open(const char *library)
{
    struct nvml *n = calloc(1, sizeof(*n));
    if (!n)
        return NULL;
    n->library = dlopen(library ? library : "libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
    if (n->library && find_all(n) && find_devices(n))
        return n;
    if (n->library)
        (void)dlclose(n->library);
    free(n);
    return NULL;
}

void nvml_close(struct nvml *n)
{
    if (!n)
        return;
    (void)n->shutdown();
    (void)dlclose(n->library);
    free(n);
}

bool nvml_is_visible(const char *devices, unsigned index)
{
    if (!devices || strspn(devices, "0123456789, ") != strlen(devices) || !*devices)
        return true;
    for (const char *at = devices; at; at = strchr(at, ','), at += at != NULL) {
        char *end;
        if (strtoul(at, &end, 10) == index && end != at)
            return true;
    }
    return false;
}

static bool has_process(const struct nvml *n, nvml_device device, const pid_t *pids, size_t count)
{
    unsigned char told[PROCESSES_MAX * sizeof(struct nvml_process)];
    unsigned running = PROCESSES_MAX;
    if (!n->processes || n->processes(device, &running, told) != NVML_OK)
        return false;
    for (unsigned i = 0; i < running && i < PROCESSES_MAX; i++) {
        unsigned pid;
        memcpy(&pid, told + i * n->process_bytes, sizeof(pid));
        for (size_t j = 0; j < count; j++) {
            if ((pid_t)pid == pids[j])
                return true;
        }
    }
    return false;
}

struct sum {
    struct gpu_sample sample;
    unsigned devices;
};

static void add_device(const struct nvml *n, nvml_device device, struct sum *sum)
{
    static const double mb = 1024 * 1024;
    struct nvml_memory memory;
    struct nvml_utilisation utilisation = {0};
    struct gpu_sample *s = &sum->sample;
    if (n->memory(device, &memory) != NVML_OK || memory.total == 0)
        return;
    (void)n->utilisation(device, &utilisation);
    double used = (double)memory.used / (double)memory.total;
    if (sum->devices == 0 || used > s->memory_mb / s->memory_total_mb) {
        s->memory_mb = (double)memory.used / mb;
        s->memory_total_mb = (double)memory.total / mb;
    }
    s->utilisation += utilisation.gpu;
    sum->devices++;
}

bool nvml_read(struct nvml *n, const pid_t *pids, size_t count, struct gpu_sample *out)
{
    const char *visible = getenv("CUDA_VISIBLE_DEVICES");
    struct sum sum = {.devices = 0};
    for (unsigned i = 0; i < n->device_count; i++) {
        if (has_process(n, n->devices[i], pids, count))
            add_device(n, n->devices[i], &sum);
    }
    bool ours = sum.devices > 0;
    for (unsigned i = 0; !ours && i < n->device_count; i++) {
        if (nvml_is_visible(visible, i))
            add_device(n, n->devices[i], &sum);
    }
    if (sum.devices == 0)
        return false;
    sum.sample.utilisation /= sum.devices;
    *out = sum.sample;
    return true;
}
