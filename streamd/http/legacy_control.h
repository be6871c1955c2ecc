/* SPDX-License-Identifier: MIT */
/*
 * legacy_control: the buttons of the older pages, and the start of a trainer by an agent.
 *
 * Each answers {"success":true,"sessionId":…,"status":…} or {"success":false,"error":…}.
 */
#ifndef STREAMD_HTTP_LEGACY_CONTROL_H
#define STREAMD_HTTP_LEGACY_CONTROL_H

#include "streamd/http/router.h"

/* {"action":"start","config":{}} or {"action":"pause|resume|stop","sessionId":…} */
route_fn legacy_phase;

/* The body is the config; a "sessionId" in it is taken as the run's. */
route_fn legacy_start;

/* The id is in the path. */
route_fn legacy_stop;

#endif
