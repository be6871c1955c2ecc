/* SPDX-License-Identifier: MIT */
/*
 * The schemas stand here as the JSON they are: the preprocessor makes the strings, so that no quote
 * has to be escaped and an editor can tell where a brace belongs.
 */
#include "streamd/mcp/training_schema.h"

#define SCHEMA(name, ...) const char schema_##name[] = #__VA_ARGS__

/* clang-format off */

SCHEMA(list_sessions_in, {
  "type": "object",
  "properties": {
    "status": {"enum": ["pending", "running", "stopping", "completed", "stopped", "failed", "stalled"]},
    "query": {"type": "string", "description": "Substring of name or tag"},
    "limit": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20},
    "cursor": {"type": "string"}
  },
  "additionalProperties": false
});

SCHEMA(list_sessions_out, {
  "type": "object",
  "properties": {
    "sessions": {
      "type": "array",
      "items": {
        "type": "object",
        "properties": {
          "id": {"type": "string"},
          "name": {"type": "string"},
          "status": {
            "enum": ["pending", "running", "stopping", "completed", "stopped", "failed", "stalled"]
          },
          "phase": {
            "enum": [
              "INITIALIZING", "WARMUP", "LEARNING_FAST", "STABLE_CONVERGENCE", "PLATEAU",
              "OVERFITTING_RISK", "DIVERGING", "CONVERGED", "UNKNOWN"
            ]
          },
          "epoch": {"type": "integer"},
          "total_epochs": {"type": ["integer", "null"]},
          "best": {"type": ["number", "null"]},
          "open_alerts": {"type": "integer"},
          "updated_at": {"type": "string"}
        },
        "required": ["id", "status", "phase"]
      }
    },
    "total": {"type": "integer"},
    "next_cursor": {"type": ["string", "null"]}
  },
  "required": ["sessions", "total"]
});

SCHEMA(get_status_in, {
  "type": "object",
  "properties": {
    "session_id": {
      "type": "string",
      "description": "Session id from list_sessions",
      "x-mcp-header": "Session-Id"
    }
  },
  "required": ["session_id"],
  "additionalProperties": false
});

SCHEMA(get_status_out, {
  "type": "object",
  "properties": {
    "id": {"type": "string"},
    "status": {"enum": ["pending", "running", "stopping", "completed", "stopped", "failed", "stalled"]},
    "phase": {
      "enum": [
        "INITIALIZING", "WARMUP", "LEARNING_FAST", "STABLE_CONVERGENCE", "PLATEAU",
        "OVERFITTING_RISK", "DIVERGING", "CONVERGED", "UNKNOWN"
      ]
    },
    "phase_reason": {"type": "string"},
    "epoch": {"type": "integer"},
    "total_epochs": {"type": ["integer", "null"]},
    "step": {"type": "integer"},
    "eta": {
      "type": "object",
      "properties": {
        "seconds": {"type": ["number", "null"]},
        "low": {"type": ["number", "null"]},
        "high": {"type": ["number", "null"]},
        "confidence": {"enum": ["low", "medium", "high"]}
      }
    },
    "latest": {"type": "object", "additionalProperties": {"type": ["number", "null"]}},
    "best": {
      "type": "object",
      "properties": {
        "metric": {"type": "string"},
        "value": {"type": ["number", "null"]},
        "epoch": {"type": "integer"}
      }
    },
    "epochs_since_best": {"type": "integer"},
    "alerts": {
      "type": "array",
      "maxItems": 5,
      "items": {
        "type": "object",
        "properties": {"id": {"type": "string"}, "severity": {"type": "string"}, "text": {"type": "string"}}
      }
    },
    "seq": {"type": "integer", "description": "Pass to wait_for_event.after_seq"},
    "as_of": {"type": "string"}
  },
  "required": ["id", "status", "phase", "seq", "as_of"]
});

SCHEMA(get_metrics_in, {
  "type": "object",
  "properties": {
    "session_id": {
      "type": "string",
      "description": "Session id from list_sessions",
      "x-mcp-header": "Session-Id"
    },
    "names": {
      "type": "array",
      "items": {"type": "string"},
      "maxItems": 8,
      "description": "Omit: all epoch metrics"
    },
    "by": {"enum": ["epoch", "step"], "default": "epoch"},
    "from": {"type": "number"},
    "to": {"type": "number"},
    "points": {"type": "integer", "minimum": 2, "maximum": 500, "default": 60},
    "stats_only": {"type": "boolean", "default": false}
  },
  "required": ["session_id"],
  "additionalProperties": false
});

