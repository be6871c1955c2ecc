// SPDX-License-Identifier: MIT
//
// How the page is looked at, all of it, as its address has it: what is not in the address is lost
// with a reload, and cannot be sent to a colleague.
import { AXES, type Axis } from '../session/axis';

export type Theme = 'light' | 'dark';

export interface View {
  /** The runs that are drawn; the first is the one that the numbers are of. */
  readonly runs: readonly string[];
  readonly axis: Axis;
  /** From 0 (none) to below 1. */
  readonly smoothing: number;
  readonly log: boolean;
  /** The phases of the run behind its curves. */
  readonly bands: boolean;
  /** The alerts about the first run that were put away, by their keys. */
  readonly dismissed: readonly string[];
  /** What is in view, in units of the axis; null: everything. */
  readonly zoom: readonly [from: number, to: number] | null;
  /** Null: as the system has it. */
  readonly theme: Theme | null;
  readonly search: string;
  /** Inside somebody else's page: the charts and no more. */
  readonly embed: boolean;
  /** The key of their configuration by which the listed runs are grouped; empty: they are not. */
  readonly group: string;
  /** The drawn runs beside each other, in numbers. */
  readonly compare: boolean;
  /** The one that the others are compared with; null: the first. */
  readonly baseline: string | null;
  /** Also where their configurations agree. */
  readonly allKeys: boolean;
  /** How often a second the page moves at most. */
  readonly rate: Rate;
}

/** As fast as the daemon tells, and slower for who wants it calmer. */
export const RATES = [10, 4, 1, 0.1] as const;
export type Rate = (typeof RATES)[number];

/** More curves than this in one chart cannot be told apart. */
export const MOST_RUNS = 10;
/** There are fewer kinds of alerts than this. */
const MOST_DISMISSED = 20;
const SMOOTHINGS = [0, 0.6, 0.9, 0.97, 0.99];
export const MOST_SMOOTHING = 0.999;

function parseZoom(text: string | null): View['zoom'] {
  const [from, to] = (text ?? '').split('~').map(Number);
  return from !== undefined && to !== undefined && from < to && Number.isFinite(to - from)
    ? [from, to]
    : null;
}

function parseSmoothing(text: string | null): number {
  const weight = Number(text ?? 0);
  return weight > 0 ? Math.min(weight, MOST_SMOOTHING) : 0;
}

/** The newest of them. */
function parseDismissed(keys: readonly string[]): readonly string[] {
  return [...new Set(keys)].slice(-MOST_DISMISSED);
}

/** Reads the part of an address from the question mark on. */
export function parseView(search: string): View {
  const query = new URLSearchParams(search);
  const theme = query.get('theme');
  return {
    runs: [...new Set(query.getAll('run'))].filter((run) => run !== '').slice(0, MOST_RUNS),
    axis: AXES.find((axis) => axis === query.get('x')) ?? 'step',
    smoothing: parseSmoothing(query.get('smooth')),
    log: query.get('log') === '1',
    bands: query.get('bands') !== '0',
    dismissed: parseDismissed(query.getAll('seen')),
    zoom: parseZoom(query.get('zoom')),
    theme: theme === 'light' || theme === 'dark' ? theme : null,
    search: query.get('q') ?? '',
    embed: query.has('embed'),
    group: query.get('group') ?? '',
    compare: query.get('compare') === '1',
    baseline: query.get('base'),
    allKeys: query.get('config') === 'all',
    rate: RATES.find((rate) => String(rate) === query.get('hz')) ?? 10,
  };
}

/** What the address says of how the list and the comparison look. */
function listAddress(view: View): Record<string, string | false> {
  return {
    group: view.group,
    compare: view.compare && '1',
    base: view.baseline ?? false,
    config: view.allKeys && 'all',
    hz: view.rate !== RATES[0] && String(view.rate),
  };
}

/** The address of a view, from the question mark on; what is as usual is not mentioned. */
export function viewAddress(view: View): string {
  const query = new URLSearchParams(view.runs.map((run) => ['run', run]));
  const fields: Record<string, string | false> = {
    x: view.axis !== 'step' && view.axis,
    smooth: view.smoothing > 0 && String(view.smoothing),
    log: view.log && '1',
    bands: !view.bands && '0',
    zoom: view.zoom !== null && view.zoom.map((at) => Number(at.toPrecision(13))).join('~'),
    theme: view.theme ?? false,
    q: view.search,
    embed: view.embed && '1',
    ...listAddress(view),
  };
  for (const [name, value] of Object.entries(fields)) if (value) query.set(name, value);
  for (const key of view.dismissed) query.append('seen', key);
  return `?${query.toString()}`;
}

/** Draws more runs, as many as there is room for; the first stays what it is. */
export function withAll(view: View, runs: readonly string[]): View {
  return { ...view, runs: [...new Set([...view.runs, ...runs])].slice(0, MOST_RUNS) };
}

/** Opens one run alone; a zoom into another says nothing of it. */
export function withRun(view: View, run: string): View {
  const kept = view.runs[0] === run ? {} : { zoom: null, dismissed: [] };
  return { ...view, runs: [run], compare: false, ...kept };
}

/** Puts an alert away. */
export function withDismissed(view: View, key: string): View {
  return { ...view, dismissed: parseDismissed([...view.dismissed, key]) };
}

/** Draws a run as well, or no longer; one is always left. */
export function withOverlay(view: View, run: string): View {
  if (!view.runs.includes(run)) {
    return view.runs.length < MOST_RUNS ? { ...view, runs: [...view.runs, run] } : view;
  }
  const runs = view.runs.filter((other) => other !== run);
  if (runs.length === 0) return view;
  return { ...view, runs, dismissed: runs[0] === view.runs[0] ? view.dismissed : [] };
}

/** `axes` are those that there are. */
export function withNextAxis(view: View, axes: readonly Axis[]): View {
  const next = axes[(axes.indexOf(view.axis) + 1) % axes.length] as Axis;
  return { ...view, axis: next, zoom: null };
}

export function withNextSmoothing(view: View): View {
  return { ...view, smoothing: SMOOTHINGS.find((weight) => weight > view.smoothing) ?? 0 };
}
