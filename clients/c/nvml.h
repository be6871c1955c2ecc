/* SPDX-License-Identifier: MIT */
/*
 * nvml: how full and how busy the GPUs are that a training uses, by NVIDIA's own library.
 *
 * The library is loaded when it is there; without it, or without a GPU, there is nothing.
 */
#ifndef CLIENTS_C_NVML_H
#define CLIENTS_C_NVML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct nvml;

struct gpu_sample {
    double memory_mb, memory_total_mb; /* of the fullest device */
    double utilisation;                /* per cent, of all of them on average */
};

/* `library`: its name or path; NULL: libnvidia-ml.so.1. NULL: it is not there, or does not work. */
struct nvml *nvml_open(const char *library);
void nvml_close(struct nvml *n);

/*
 * Looks at the devices that one of these processes uses; when there is none (in a container their
 * numbers are others), at those of CUDA_VISIBLE_DEVICES, else at all. False: no device has
 * answered.
 */
bool nvml_read(struct nvml *n, const pid_t *pids, size_t count, struct gpu_sample *out);

/* Does CUDA_VISIBLE_DEVICES, NULL for unset, name this index? Names other than numbers count as
 * unset. */
bool nvml_is_visible(const char *devices, unsigned index);

#endif
