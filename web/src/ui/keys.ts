// SPDX-License-Identifier: MIT
//
// The keyboard. One table: what the page obeys is what its help says.

export type Action =
  | 'search'
  | 'nextRun'
  | 'previousRun'
  | 'log'
  | 'smoothing'
  | 'axis'
  | 'fullScreen'
  | 'theme'
  | 'pause'
  | 'help';

export const KEYS: readonly { key: string; action: Action; what: string }[] = [
  { key: '/', action: 'search', what: 'Search the runs' },
  { key: 'j', action: 'nextRun', what: 'Next run' },
  { key: 'k', action: 'previousRun', what: 'Previous run' },
  { key: 'l', action: 'log', what: 'Logarithmic values' },
  { key: 's', action: 'smoothing', what: 'More smoothing, or none' },
  { key: 'x', action: 'axis', what: 'Step, time since start, time of day, epoch' },
  { key: 'f', action: 'fullScreen', what: 'One chart on the full screen' },
  { key: 't', action: 'theme', what: 'Light or dark' },
  { key: ' ', action: 'pause', what: 'Hold the page still, or go on' },
  { key: '?', action: 'help', what: 'This list' },
];

export interface KeyPress {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
  /** The name of the element that has the focus, in capitals. */
  readonly focus: string;
}

const TYPING: ReadonlySet<string> = new Set(['INPUT', 'TEXTAREA', 'SELECT']);
/** Where space already means something. */
const PRESSED: ReadonlySet<string> = new Set(['BUTTON', 'A', 'SUMMARY']);

/** What a key asks for; null when it is somebody else's. */
export function actionOf(press: KeyPress): Action | null {
  if (press.ctrlKey || press.metaKey || press.altKey || TYPING.has(press.focus)) return null;
  if (press.key === ' ' && PRESSED.has(press.focus)) return null;
  return KEYS.find(({ key }) => key === press.key)?.action ?? null;
}
