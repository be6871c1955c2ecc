// SPDX-License-Identifier: MIT
//
// One chart on its canvas. It keeps uPlot and what was last drawn, and draws when that is no longer
// so: a frame in which nothing changed costs a comparison. The cursor that the keyboard moves stands
// on a place of the axis, and stays there while points come.
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { PhaseMark } from '../proto/insight';
import type { Cell } from '../session/grid';
import type { Series } from '../session/series';
import { placeText } from './axis_text';
import { bandsOf, drawBands } from './chart_bands';
import { LINE_MOVES, moved, zoomed, ZOOMS } from './chart_cursor';
import { chartData, type ChartData } from './chart_data';
import { extentOf, type ChartLine } from './chart_lines';
import { chartOptions, perLine, type Callbacks } from './chart_options';
import { colourNow } from './colours';
import { showTooltip, valueAt, valueText } from './tooltip';
import type { Theme, View } from './view';

export interface ChartInput {
  readonly lines: readonly ChartLine[];
  /** Every run of the page: all charts have one x. */
  readonly all: readonly Series[];
  readonly view: View;
  readonly theme: Theme;
  /** Of the one run that is drawn; none where several are, for whose would they be? */
  readonly phases: readonly PhaseMark[];
  readonly onZoom: (zoom: View['zoom']) => void;
}

/** Pixels a place on x takes, when there are many. */
const CELL_PX = 2;

export class ChartPlot {
  #plot: uPlot | null = null;
  #input: ChartInput;
  #look = '';
  #drawn = '';
  #phases: readonly PhaseMark[] = [];
  #data: ChartData | null = null;
  /** Told and not asked for: to ask in each frame would lay out the page in each. */
  #size = { width: 0, height: 0 };
  #x: [number, number] = [0, 1];
  /** Where the keyboard's cursor is, and on which line. */
  #at: number | null = null;
  #line = 0;
  readonly #box: HTMLElement;
  readonly #tip: HTMLElement;

  constructor(box: HTMLElement, tip: HTMLElement, input: ChartInput) {
    this.#box = box;
    this.#tip = tip;
    this.#input = input;
  }

  set input(input: ChartInput) {
    this.#input = input;
  }

  /** What is in view on x. */
  get extent(): readonly [number, number] {
    return this.#x;
  }

  /** What it is drawn on; null before the first time. */
  get canvas(): HTMLCanvasElement | null {
    return this.#plot?.ctx.canvas ?? null;
  }

  destroy(): void {
    this.#plot?.destroy();
    this.#plot = null;
    this.#look = this.#drawn = '';
  }

  /** How large it is from now on, in CSS pixels. */
  resize(width: number, height: number): void {
    this.#size = { width, height };
  }

  /** Draws when something changed; returns how many values are out of range, or null for nothing. */
  draw(): number | null {
    const { lines, view, all, theme, phases } = this.#input;
    const { width, height } = this.#size;
    if (width === 0 || height === 0) return null;
    const look = `${width}x${height} ${theme} ${view.axis} ${view.log} ${lookOf(lines)}`;
    const versions = all.map(({ version }) => version).join(' ');
    const stamp = `${look} ${view.smoothing} ${view.zoom?.join() ?? ''} ${versions} ${view.bands}`;
    if (stamp === this.#drawn && phases === this.#phases) return null;
    this.#phases = phases;
    this.#x = view.zoom ? [...view.zoom] : this.#whole();
    const cells = Math.max(40, Math.floor(width / CELL_PX));
    const data = (this.#data = chartData(lines, view, this.#x, cells));
    const shaped = `${look} ${data.shape.banded} ${data.shape.smoothed}`;
    if (this.#plot && shaped === this.#look) this.#plot.setData(data.columns as uPlot.AlignedData);
    else this.#make(data, { width, height });
    [this.#look, this.#drawn] = [shaped, stamp];
    if (this.#at !== null) this.#stand(this.#at);
    return data.outside;
  }

  /** What the keyboard's cursor is on after `key`, in words; null when the key means nothing here. */
  move(key: string): string | null {
    const { lines } = this.#input;
    const by = LINE_MOVES[key];
    if (by !== undefined) this.#line += by + lines.length;
    this.#line %= Math.max(1, lines.length);
    const columns = this.#data?.columns ?? [];
    const column = columns[(this.#line + 1) * this.#each()] as Cell[] | undefined;
    const xs = (columns[0] ?? []) as number[];
    const isAside = by !== undefined && this.#at !== null;
    const to = column && moved(by === undefined ? key : 'End', xs, column, this.#at);
    if (to === null || to === undefined) return null;
    return this.#stand(isAside ? (this.#at as number) : (xs[to] as number));
  }

  /** Looks closer, or at more, around the cursor; false when the key means nothing here. */
  zoom(key: string): boolean {
    const share = ZOOMS[key];
    if (share === undefined) return false;
    this.#input.onZoom(zoomed(this.#x, this.#at, share, this.#whole()));
    return true;
  }

  /** Takes the keyboard's cursor away. */
  leave(): void {
    this.#at = null;
    this.#tip.dataset.over = '';
    this.#plot?.setCursor({ left: -10, top: -10 }, true);
  }

  #each(): number {
    return this.#data ? perLine(this.#data.shape) : 1;
  }

  #whole(): [number, number] {
    const { all, view } = this.#input;
    return extentOf(all.map((series) => series.xs(view.axis)));
  }

  #make({ shape, columns }: ChartData, size: { width: number; height: number }): void {
    this.destroy();
    const { lines, view } = this.#input;
    const ink = { text: colourNow('--muted'), rule: colourNow('--rule') };
    const options = chartOptions(size, lines, shape, view, ink, this.#callbacks);
    this.#plot = new uPlot(options, columns as uPlot.AlignedData, this.#box);
  }

  /** Puts the cursor on the line at `x`; says what is there. */
  #stand(x: number): string {
    const { lines, view } = this.#input;
    const line = lines[this.#line];
    const plot = this.#plot;
    const value = line && valueAt(line, view, x);
    if (!plot || !line || value === undefined) return '';
    this.#at = x;
    this.#tip.dataset.over = '1';
    const top = Number.isFinite(value) ? plot.valToPos(value, 'y') : 0;
    plot.setCursor({ left: plot.valToPos(x, 'x'), top }, true);
    return `${placeText(view.axis, x)}: ${line.label} ${valueText(line.metric, value)}`;
  }

  readonly #callbacks: Callbacks = {
    xRange: () => this.#x,
    yRange: () => (this.#data ? [...this.#data.range] : [0, 1]),
    onZoom: (from, to) => {
      this.#input.onZoom([from, to]);
    },
    onReset: () => {
      this.#input.onZoom(null);
    },
    onClear: (plot) => {
      const { phases, all, view } = this.#input;
      const [series] = all;
      if (series && view.bands) drawBands(plot, bandsOf(phases, series, view.axis));
    },
    onCursor: (plot) => {
      showTooltip(this.#tip, plot, this.#input.lines, this.#input.view);
    },
  };
}

function lookOf(lines: readonly ChartLine[]): string {
  return lines
    .map((line) => `${line.label} ${line.metric} ${line.colour} ${line.dash.join()}`)
    .join();
}
