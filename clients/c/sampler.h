/* SPDX-License-Identifier: MIT */
/*
 * sampler: once a second, what the training's processes use of the machine.
 *
 * A thread of its own, since a GPU's driver may hang. The newest sample goes along with the next
 * `progress` line the training logs, once: there are no lines that the training did not log, so
 * nothing is throttled, stored or judged that would not have been.
 */
#ifndef CLIENTS_C_SAMPLER_H
#define CLIENTS_C_SAMPLER_H

#include "clients/c/streamd_client.h"

enum { SAMPLE_MAX = 5, SAMPLER_EVERY_MS = 1000 };

struct sampler;

/* `nvml`: as nvml_open has it. NULL: no memory or no thread; all functions take that. */
struct sampler *sampler_create(const char *nvml, unsigned every_ms);

/*
 * The newest sample, if it was not taken yet; answers how many metrics, with static names: rss_mb,
 * cpu_percent (100: one processor), and with a GPU gpu_memory_mb, gpu_memory_total_mb, gpu_util.
 * From any thread; without a new sample it costs a load.
 */
size_t sampler_take(struct sampler *s, struct streamd_metric out[SAMPLE_MAX]);

/* Ends the thread; one that hangs in a driver is left to it, with its memory. */
void sampler_destroy(struct sampler *s);

#endif
