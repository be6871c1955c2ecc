/* SPDX-License-Identifier: MIT */
/*
 * replay_features: what the models are told, for those who fit them (scripts/insight-fit).
 *
 * So that a model is fitted on exactly what the engine feeds it, whatever the engine is changed to.
 */
#ifndef STREAMD_TOOLS_REPLAY_FEATURES_H
#define STREAMD_TOOLS_REPLAY_FEATURES_H

#include "base/buf.h"
#include "insight/insight.h"

/*
 * One line: gain (after an evaluation: an array, null where a feature is not known), overfit, best,
 * forecast {x, range, end, scale} and eta {s, x}; null where there is nothing to tell a model.
 */
void replay_write_features(struct buf *b, const struct insight *s);

#endif
