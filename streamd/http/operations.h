/* SPDX-License-Identifier: MIT */
/*
 * operations: what the rows of routes_operations.c answer with. Only for that file.
 */
#ifndef STREAMD_HTTP_OPERATIONS_H
#define STREAMD_HTTP_OPERATIONS_H

#include "streamd/http/router.h"

/* operations.c: those that look */
route_fn operations_list;
route_fn operation_show;
route_fn operation_metrics;
route_fn operation_results;

/* operation_take.c: those that add */
route_fn operation_create;
route_fn operation_add_metrics;

/* operation_steer.c: those that change its course */
route_fn operation_stop;
route_fn operation_set_status;

#endif
