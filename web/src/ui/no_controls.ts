// SPDX-License-Identifier: MIT
//
// For tests that render and press nothing.
import type { Controls } from './controls';

const ignore = () => undefined;

export const nothing: Controls = {
  change: ignore,
  choose: ignore,
  overlay: ignore,
  overlayAll: ignore,
  pin: ignore,
  stop: ignore,
  pause: ignore,
  save: ignore,
  toggleTheme: ignore,
  toggleHelp: ignore,
  unlock: ignore,
  addressOf: (run) => `?run=${run}`,
};
