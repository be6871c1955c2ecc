// SPDX-License-Identifier: MIT
//
// What a run does, without what the daemon thinks of it: the events that older clients know.
const opinions = ['phase_changed', 'alert', 'insight'];

export function lifecycle<T extends { event: string }>(events: readonly T[]): T[] {
  return events.filter(({ event }) => !opinions.includes(event));
}
