/* SPDX-License-Identifier: MIT */
/*
 * process: what the kernel says of this process.
 */
#ifndef STREAMD_HTTP_PROCESS_H
#define STREAMD_HTTP_PROCESS_H

#include <stdint.h>

/* Resident memory in bytes; 0 when the kernel does not say. */
uint64_t process_rss_bytes(void);

#endif
