// SPDX-License-Identifier: MIT
//
// bench/charts.ts [seconds] [records]: what the page costs its browser; one figure a line.
//
//   live    eight charts of four runs, 4,000 records each (128,000 points), every run at 10 Hz: the
//           main thread's share of a core, and the heap after forced collections
//   pixel   from the trainer's write to the frame that shows it, under that load
//   open    from the address to the drawn line of a run of a million records, in a fresh browser
//
// The browser runs without a GPU, so drawing is in these figures as well. `seconds` (30) is how long
// `live` is watched: 600 for whether the heap stays flat.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser, CDPSession, Page } from 'playwright-core';
import { launch, View } from '../browser.ts';
import { Daemon } from '../daemon.ts';
import { progress, start } from '../lines.ts';

const [seconds = 30, records = 1_000_000] = process.argv.slice(2).map(Number);
const RUNS = ['a', 'b', 'c', 'd'];
const PRELOADED = 4000;
const HZ = 10;
const HEAP_SAMPLES = 6;
const OPENINGS = 5;
const AT_ONCE = 5000;

function tell(name: string, value: number, digits = 1): void {
  process.stdout.write(`${name} ${value.toFixed(digits)}\n`);
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
}

/** Eight metrics: as many charts. */
function eight(run: string, step: number): object {
  const noise = (k: number) => Math.sin(step * (12.9898 + k)) / 10;
  const t = Math.exp(-step / 2000);
  const others = [1, 2, 3, 4, 5, 6, 7].map((k) => [`m${k}`, k * t + noise(k)]);
  return progress(run, { step, loss: 2 * t + 0.3 + noise(0), ...Object.fromEntries(others) });
}

/** Sums of what the browser's main thread did, in seconds. */
async function metricsOf(cdp: CDPSession): Promise<Map<string, number>> {
  const { metrics } = await cdp.send('Performance.getMetrics');
  return new Map(metrics.map(({ name, value }) => [name, value]));
}

async function heapOf(cdp: CDPSession): Promise<number> {
  await cdp.send('HeapProfiler.collectGarbage');
  return ((await metricsOf(cdp)).get('JSHeapUsedSize') ?? 0) / 1e6;
}

/** Notes on the page at which time each offset of the first run was in a frame. */
async function watchFrames(page: Page): Promise<void> {
  await page.evaluate(() => {
    const seen: [number, number][] = [];
    Object.assign(globalThis, { seen });
    const plot = document.querySelector<HTMLElement>('.plot');
    if (!plot) return;
    const onDrawn = () => {
      const newest = Number(plot.dataset.newest?.split(' ')[0]);
      // The next frame begins when this one has been handed over.
      requestAnimationFrame(() => seen.push([newest, Date.now()]));
    };
    new MutationObserver(onDrawn).observe(plot, { attributeFilter: ['data-newest'] });
  });
}

async function pixelLatencies(page: Page, pushed: readonly number[]): Promise<number[]> {
  const seen = await page.evaluate(() => (globalThis as unknown as { seen: number[][] }).seen);
  // Newest wins: a record that was passed over is seen with the one that came instead.
  return pushed.flatMap((at, i) => {
    const shown = seen.find(([offset = 0]) => offset >= PRELOADED + i + 1);
    return shown ? [(shown[1] as number) - at] : [];
  });
}

async function live(browser: Browser): Promise<void> {
  const daemon = await Daemon.start();
  const view = await View.open(browser, { viewport: { width: 1280, height: 1700 } });
  for (const run of RUNS) {
    await daemon.push(start(run));
    for (let step = 0; step < PRELOADED; step++) await daemon.push(eight(run, step));
  }
  await view.page.goto(`${daemon.url}?${RUNS.map((run) => `run=${run}`).join('&')}`);
  await view.waitForPoints(PRELOADED);
  await view.page.locator('[data-chart="loss"]').scrollIntoViewIfNeeded();
  await view.page.evaluate(() => document.querySelector('.charts')?.scrollIntoView());
  await view.page.waitForFunction(() => document.querySelectorAll('.plot canvas').length >= 8);
  await watchFrames(view.page);
  const cdp = await view.page.context().newCDPSession(view.page);
  // Its own CPU clock: other work on the machine must not count.
  await cdp.send('Performance.enable', { timeDomain: 'threadTicks' });

  const pushed: number[] = [];
  let step = PRELOADED;
  const beat = setInterval(() => {
    pushed.push(Date.now());
    void daemon.push(...RUNS.map((run) => eight(run, step)));
    step++;
  }, 1000 / HZ);
  const heap = [await heapOf(cdp)];
  const spent = new Map<string, number>();
  for (let sample = 0; sample < HEAP_SAMPLES; sample++) {
    const before = await metricsOf(cdp);
    await sleep((seconds * 1000) / HEAP_SAMPLES);
    // Without the collection that is forced between samples.
    for (const [name, value] of await metricsOf(cdp))
      spent.set(name, (spent.get(name) ?? 0) + value - (before.get(name) ?? 0));
    heap.push(await heapOf(cdp));
  }
  clearInterval(beat);
  const share = (name: string) => ((spent.get(name) ?? 0) / (spent.get('Timestamp') ?? 1)) * 100;
  tell('live.main_thread_percent', share('TaskDuration'));
  tell('live.script_percent', share('ScriptDuration'));
  tell('live.layout_percent', share('LayoutDuration') + share('RecalcStyleDuration'));
  tell(
    'live.held_points_per_metric',
    Number(await view.page.locator('.plot').first().getAttribute('data-points')),
    0,
  );
  tell('live.heap_mb_first', heap[1] ?? NaN);
  tell('live.heap_mb_last', heap.at(-1) ?? NaN);
  const latencies = await pixelLatencies(view.page, pushed.slice(0, -5));
  tell('pixel.p50_ms', quantile(latencies, 0.5), 0);
  tell('pixel.p95_ms', quantile(latencies, 0.95), 0);
  tell('pixel.max_ms', quantile(latencies, 1), 0);
  await view.close();
  await daemon.stop();
}

async function open(browser: Browser): Promise<void> {
  const daemon = await Daemon.start({ durable: true });
  await daemon.push(start('long'));
  for (let step = 0; step < records; step += AT_ONCE) {
    const lines = Array.from({ length: Math.min(AT_ONCE, records - step) }, (_, i) => {
      const noise = Math.sin((step + i) * 12.9898) / 10;
      const t = Math.exp((-3 * (step + i)) / records);
      const metrics = { loss: 2 * t + noise, lr: 1e-3 * t, grad_norm: 1 + noise, acc: 1 - t };
      return progress('long', { step: step + i, ...metrics });
    });
    await daemon.push(...lines);
  }
  await daemon.push({ type: 'complete', sessionId: 'long' });
  const took: number[] = [];
  for (let i = 0; i < OPENINGS + 1; i++) {
    const view = await View.open(browser);
    const before = performance.now();
    await view.page.goto(`${daemon.url}?run=long`, { waitUntil: 'commit' });
    await view.page.waitForFunction(
      (newest) => document.querySelector<HTMLElement>('.plot')?.dataset.newest === newest,
      String(records),
      { polling: 'raf', timeout: 60_000 },
    );
    // The first one waits for the history to be sealed, and is not counted.
    if (i > 0) took.push(performance.now() - before);
    await view.close();
  }
  tell('open.records', records, 0);
  tell('open.median_ms', quantile(took, 0.5), 0);
  tell('open.slowest_ms', quantile(took, 1), 0);
  await daemon.stop();
}

const browser = await launch();
await live(browser);
await open(browser);
await browser.close();
