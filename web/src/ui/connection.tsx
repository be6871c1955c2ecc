// SPDX-License-Identifier: MIT
//
// How the page hears the daemon, and how old the newest point is: the two things to look at when the
// numbers stand still.
import { age } from '../proto/format';
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
  readonly now: number;
}

export function Connection({ link, newestAt, now }: ConnectionProps) {
  const { state, detail, tone } = WORDS[link];
  return (
    <div className="connection" data-link={link}>
      {newestAt !== null && (
        <span className="connection-age muted">
          newest point {age(Math.max(0, now - newestAt))}
        </span>
      )}
      <span className="connection-state" role="status">
        <i className={`dot ${tone}`} aria-hidden="true" />
        <b>{state}</b>
        {detail !== '' && <span className="muted"> · {detail}</span>}
      </span>
    </div>
  );
}
