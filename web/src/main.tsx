// SPDX-License-Identifier: MIT
//
// The frame: address → view → client → one render an animation frame. The page is a function of the
// view and of what the client knows; this file is the only one that knows both.
import { createRoot } from 'react-dom/client';
import { connect } from '../client/src/index';
import { listenForDownloads } from './downloads';
import { readFrozen, savePage } from './freeze';
import { actionsOf, listenForKeys, type Keyboard } from './keyboard';
import { Frames, frameBudget, Pace, restful } from './throttle/frame';
import type { RunsState } from './room/runs';
import { axesOf } from './session/axis';
import { frozenWires } from './transport/frozen';
import { Key, keepOfTab } from './transport/key';
import { openWires } from './transport/wires';
import type { Saving } from './ui/bar';
import type { Controls } from './ui/controls';
import { Page, type OpenRun } from './ui/page';
import { neighbour } from './ui/run_list';
import { parseView, RATES, viewAddress } from './ui/view';
import { withAll, withOverlay, withRun, type Theme, type View } from './ui/view';
import './ui/styles';

const root = createRoot(document.getElementById('root') as HTMLElement);
const base = new URL('.', document.baseURI);
const frames = new Frames();
const darkness = matchMedia('(prefers-color-scheme: dark)');

const frozen = readFrozen();
const pace = new Pace();
const key = new Key(frozen ? null : keepOfTab());

let view = parseView(frozen?.search ?? location.search);
let saving: Saving = 'idle';
let help = false;
/** What is shown while the page is held still; null: it is not. */
let held: { open: readonly OpenRun[]; runs: RunsState; now: number } | null = null;
let followed: readonly string[] = [];
let zoomed = '';

function themeNow(): Theme {
  return view.theme ?? (darkness.matches ? 'dark' : 'light');
}

/** Another page of the browser's history when another run is looked at, the same one otherwise. */
function move(next: View, how: 'push' | 'replace'): void {
  view = next;
  // A saved page is one address, whatever it shows.
  if (frozen) return;
  if (how === 'push') history.pushState(null, '', viewAddress(view));
  else history.replaceState(null, '', viewAddress(view));
}

/** Rendered at once and not with the next frame: React sets back what is typed into a field until then. */
function show(next: View, how: 'push' | 'replace'): void {
  if (next === view) return;
  move(next, how);
  client.search(view.search);
  render();
}

/** Opens the runs that the view asks for, or the newest, and leaves those that it no longer does. */
function follow(): void {
  const newest = client.runs.runs[0]?.sessionId;
  if (view.runs.length === 0 && newest !== undefined) move({ ...view, runs: [newest] }, 'replace');
  for (const run of followed) if (!view.runs.includes(run)) client.leave(run);
  followed = view.runs;
}

function openRuns(): readonly OpenRun[] {
  return view.runs.map((run) => {
    const { state, series, telling } = client.session(run);
    const [order, rates] = [client.orders.of(run), client.rates(run)];
    return { state, series, story: telling.story, order, rates };
  });
}

/** Asks for raw points when what is in view is another part of the runs. */
function followZoom(): void {
  const { zoom, axis, runs } = view;
  const loaded = runs.filter((run) => client.session(run).series.length > 0);
  const wanted = zoom === null ? '' : `${axis} ${zoom.join()} ${loaded.join()}`;
  if (wanted === zoomed) return;
  zoomed = wanted;
  const part = zoom && { axis, from: zoom[0], to: zoom[1] };
  for (const run of runs) void client.session(run).zoom(part);
}

const controls: Controls = {
  change(fields) {
    show({ ...view, ...fields }, 'replace');
  },
  choose(run) {
    show(withRun(view, run), 'push');
  },
  overlay(run) {
    show(withOverlay(view, run), 'push');
  },
  overlayAll(runs) {
    show(withAll(view, runs), 'push');
  },
  pin(run, pinned) {
    void client.pin(run, pinned);
  },
  stop(run) {
    void client.orders.stop(run, 'asked for on the dashboard');
  },
  pause() {
    held = held ? null : { open: openRuns(), runs: client.runs, now: seconds() };
    request();
  },
  save() {
    void save();
  },
  toggleTheme() {
    const other = themeNow() === 'dark' ? 'light' : 'dark';
    const isSystem = (other === 'dark') === darkness.matches;
    show({ ...view, theme: isSystem ? null : other }, 'replace');
  },
  toggleHelp(shown = !help) {
    help = shown;
    request();
  },
  unlock: key.turn,
  addressOf: (run) => viewAddress(withRun(view, run)),
};

async function save(): Promise<void> {
  const title = document.querySelector('main h2')?.textContent ?? 'streamd';
  const search = viewAddress({ ...view, embed: false });
  saving = 'saving';
  request();
  const saved = await savePage(base, key.fetch, { title, at: seconds(), search, runs: view.runs });
  saving = saved ? 'idle' : 'failed';
  request();
}

function step(by: number): void {
  const next = neighbour(client.runs.runs, view, by);
  if (next !== undefined) controls.choose(next);
}

function seconds(): number {
  return frozen?.at ?? Date.now() / 1000;
}

function render(): void {
  follow();
  followZoom();
  document.documentElement.dataset.theme = themeNow();
  const open = openRuns();
  const still = held?.open.map(({ state }) => state.id).join() === view.runs.join() ? held : null;
  root.render(
    <Page
      link={client.link}
      runs={still?.runs ?? client.runs}
      stats={client.stats}
      open={still?.open ?? open}
      view={view}
      theme={themeNow()}
      paused={held !== null}
      help={help}
      saving={saving}
      frozenAt={frozen?.at ?? null}
      locked={key.locked}
      frames={frames}
      controls={controls}
      origin={base.href}
      now={still?.now ?? seconds()}
    />,
  );
  if (!held) frames.paint(performance.now());
}

const nextFrame = requestAnimationFrame.bind(window);
const request = frameBudget(nextFrame, render);
const requestRestfully = frameBudget(restful(nextFrame, performance.now.bind(performance)), render);
const daemon = connect(base, frozen ? frozenWires(frozen) : openWires(base, key));
const { client } = daemon;
// What the daemon says moves the page at the rate that was chosen; what a visitor does, at once.
daemon.on('change', () => {
  if (view.rate === RATES[0] || pace.allows(performance.now(), view.rate)) requestRestfully();
});
client.search(view.search);
addEventListener('popstate', () => {
  view = parseView(location.search);
  client.search(view.search);
  request();
});
const keyboard: Keyboard = {
  controls,
  view: () => view,
  step,
  axes: () => axesOf(openRuns().map(({ series }) => series.names)),
};
listenForKeys(actionsOf(keyboard), () => help);
listenForDownloads(key);
key.onChange(request);
darkness.addEventListener('change', request);
request();