SCHEMA(get_metrics_out, {
  "type": "object",
  "properties": {
    "by": {"enum": ["epoch", "step"]},
    "x": {"type": "array", "items": {"type": "number"}},
    "series": {
      "type": "object",
      "additionalProperties": {"type": "array", "items": {"type": ["number", "null"]}}
    },
    "stats": {
      "type": "object",
      "additionalProperties": {
        "type": "object",
        "properties": {
          "n": {"type": "integer"},
          "first": {"type": ["number", "null"]},
          "last": {"type": ["number", "null"]},
          "min": {"type": ["number", "null"]},
          "min_at": {"type": ["number", "null"]},
          "max": {"type": ["number", "null"]},
          "max_at": {"type": ["number", "null"]},
          "tail_slope": {"type": ["number", "null"]},
          "nonfinite": {"type": "integer"}
        }
      }
    },
    "total_points": {"type": "integer"},
    "downsampled": {"type": "boolean"},
    "truncated_names": {"type": "array", "items": {"type": "string"}}
  },
  "required": ["x", "series", "stats", "total_points", "downsampled"]
});

SCHEMA(assess_health_in, {
  "type": "object",
  "properties": {
    "session_id": {
      "type": "string",
      "description": "Session id from list_sessions",
      "x-mcp-header": "Session-Id"
    }
  },
  "required": ["session_id"],
  "additionalProperties": false
});

SCHEMA(assess_health_out, {
  "type": "object",
  "properties": {
    "verdict": {"enum": ["healthy", "watch", "stop_soon", "kill", "finished", "insufficient_data"]},
    "phase": {
      "enum": [
        "INITIALIZING", "WARMUP", "LEARNING_FAST", "STABLE_CONVERGENCE", "PLATEAU",
        "OVERFITTING_RISK", "DIVERGING", "CONVERGED", "UNKNOWN"
      ]
    },
    "findings": {
      "type": "array",
      "maxItems": 8,
      "items": {
        "type": "object",
        "properties": {
          "code": {
            "enum": [
              "overfitting", "plateau", "diverging", "nonfinite", "stalled", "oom_risk",
              "slow_step", "improving", "converged"
            ]
          },
          "severity": {"enum": ["info", "warning", "critical"]},
          "since_epoch": {"type": "integer"},
          "evidence": {"type": "object", "additionalProperties": {"type": ["number", "null"]}}
        },
        "required": ["code", "severity"]
      }
    },
    "summary": {"type": "string"},
    "recommendation": {
      "type": "object",
      "properties": {
        "action": {
          "enum": ["wait", "continue", "monitor", "reduce_lr", "consider_stop", "stop", "kill", "none"]
        },
        "reason": {"type": "string"},
        "confidence": {"enum": ["low", "medium", "high"]},
        "best_checkpoint": {"type": ["string", "null"]},
        "saving_gpu_hours": {"type": ["number", "null"]}
      },
      "required": ["action", "reason", "confidence"]
    },
    "seq": {"type": "integer"}
  },
  "required": ["verdict", "phase", "findings", "summary", "recommendation"]
});

