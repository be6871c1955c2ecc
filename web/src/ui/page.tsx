// SPDX-License-Identifier: MIT
//
// The whole page from props: the list of runs beside the open one, with all that are drawn in its
// charts; or how to begin.
import { drawnMetrics } from '../proto/history';
import type { DaemonStats } from '../proto/stats';
import type { Rates } from '../room/flow';
import type { Link } from '../room/link';
import type { Order } from '../room/order';
import type { RunsState } from '../room/runs';
import { axesOf } from '../session/axis';
import type { Series } from '../session/series';
import type { SessionState } from '../session/session';
import type { Frames } from '../throttle/frame';
import type { DrawnRun } from './chart_lines';
import { Charts } from './charts';
import { Compare } from './compare';
import { Connection } from './connection';
import type { Controls } from './controls';
import { Empty } from './empty';
import { Help } from './help';
import { nameOf } from './names';
import { RunList } from './run_list';
import { Details, Hero } from './run_view';
import { Toolbar } from './toolbar';
import type { Theme, View } from './view';

export interface OpenRun {
  readonly state: SessionState;
  readonly series: Series;
  /** The stop that was asked for here. */
  readonly order: Order | undefined;
  readonly rates: Rates | null;
}

export interface PageProps {
  readonly link: Link;
  readonly runs: RunsState;
  /** What the daemon counts of all runs; null until it said. */
  readonly stats: DaemonStats | null;
  /** Those that the view draws, in its order. */
  readonly open: readonly OpenRun[];
  readonly view: View;
  readonly theme: Theme;
  readonly paused: boolean;
  readonly help: boolean;
  readonly frames: Frames;
  readonly controls: Controls;
  /** Where this page's daemon answers. */
  readonly origin: string;
  /** Epoch seconds. */
  readonly now: number;
}

function drawnRun({ state, series }: OpenRun): DrawnRun {
  const { id, session } = state;
  // A run without a summary has the metrics that its points have.
  const metrics = session?.summary ? drawnMetrics(session) : series.names;
  const goalOf = (metric: string) => session?.summary?.get(metric)?.goal ?? 'min';
  return { id, label: session ? nameOf(session) : id, series, metrics, goalOf };
}

function Bar(props: PageProps) {
  const { link, stats, open, now, view, theme, controls } = props;
  return (
    <header className="bar">
      {!view.embed && <h1 className="brand">streamd</h1>}
      <Connection
        link={link}
        newestAt={open[0]?.state.session?.lastUpdate ?? null}
        rates={open[0]?.rates ?? null}
        stats={stats}
        now={now}
      />
      {!view.embed && (
        <span className="buttons">
          <button onClick={controls.toggleTheme} aria-label="Light or dark">
            {theme === 'dark' ? 'Light' : 'Dark'}
          </button>
          <button onClick={controls.toggleHelp} aria-label="Help">
            ?
          </button>
        </span>
      )}
    </header>
  );
}

function Head({ open, view, theme, controls, now }: PageProps) {
  const [first] = open as readonly [OpenRun];
  const known = open.flatMap(({ state }) => state.session ?? []);
  if (view.compare && known.length > 1) {
    return <Compare runs={known} view={view} theme={theme} controls={controls} />;
  }
  return (
    <Hero
      state={first.state}
      order={first.order}
      now={now}
      onStop={() => {
        controls.stop(first.state.id);
      }}
    />
  );
}

function Run(props: PageProps) {
  const { open, view, theme, paused, frames, controls } = props;
  const [first] = open;
  if (!first) return null;
  const axes = axesOf(open.map(({ series }) => series.names));
  const onZoom = (zoom: View['zoom']) => {
    controls.change({ zoom });
  };
  return (
    <main className="run">
      <Head {...props} />
      {first.state.session && (
        <>
          <Toolbar view={view} axes={axes} paused={paused} controls={controls} />
          <Charts
            runs={open.map(drawnRun)}
            view={view}
            theme={theme}
            frames={frames}
            onZoom={onZoom}
          />
        </>
      )}
      {!view.embed && <Details state={first.state} />}
    </main>
  );
}

export function Page(props: PageProps) {
  const { link, runs, open, view, theme, origin, controls, help } = props;
  return (
    <div className={view.embed ? 'page embed' : 'page'}>
      <Bar {...props} />
      {open.length === 0 ? (
        <main className="begin">
          <Empty loaded={runs.loaded} link={link} origin={origin} />
        </main>
      ) : (
        <div className="columns">
          {!view.embed && <RunList runs={runs} view={view} theme={theme} controls={controls} />}
          <Run {...props} />
        </div>
      )}
      {help && <Help onClose={controls.toggleHelp} />}
    </div>
  );
}
