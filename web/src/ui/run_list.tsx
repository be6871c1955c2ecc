// SPDX-License-Identifier: MIT
//
// The runs, pinned ones first, then the newest; or grouped by what they were configured with.
import type { SessionStatus } from '../proto/session';
import { groupKeys, groupRuns, type Group } from '../room/compare';
import type { RunsState } from '../room/runs';
import { colourOf } from './colours';
import type { Controls } from './controls';
import { RunRow } from './run_row';
import { MOST_RUNS, type Theme, type View } from './view';

interface RunListProps {
  readonly runs: RunsState;
  readonly view: View;
  readonly theme: Theme;
  readonly controls: Controls;
}

/** As the list shows them when they are not grouped. */
export function inOrder(runs: readonly SessionStatus[]): readonly SessionStatus[] {
  return [...runs.filter(({ pinned }) => pinned), ...runs.filter(({ pinned }) => !pinned)];
}

/** As the list shows them, in groups; without a key in one without a name. */
export function inGroups(runs: readonly SessionStatus[], key: string): readonly Group[] {
  const ordered = inOrder(runs);
  return key === '' ? [{ value: null, runs: ordered }] : groupRuns(ordered, key);
}

/** The run so many rows below the first that is drawn. */
export function neighbour(
  runs: readonly SessionStatus[],
  { group, runs: drawn }: Pick<View, 'group' | 'runs'>,
  by: number,
): string | undefined {
  const ids = inGroups(runs, group).flatMap((g) => g.runs.map(({ sessionId }) => sessionId));
  return ids[ids.indexOf(drawn[0] ?? '') + by];
}

function Rows({ runs, view, theme, controls }: Omit<RunListProps, 'runs'> & Pick<Group, 'runs'>) {
  const full = view.runs.length >= MOST_RUNS;
  return (
    <ol>
      {runs.map((run) => (
        <RunRow
          key={run.sessionId}
          run={run}
          current={run.sessionId === view.runs[0]}
          drawn={view.runs.includes(run.sessionId)}
          full={full}
          colour={colourOf(run.sessionId, theme)}
          href={controls.addressOf(run.sessionId)}
          controls={controls}
        />
      ))}
    </ol>
  );
}

function GroupHead({ group, view, controls }: { group: Group; view: View; controls: Controls }) {
  const title =
    group.value === null ? `${view.group} is not set` : `${view.group} = ${group.value}`;
  return (
    <div className="group-head small">
      <h3 title={title}>
        {title} <span className="muted">{group.runs.length}</span>
      </h3>
      <button
        aria-label={`Draw all with ${title}`}
        onClick={() => {
          controls.overlayAll(group.runs.map(({ sessionId }) => sessionId));
        }}
      >
        Draw
      </button>
    </div>
  );
}

function GroupBy({ runs, view, controls }: RunListProps) {
  const keys = groupKeys(runs.runs);
  if (keys.length === 0 && view.group === '') return null;
  const offered = keys.includes(view.group) || view.group === '' ? keys : [view.group, ...keys];
  return (
    <label className="group-by small">
      Group by
      <select
        value={view.group}
        onChange={(event) => {
          controls.change({ group: event.target.value });
        }}
      >
        <option value="">nothing</option>
        {offered.map((key) => (
          <option key={key}>{key}</option>
        ))}
      </select>
    </label>
  );
}

/** What can be done with several runs at once. */
function Drawn({ view, controls }: { readonly view: View; readonly controls: Controls }) {
  if (view.runs.length < 2) return null;
  return (
    <div className="drawn small">
      <span>
        {view.runs.length} drawn
        {view.runs.length === MOST_RUNS && <span className="muted">, the most</span>}
      </span>
      <button
        aria-pressed={view.compare}
        onClick={() => {
          controls.change({ compare: !view.compare });
        }}
      >
        Compare
      </button>
      <button
        onClick={() => {
          controls.choose(view.runs[0] as string);
        }}
      >
        Only the first
      </button>
    </div>
  );
}

export function RunList(props: RunListProps) {
  const { runs, view, controls } = props;
  return (
    <nav className="runs" aria-label="Runs">
      <h2 className="runs-title">
        Runs <span className="muted">{runs.total}</span>
      </h2>
      <input
        type="search"
        className="search"
        placeholder="Search name, project, config"
        aria-label="Search the runs"
        value={view.search}
        onChange={(event) => {
          controls.change({ search: event.target.value });
        }}
      />
      <GroupBy {...props} />
      <Drawn view={view} controls={controls} />
      <div className="rows">
        {inGroups(runs.runs, view.group).map((group) => (
          <section key={group.value ?? ''}>
            {view.group !== '' && <GroupHead group={group} view={view} controls={controls} />}
            <Rows {...props} runs={group.runs} />
          </section>
        ))}
      </div>
      {runs.runs.length === 0 && <p className="muted small">No run has that in it.</p>}
      {runs.total > runs.runs.length && (
        <p className="muted small">The newest {runs.runs.length} are shown.</p>
      )}
    </nav>
  );
}
