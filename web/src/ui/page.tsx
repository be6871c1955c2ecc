// SPDX-License-Identifier: MIT
//
// The whole page from props: the list of runs beside the open run, or how to begin.
import type { Link } from '../room/link';
import type { RunsState } from '../room/runs';
import type { Series } from '../session/series';
import type { SessionState } from '../session/session';
import { Connection } from './connection';
import { Empty } from './empty';
import { RunList } from './run_list';
import { RunView } from './run_view';

export interface PageProps {
  readonly link: Link;
  readonly runs: RunsState;
  readonly open: { readonly state: SessionState; readonly series: Series } | null;
  /** Where this page's daemon answers. */
  readonly origin: string;
  readonly addressOf: (run: string) => string;
  readonly onChoose: (run: string) => void;
  /** Epoch seconds. */
  readonly now: number;
}

export function Page({ link, runs, open, origin, addressOf, onChoose, now }: PageProps) {
  return (
    <div className="page">
      <header className="bar">
        <h1 className="brand">streamd</h1>
        <Connection link={link} newestAt={open?.state.session?.lastUpdate ?? null} now={now} />
      </header>
      {open === null ? (
        <main className="begin">
          <Empty loaded={runs.loaded} link={link} origin={origin} />
        </main>
      ) : (
        <div className="columns">
          <RunList runs={runs} chosen={open.state.id} addressOf={addressOf} onChoose={onChoose} />
          <main className="run">
            <RunView state={open.state} series={open.series} />
          </main>
        </div>
      )}
    </div>
  );
}
