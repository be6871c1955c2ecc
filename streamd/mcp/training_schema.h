/* SPDX-License-Identifier: MIT */
/*
 * training_schema: what the tools of /mcp take and give, as JSON schemas (2020-12).
 *
 * Part of what agents are promised: docs/protocol.md has the tools, these their every member.
 */
#ifndef STREAMD_MCP_TRAINING_SCHEMA_H
#define STREAMD_MCP_TRAINING_SCHEMA_H

extern const char schema_list_sessions_in[];
extern const char schema_list_sessions_out[];
extern const char schema_get_status_in[];
extern const char schema_get_status_out[];
extern const char schema_get_metrics_in[];
extern const char schema_get_metrics_out[];
extern const char schema_assess_health_in[];
extern const char schema_assess_health_out[];
extern const char schema_compare_sessions_in[];
extern const char schema_compare_sessions_out[];
extern const char schema_wait_for_event_in[];
extern const char schema_wait_for_event_out[];
extern const char schema_set_alert_in[];
extern const char schema_set_alert_out[];
extern const char schema_request_stop_in[];
extern const char schema_request_stop_out[];
extern const char schema_start_training_in[];
extern const char schema_start_training_out[];

#endif
