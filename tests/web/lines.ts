// SPDX-License-Identifier: MIT
//
// Trainer lines as the tests push them.

export function start(sessionId: string, more: object = {}): object {
  return { type: 'start', sessionId, project: 'tests', name: `run ${sessionId}`, ...more };
}

export function progress(sessionId: string, metrics: object): object {
  return { type: 'progress', sessionId, metrics };
}

/** `count` records of a falling loss, from step `from` on. */
export function falling(sessionId: string, count: number, from = 0): object[] {
  return Array.from({ length: count }, (_, i) => {
    const step = from + i;
    const loss = 2.5 * Math.exp(-step / 200);
    return progress(sessionId, { loss, val_loss: loss + 0.5, step, total_steps: 10_000 });
  });
}
