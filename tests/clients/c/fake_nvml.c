/* SPDX-License-Identifier: MIT */
/*
 * fake_nvml: a libnvidia-ml.so.1 with as many devices as $FAKE_NVML_DEVICES says (2).
 *
 * Device i has (i + 1) of 16 GiB in use and is busy 40 * (i + 1) per cent. The process
 * $FAKE_NVML_PID runs on device 0.
 */
#include <stdlib.h>

struct memory {
    unsigned long long total, free, used;
};

struct utilisation {
    unsigned gpu, memory;
};

struct process {
    unsigned pid;
    unsigned long long memory;
    unsigned gpu_instance, compute_instance;
};

int nvmlInit_v2(void);
int nvmlShutdown(void);
int nvmlDeviceGetCount_v2(unsigned *count);
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **device);
int nvmlDeviceGetMemoryInfo(void *device, struct memory *memory);
int nvmlDeviceGetUtilizationRates(void *device, struct utilisation *utilisation);
int nvmlDeviceGetComputeRunningProcesses_v3(void *device, unsigned *count,
                                            struct process *processes);

static char devices[8];

static unsigned number(const char *variable, unsigned fallback)
{
    const char *text = getenv(variable);
    return text ? (unsigned)strtoul(text, NULL, 10) : fallback;
}

static unsigned index_of(const void *device)
{
    return (unsigned)((const char *)device - devices);
}

int nvmlInit_v2(void)
{
    return 0;
}

int nvmlShutdown(void)
{
    return 0;
}

int nvmlDeviceGetCount_v2(unsigned *count)
{
    *count = number("FAKE_NVML_DEVICES", 2);
    return 0;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **device)
{
    *device = devices + index;
    return 0;
}

int nvmlDeviceGetMemoryInfo(void *device, struct memory *memory)
{
    memory->total = 16ULL << 30;
    memory->used = (index_of(device) + 1ULL) << 30;
    memory->free = memory->total - memory->used;
    return 0;
}

int nvmlDeviceGetUtilizationRates(void *device, struct utilisation *utilisation)
{
    utilisation->gpu = 40 * (index_of(device) + 1);
    utilisation->memory = 0;
    return 0;
}

int nvmlDeviceGetComputeRunningProcesses_v3(void *device, unsigned *count,
                                            struct process *processes)
{
    unsigned pid = number("FAKE_NVML_PID", 0);
    *count = index_of(device) == 0 && pid > 0;
    if (*count > 0)
        processes[0] = (struct process){.pid = pid};
    return 0;
}
