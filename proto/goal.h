/* SPDX-License-Identifier: MIT */
/*
 * goal: does a metric get better as it rises or as it falls? Told by its name.
 *
 * A name is taken apart at everything but letters and digits, and where small letters end
 * (`valAcc`); of the words that the table knows, with or without digits behind them, the last one
 * decides: `val/acc` rises, `val/acc_loss` falls. Without such a word a metric falls, as losses do.
 */
#ifndef PROTO_GOAL_H
#define PROTO_GOAL_H

#include "base/span.h"

#include <stdbool.h>

/* Is a higher value of this metric a better one? */
bool goal_is_highest(struct span name);

#endif
