/* SPDX-License-Identifier: MIT */
/*
 * tools: what stands behind the names that agents call, as answers (answer.h).
 *
 * The rows with their schemas are in training_tools.c and operation_tools.c.
 */
#ifndef STREAMD_MCP_TOOLS_H
#define STREAMD_MCP_TOOLS_H

#include "streamd/mcp/answer.h"

answer_fn answer_list_sessions;    /* sessions_tool.c */
answer_fn answer_get_status;       /* status_tool.c */
answer_fn answer_get_metrics;      /* metrics_tool.c */
answer_fn answer_assess_health;    /* health_tool.c */
answer_fn answer_compare_sessions; /* compare_tool.c */
answer_fn answer_wait_for_event;   /* wait_tool.c */
answer_fn answer_newest_events;    /* of a resource */
answer_fn answer_set_alert;        /* alert_tool.c */
answer_fn answer_request_stop;     /* steer_tools.c */
answer_fn answer_start_training;

answer_fn answer_get_operation_metrics; /* operation_tools.c */
answer_fn answer_get_operation_status;
answer_fn answer_list_operations;
answer_fn answer_cancel_operation;
answer_fn answer_get_operation_results;

#endif
