// SPDX-License-Identifier: MIT
//
// How a run is, as a shape and a colour: who cannot tell the colours apart has the shape.
import { statusWords } from '../insight/wording';

const PLAY = 'M4 2.5v11l9-5.5z';
const PATHS: Readonly<Record<string, string>> = {
  running: PLAY,
  starting: 'M8 2a6 6 0 1 0 6 6',
  paused: 'M5 3v10M11 3v10',
  completed: 'M2.5 8.5l4 4 7-9',
  stopped: 'M3.5 3.5h9v9h-9z',
  failed: 'M3.5 3.5l9 9M12.5 3.5l-9 9',
};
const OTHER = 'M8 5a3 3 0 1 0 0 6a3 3 0 1 0 0-6z';

export function StatusIcon({ status }: { readonly status: string }) {
  const path = PATHS[status] ?? OTHER;
  const filled = path === PLAY || status === 'stopped';
  return (
    <svg
      className={`icon ${statusWords(status).tone}`}
      data-icon={status}
      viewBox="0 0 16 16"
      aria-hidden="true"
    >
      <path d={path} fill={filled ? 'currentColor' : 'none'} />
    </svg>
  );
}
