/* SPDX-License-Identifier: MIT */
#include "streamd/ingest/refusal.h"

const struct line_error refusal_no_session = {
    "unknown_session", "the line has no sessionId and no start came before it", 0};
const struct line_error refusal_not_started = {
    "unknown_session", "no session has this sessionId; send a start first", 0};
const struct line_error refusal_finished = {
    "session_finished", "the session has ended; send a start with resume to go on", 0};
const struct line_error refusal_seq_zero = {"seq", "seq counts from 1", 0};
const struct line_error refusal_no_memory = {
    "resend", "out of memory: resume, and send again what was not acknowledged", 0};
const struct line_error refusal_no_place = {
    "limit", "as many trainers are connected as the daemon may have; it says more in its log", 0};
const struct line_error refusal_too_long = {"too_long", "the line is longer than allowed", 0};
const struct line_error refusal_no_epoch = {
    "metrics", "the session is a training: a report is an epoch, with epoch and train_loss", 0};
