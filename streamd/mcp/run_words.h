/* SPDX-License-Identifier: MIT */
/*
 * run_words: a run in the words of the tools: fewer than the daemon has, and all of them in the
 * schemas.
 */
#ifndef STREAMD_MCP_RUN_WORDS_H
#define STREAMD_MCP_RUN_WORDS_H

#include "base/buf.h"
#include "insight/assessment.h"

struct order;
struct session;

enum { RUN_ALERTS_MAX = 5, RUN_DIGITS = 5 };

/* "pending", "running", "stopping" (a stop was asked for), "stalled", "completed", "stopped",
 * "failed"; static. */
const char *run_status(const struct session *s);

/* "PLATEAU"...; "UNKNOWN" where nothing is known, and of a run that crashed. */
const char *run_phase(const struct session *s);

/* The order to stop that stands, or was carried out; NULL: none. */
const struct order *run_stop_order(const struct session *s);

/* Is nothing more to come of it? */
bool run_is_over(const struct session *s);

/* The newest epoch; NaN: none was said. */
double run_epoch(const struct session *s);

/* The best value of what is judged; NaN: none. */
double run_best(const struct session *s);

/* The code of a finding in the schema: "plateau", "nonfinite" ...; static. */
const char *run_finding_code(const struct session *s, const struct finding *f);

/* How many findings, advices and rules stand against it. */
unsigned run_alerts(const struct session *s);

/* Appends the newest RUN_ALERTS_MAX of them, each {"id","severity","text"}. */
void run_write_alerts(const struct session *s, struct buf *out);

/* Appends a member that is a whole number, left out where it is not known. */
void run_write_whole(struct buf *out, const char *name, double v);

/* Appends members "id", "status", "phase". */
void run_write_head(const struct session *s, struct buf *out);

#endif