SCHEMA(compare_sessions_in, {
  "type": "object",
  "properties": {
    "session_ids": {"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 6},
    "metric": {"type": "string", "default": "val_loss"},
    "goal": {"enum": ["min", "max"], "default": "min"},
    "at": {"enum": ["best", "last", "common_epoch"], "default": "best"}
  },
  "required": ["session_ids"],
  "additionalProperties": false
});

SCHEMA(compare_sessions_out, {
  "type": "object",
  "properties": {
    "rows": {
      "type": "array",
      "items": {
        "type": "object",
        "properties": {
          "id": {"type": "string"},
          "phase": {
            "enum": [
              "INITIALIZING", "WARMUP", "LEARNING_FAST", "STABLE_CONVERGENCE", "PLATEAU",
              "OVERFITTING_RISK", "DIVERGING", "CONVERGED", "UNKNOWN"
            ]
          },
          "value": {"type": ["number", "null"]},
          "epoch": {"type": "integer"},
          "delta_to_winner": {"type": ["number", "null"]},
          "epochs_to_common_target": {"type": ["integer", "null"]}
        },
        "required": ["id", "value"]
      }
    },
    "winner": {"type": ["string", "null"]},
    "config_diff": {"type": "object", "additionalProperties": {"type": "object"}}
  },
  "required": ["rows", "winner"]
});

SCHEMA(wait_for_event_in, {
  "type": "object",
  "properties": {
    "session_id": {"type": "string", "description": "Omit: any session", "x-mcp-header": "Session-Id"},
    "types": {
      "type": "array",
      "items": {"enum": ["phase", "alert", "epoch", "status", "recommendation"]},
      "default": ["phase", "alert", "status"]
    },
    "after_seq": {"type": "integer", "minimum": 0, "default": 0},
    "timeout_s": {"type": "integer", "minimum": 0, "maximum": 55, "default": 45}
  },
  "additionalProperties": false
});

SCHEMA(wait_for_event_out, {
  "type": "object",
  "properties": {
    "events": {
      "type": "array",
      "maxItems": 20,
      "items": {
        "type": "object",
        "properties": {
          "seq": {"type": "integer"},
          "type": {"type": "string"},
          "session_id": {"type": "string"},
          "at": {"type": "string"},
          "text": {"type": "string"},
          "data": {"type": "object"}
        },
        "required": ["seq", "type", "session_id", "text"]
      }
    },
    "timed_out": {"type": "boolean"},
    "missed": {"type": "integer", "description": "Events dropped from the ring before after_seq"},
    "next_seq": {"type": "integer"}
  },
  "required": ["events", "timed_out", "next_seq"]
});

SCHEMA(set_alert_in, {
  "type": "object",
  "properties": {
    "session_id": {
      "type": "string",
      "description": "Session id from list_sessions",
      "x-mcp-header": "Session-Id"
    },
    "name": {"type": "string", "maxLength": 64},
    "metric": {"type": "string"},
    "op": {"enum": ["lt", "le", "gt", "ge", "nonfinite", "no_improvement"]},
    "value": {"type": "number"},
    "for_epochs": {"type": "integer", "minimum": 1, "default": 1},
    "cooldown_s": {"type": "integer", "minimum": 0, "default": 300},
    "remove": {"type": "boolean", "default": false}
  },
  "required": ["session_id", "name"],
  "additionalProperties": false
});

SCHEMA(set_alert_out, {
  "type": "object",
  "properties": {
    "name": {"type": "string"},
    "state": {"enum": ["active", "firing", "removed"]},
    "already_true": {"type": "boolean"}
  },
  "required": ["name", "state"]
});

SCHEMA(request_stop_in, {
  "type": "object",
  "properties": {
    "session_id": {
      "type": "string",
      "description": "Session id from list_sessions",
      "x-mcp-header": "Session-Id"
    },
    "reason": {"type": "string", "minLength": 3, "maxLength": 500},
    "mode": {"enum": ["after_epoch", "after_batch", "kill"], "default": "after_epoch"},
    "dry_run": {"type": "boolean", "default": false}
  },
  "required": ["session_id", "reason"],
  "additionalProperties": false
});

SCHEMA(request_stop_out, {
  "type": "object",
  "properties": {
    "accepted": {"type": "boolean"},
    "status": {"enum": ["pending", "running", "stopping", "completed", "stopped", "failed", "stalled"]},
    "will_keep_checkpoint": {"type": ["string", "null"]},
    "note": {"type": "string"}
  },
  "required": ["accepted", "status"]
});

SCHEMA(start_training_in, {
  "type": "object",
  "properties": {"project_id": {"type": "string"}},
  "required": ["project_id"],
  "additionalProperties": false
});

SCHEMA(start_training_out, {
  "type": "object",
  "properties": {
    "session_id": {"type": "string"},
    "status": {"enum": ["pending", "running", "stopping", "completed", "stopped", "failed", "stalled"]}
  },
  "required": ["session_id", "status"]
});
