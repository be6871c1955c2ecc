/* SPDX-License-Identifier: MIT */
/*
 * invariants: what holds in a settled world, whatever has happened.
 *
 * Members and memberships name each other, counts and gauges agree with what they count, nothing
 * that could be written waits, nothing that waits has been forgotten, and every deadline has its
 * timer. Reads the app's structs and changes nothing.
 */
#ifndef TESTS_FLOW_INVARIANTS_H
#define TESTS_FLOW_INVARIANTS_H

#include "tests/flow/world.h"

/* Ends the test when something does not hold. */
void world_holds(struct world *w);

#endif
