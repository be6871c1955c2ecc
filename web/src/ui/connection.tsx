// SPDX-License-Identifier: MIT
//
// How much of the truth the page shows: how it hears the daemon, how old the newest point is, what is
// passed over live, and what was dropped. These are the things to look at when numbers stand still.
import { droppedWords, throttleWords } from '../insight/wording';
import { age } from '../proto/format';
import type { DaemonStats } from '../proto/stats';
import type { Rates } from '../room/flow';
import type { Link } from '../room/link';

const WORDS: Readonly<Record<Link, { state: string; detail: string; tone: string }>> = {
  connecting: { state: 'Connecting', detail: '', tone: 'plain' },
  websocket: { state: 'Live', detail: 'websocket', tone: 'good' },
  polling: { state: 'Live', detail: 'polling', tone: 'good' },
  http: { state: 'HTTP fallback', detail: 'asking every second', tone: 'warn' },
  offline: { state: 'Offline', detail: 'trying again', tone: 'bad' },
};

interface ConnectionProps {
  readonly link: Link;
  /** When the newest point of the open run was taken; null when there is none. */
  readonly newestAt: number | null;
  readonly rates: Rates | null;
  readonly stats: DaemonStats | null;
  readonly now: number;
}

export function Connection({ link, newestAt, rates, stats, now }: ConnectionProps) {
  const { state, detail, tone } = WORDS[link];
  const throttled = throttleWords(rates);
  const dropped = droppedWords(stats);
  return (
    <div className="connection" data-link={link}>
      {dropped !== null && (
        <span className="warned" title="Counted by the daemon, of all runs, since it was started">
          {dropped}
        </span>
      )}
      {throttled !== null && (
        <span
          className="muted throttled"
          title="Live updates are throttled; the lines are filled in from history"
        >
          {throttled}
        </span>
      )}
      {newestAt !== null && (
        <span className="connection-age muted">
          newest point {age(Math.max(0, now - newestAt))}
        </span>
      )}
      <span className="connection-state">
        <i className={`dot ${tone}`} aria-hidden="true" />
        <b>{state}</b>
        {detail !== '' && <span className="muted"> · {detail}</span>}
      </span>
    </div>
  );
}
