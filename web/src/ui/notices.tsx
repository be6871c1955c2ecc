// SPDX-License-Identifier: MIT
//
// What happened to the run, newest first.
import { eventWords } from '../insight/wording';
import type { Notice } from '../session/session';

function clockText(seconds: number): string {
  return new Date(seconds * 1000).toLocaleTimeString([], { hourCycle: 'h23' });
}

export function Notices({ notices }: { readonly notices: readonly Notice[] }) {
  return (
    <section className="panel">
      <h3>Events</h3>
      <ol className="notices">
        {notices.map(({ key, at, event }) => {
          const words = eventWords(event);
          return (
            words && (
              <li key={key}>
                <time className="muted">{clockText(at)}</time>
                <i className={`dot ${words.tone}`} aria-hidden="true" />
                <span>{words.text}</span>
              </li>
            )
          );
        })}
        {notices.length === 0 && <li className="muted">None since this page was opened.</li>}
      </ol>
    </section>
  );
}
