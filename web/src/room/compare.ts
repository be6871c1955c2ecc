// SPDX-License-Identifier: MIT
//
// Runs beside each other: by what their configurations say, and by what became of their metrics.
// Only what the daemon summed up is compared, for it has seen every record.
import type { SessionStatus } from '../proto/session';

export interface Group {
  /** What its runs have under the key; null: they have no such key. */
  readonly value: string | null;
  readonly runs: readonly SessionStatus[];
}

/** Numbers by size, and before texts. */
function compareValues(a: string, b: string): number {
  const [x, y] = [Number(a), Number(b)];
  if (Number.isNaN(x) !== Number.isNaN(y)) return Number.isNaN(x) ? 1 : -1;
  return Number.isNaN(x) ? a.localeCompare(b) : x - y;
}

/** The keys by which runs can be told apart: those with more than one value among them. */
export function groupKeys(runs: readonly SessionStatus[]): readonly string[] {
  const names = new Set(runs.flatMap(({ config }) => [...config.keys()]));
  const differs = (key: string) => new Set(runs.map(({ config }) => config.get(key))).size > 1;
  return [...names].filter(differs).sort((a, b) => a.localeCompare(b));
}

/** The runs by what they have under a key, each group in the order of `runs`. */
export function groupRuns(runs: readonly SessionStatus[], key: string): readonly Group[] {
  const byValue = new Map<string | null, SessionStatus[]>();
  for (const run of runs) {
    const value = run.config.get(key) ?? null;
    byValue.set(value, [...(byValue.get(value) ?? []), run]);
  }
  const groups = [...byValue].map(([value, inside]) => ({ value, runs: inside }));
  return groups.sort((a, b) =>
    a.value === null || b.value === null
      ? Number(a.value === null) - Number(b.value === null)
      : compareValues(a.value, b.value),
  );
}

export interface ConfigRow {
  readonly key: string;
  /** One a run; undefined: it has no such key. */
  readonly values: readonly (string | undefined)[];
  readonly differs: boolean;
}

/** What the runs are configured with; `all`: also where they agree. */
export function configRows(runs: readonly SessionStatus[], all: boolean): readonly ConfigRow[] {
  const keys = new Set(runs.flatMap(({ config }) => [...config.keys()]));
  const rows = [...keys].map((key) => {
    const values = runs.map(({ config }) => config.get(key));
    return { key, values, differs: new Set(values).size > 1 };
  });
  return rows.filter(({ differs }) => all || differs);
}

export interface Cell {
  readonly value: number | undefined;
  /** Against the baseline; undefined for itself, and where either has no number. */
  readonly delta: number | undefined;
  /** As a share of the baseline's value; undefined where that is 0. */
  readonly share: number | undefined;
  /** Undefined: it is the same, or there is nothing to compare. */
  readonly better: boolean | undefined;
}

export interface MetricRow {
  readonly name: string;
  readonly goal: 'min' | 'max';
  /** One a run. */
  readonly last: readonly Cell[];
  readonly best: readonly Cell[];
}

function cells(
  values: readonly (number | undefined)[],
  baseline: number,
  goal: 'min' | 'max',
): readonly Cell[] {
  const base = values[baseline];
  return values.map((value, place) => {
    if (place === baseline || value === undefined || base === undefined) {
      return { value, delta: undefined, share: undefined, better: undefined };
    }
    const delta = value - base;
    const share = base === 0 ? undefined : delta / Math.abs(base);
    return {
      value,
      delta,
      share,
      better: delta === 0 ? undefined : delta > 0 === (goal === 'max'),
    };
  });
}

/** What became of each metric that any of the runs has; `baseline` is a place among the runs. */
export function metricRows(runs: readonly SessionStatus[], baseline: number): readonly MetricRow[] {
  const names = new Set(runs.flatMap(({ summary }) => [...(summary?.keys() ?? [])]));
  return [...names].map((name) => {
    const entries = runs.map(({ summary }) => summary?.get(name));
    const goal = entries.find((entry) => entry !== undefined)?.goal ?? 'min';
    const of = (field: 'last' | 'best') =>
      cells(
        entries.map((entry) => entry?.[field]),
        baseline,
        goal,
      );
    return { name, goal, last: of('last'), best: of('best') };
  });
}
