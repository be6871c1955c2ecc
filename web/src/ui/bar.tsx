// SPDX-License-Identifier: MIT
//
// The top of the page: what it is, how much of the truth it shows, and what holds it still.
import type { DaemonStats } from '../proto/stats';
import type { Rates } from '../room/flow';
import type { Link } from '../room/link';
import { Connection } from './connection';
import type { Controls } from './controls';
import { RATES, type Rate, type Theme, type View } from './view';

/** How the making of a file to send goes. */
export type Saving = 'idle' | 'saving' | 'failed';

interface BarProps {
  readonly link: Link;
  readonly newestAt: number | null;
  readonly rates: Rates | null;
  readonly stats: DaemonStats | null;
  readonly now: number;
  readonly view: View;
  readonly theme: Theme;
  readonly paused: boolean;
  readonly saving: Saving;
  /** When this page was saved, in epoch seconds; null: it is live. */
  readonly frozenAt: number | null;
  readonly controls: Controls;
}

const RATE_WORDS: Readonly<Record<Rate, string>> = {
  10: '10 Hz',
  4: '4 Hz',
  1: '1 Hz',
  0.1: '0.1 Hz',
};
const SAVE_WORDS: Readonly<Record<Saving, string>> = {
  idle: 'Save',
  saving: 'Saving …',
  failed: 'Not saved',
};

/** Holds what moves by itself, or slows it down. */
function Live({ view, paused, controls }: Pick<BarProps, 'view' | 'paused' | 'controls'>) {
  return (
    <>
      <button className="pause" aria-pressed={paused} onClick={controls.pause}>
        {paused ? 'Go on' : 'Pause'}
      </button>
      {!view.embed && (
        <select
          aria-label="How often the page moves"
          title="How often the page moves"
          value={view.rate}
          onChange={(event) => {
            const rate = RATES.find((offered) => String(offered) === event.target.value);
            controls.change({ rate: rate ?? 10 });
          }}
        >
          {RATES.map((rate) => (
            <option key={rate} value={rate}>
              {RATE_WORDS[rate]}
            </option>
          ))}
        </select>
      )}
    </>
  );
}

function Frozen({ at }: { readonly at: number }) {
  return (
    <p className="connection muted" data-frozen>
      Saved {new Date(at * 1000).toLocaleString([], { hourCycle: 'h23' })}, and still since
    </p>
  );
}

export function Bar(props: BarProps) {
  const { view, theme, saving, frozenAt, controls } = props;
  return (
    <header className="bar">
      {!view.embed && <h1 className="brand">streamd</h1>}
      {frozenAt === null ? <Connection {...props} /> : <Frozen at={frozenAt} />}
      <span className="buttons">
        {frozenAt === null && <Live {...props} />}
        {frozenAt === null && !view.embed && (
          <button
            onClick={controls.save}
            aria-disabled={saving === 'saving'}
            title="One HTML file with all that is drawn here, to send to somebody"
          >
            {SAVE_WORDS[saving]}
          </button>
        )}
        {!view.embed && (
          <>
            <button onClick={controls.toggleTheme} aria-label="Light or dark">
              {theme === 'dark' ? 'Light' : 'Dark'}
            </button>
            <button
              onClick={() => {
                controls.toggleHelp();
              }}
              aria-label="Help"
            >
              ?
            </button>
          </>
        )}
      </span>
    </header>
  );
}
