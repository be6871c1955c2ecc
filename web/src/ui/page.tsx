// SPDX-License-Identifier: MIT
//
// The whole page from props: the list of runs beside the open one, with all that are drawn in its
// charts; or how to begin.
import { drawnMetrics } from '../proto/history';
import type { PhaseMark } from '../proto/insight';
import type { DaemonStats } from '../proto/stats';
import type { Rates } from '../room/flow';
import type { Link } from '../room/link';
import type { Order } from '../room/order';
import type { RunsState } from '../room/runs';
import { axesOf } from '../session/axis';
import type { Series } from '../session/series';
import type { Story } from '../insight/story';
import type { SessionState } from '../session/session';
import type { Frames } from '../throttle/frame';
import type { DrawnRun } from './chart_lines';
import { Announcer } from './announcer';
import { Bar, type Saving } from './bar';
import { Charts } from './charts';
import { Compare } from './compare';
import type { Controls } from './controls';
import { Empty } from './empty';
import { Help } from './help';
import { nameOf } from './names';
import { RunList } from './run_list';
import { Details, Hero } from './run_view';
import { TokenForm } from './token_form';
import { Toolbar } from './toolbar';
import type { Theme, View } from './view';

export interface OpenRun {
  readonly state: SessionState;
  readonly series: Series;
  /** The stop that was asked for here. */
  readonly order: Order | undefined;
  readonly rates: Rates | null;
  /** What the daemon makes of it. */
  readonly story: Story;
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
  readonly saving: Saving;
  /** When this page was saved, in epoch seconds; null: it is live. */
  readonly frozenAt: number | null;
  /** The daemon wants a token; null: it does not. */
  readonly locked: { readonly refused: boolean } | null;
  readonly frames: Frames;
  readonly controls: Controls;
  /** Where this page's daemon answers. */
  readonly origin: string;
  /** Epoch seconds. */
  readonly now: number;
}

const NO_PHASES: readonly PhaseMark[] = [];

function drawnRun({ state, series }: OpenRun): DrawnRun {
  const { id, session } = state;
  // A run without a summary has the metrics that its points have.
  const metrics = session?.summary ? drawnMetrics(session) : series.names;
  const goalOf = (metric: string) => session?.summary?.get(metric)?.goal ?? 'min';
  return { id, label: session ? nameOf(session) : id, series, metrics, goalOf };
}

function Head({ open, view, theme, frozenAt, controls, now }: PageProps) {
  const [first] = open as readonly [OpenRun];
  const known = open.flatMap(({ state }) => state.session ?? []);
  if (view.compare && known.length > 1) {
    return <Compare runs={known} view={view} theme={theme} controls={controls} />;
  }
  const onStop = () => {
    controls.stop(first.state.id);
  };
  return (
    <Hero
      state={first.state}
      story={first.story}
      view={view}
      controls={controls}
      order={first.order}
      now={now}
      onStop={frozenAt === null && !view.embed ? onStop : null}
    />
  );
}

function Run(props: PageProps) {
  const { open, view, theme, frames, controls } = props;
  const [first] = open;
  if (!first) return null;
  const axes = axesOf(open.map(({ series }) => series.names));
  // Whose would they be, where several runs are drawn?
  const phases = open.length === 1 ? first.story.phases : NO_PHASES;
  const onZoom = (zoom: View['zoom']) => {
    controls.change({ zoom });
  };
  return (
    <main className="run">
      <Head {...props} />
      {first.state.session && (
        <>
          {!view.embed && <Toolbar view={view} axes={axes} phases={phases} controls={controls} />}
          <Charts
            runs={open.map(drawnRun)}
            phases={phases}
            view={view}
            theme={theme}
            frames={frames}
            onZoom={onZoom}
          />
        </>
      )}
      {!view.embed && <Details state={first.state} phases={first.story.phases} />}
    </main>
  );
}

/** What the top of the page says of the run that its numbers are of. */
function firstOf([first]: readonly OpenRun[]) {
  if (!first) return { session: null, verdict: null, rates: null };
  return { session: first.state.session, verdict: first.story.verdict, rates: first.rates };
}

export function Page(props: PageProps) {
  const { link, runs, open, view, theme, origin, controls, help, frozenAt, locked, now } = props;
  const { session, verdict, rates } = firstOf(open);
  const kind = [view.embed && 'embed', frozenAt !== null && 'frozen'].filter(Boolean).join(' ');
  return (
    <div className={`page ${kind}`}>
      <Bar {...props} newestAt={session?.lastUpdate ?? null} rates={rates} />
      <Announcer session={session} verdict={verdict} now={now} />
      {locked !== null ? (
        <main className="begin">
          <TokenForm {...locked} onToken={controls.unlock} />
        </main>
      ) : open.length === 0 ? (
        <main className="begin">
          <Empty loaded={runs.loaded} link={link} origin={origin} />
        </main>
      ) : (
        <div className="columns">
          {!view.embed && <RunList runs={runs} view={view} theme={theme} controls={controls} />}
          <Run {...props} />
        </div>
      )}
      {help && (
        <Help
          onClose={() => {
            controls.toggleHelp(false);
          }}
        />
      )}
    </div>
  );
}
