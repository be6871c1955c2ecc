/* SPDX-License-Identifier: MIT */
/*
 * notices: the receivers that the config names, as a notify.
 */
#ifndef STREAMD_NOTICES_H
#define STREAMD_NOTICES_H

#include "streamd/config.h"

struct notify;

/* *out is owned by the caller, and NULL where the config names no receiver. False: what is wrong
 * with it has been logged. */
bool notices_open(const struct config *config, struct notify **out);

#endif
