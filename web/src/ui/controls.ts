// SPDX-License-Identifier: MIT
//
// What the page asks of whoever shows it.
import type { View } from './view';

export interface Controls {
  /** Changes how the page looks, and its address with it. */
  readonly change: (fields: Partial<View>) => void;
  /** Opens one run alone. */
  readonly choose: (run: string) => void;
  /** Draws a run over the others, or no longer. */
  readonly overlay: (run: string) => void;
  /** Draws these as well, as many as there is room for. */
  readonly overlayAll: (runs: readonly string[]) => void;
  readonly pin: (run: string, pinned: boolean) => void;
  /** Tells the trainer of a run to stop. */
  readonly stop: (run: string) => void;
  readonly pause: () => void;
  /** Makes a file of the page, to send. */
  readonly save: () => void;
  readonly toggleTheme: () => void;
  /** Shows it or not; without `shown`, the other of the two. */
  readonly toggleHelp: (shown?: boolean) => void;
  /** Shows the daemon this token from now on. */
  readonly unlock: (token: string) => void;
  /** Where a run alone is. */
  readonly addressOf: (run: string) => string;
}
