/* SPDX-License-Identifier: MIT */
/* Long jobs as agents and scripts supervise them (contract: P-80 to P-88). */
#include "streamd/http/operations.h"

const struct route routes_operations[] = {
    {"/api/v1/operations", METHOD_GET, SCOPE_READ, operations_list, "The operations, newest first"},
    {"/api/v1/operations", METHOD_POST, SCOPE_WRITE, operation_create,
     "Begin an operation of any type"},
    {"/api/v1/operations/{id}", METHOD_GET, SCOPE_READ, operation_show,
     "One operation: status and progress"},
    {"/api/v1/operations/{id}", METHOD_DELETE, SCOPE_CONTROL, operation_stop,
     "Cancel an operation"},
    {"/api/v1/operations/{id}/metrics", METHOD_GET, SCOPE_READ, operation_metrics,
     "The epochs of a training and what they say, or what another operation told"},
    {"/api/v1/operations/{id}/metrics", METHOD_POST, SCOPE_WRITE, operation_add_metrics,
     "Add one epoch, or merge keys"},
    {"/api/v1/operations/{id}/results", METHOD_GET, SCOPE_READ, operation_results,
     "What came of an operation that is over"},
    {"/api/v1/operations/{id}/status", METHOD_PATCH, SCOPE_WRITE, operation_set_status,
     "Say that an operation runs, is over, or goes on"},
    {NULL, 0, SCOPE_PUBLIC, NULL, NULL},
};

const struct route routes_operations_relay[] = {
    {"/api/v1/operations", METHOD_POST, SCOPE_WRITE, operation_create,
     "Begin an operation of any type at the hub"},
    {"/api/v1/operations/{id}/metrics", METHOD_POST, SCOPE_WRITE, operation_add_metrics,
     "Add one epoch, or merge keys, at the hub"},
    /* Whether he may is asked there. */
    {"/api/v1/operations/{id}", METHOD_DELETE, SCOPE_PUBLIC, operation_send_on,
     "Cancel an operation: sent on to the hub, after what was said before"},
    {"/api/v1/operations/{id}/status", METHOD_PATCH, SCOPE_PUBLIC, operation_send_on,
     "Say how it stands: sent on to the hub, after what was said before"},
    {NULL, 0, SCOPE_PUBLIC, NULL, NULL},
};
