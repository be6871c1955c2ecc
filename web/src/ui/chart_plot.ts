// SPDX-License-Identifier: MIT
//
// One chart on its canvas. It keeps uPlot and what was last drawn, and draws when that is no longer
// so: a frame in which nothing changed costs a comparison.
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { chartData } from './chart_data';
import { extentOf, type ChartLine } from './chart_lines';
import { chartOptions, type Callbacks } from './chart_options';
import type { Series } from '../session/series';
import { showTooltip } from './tooltip';
import type { Theme, View } from './view';

export interface ChartInput {
  readonly lines: readonly ChartLine[];
  /** Every run of the page: all charts have one x. */
  readonly all: readonly Series[];
  readonly view: View;
  readonly theme: Theme;
  readonly onZoom: (zoom: View['zoom']) => void;
}

/** Pixels a place on x takes, when there are many. */
const CELL_PX = 2;

export class ChartPlot {
  #plot: uPlot | null = null;
  #input: ChartInput;
  #shape = '';
  #drawn = '';
  #x: [number, number] = [0, 1];
  #y: [number, number] = [0, 1];
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

  destroy(): void {
    this.#plot?.destroy();
    this.#plot = null;
    this.#shape = this.#drawn = '';
  }

  /** Draws when something changed; returns how many values are out of range, or null for nothing. */
  draw(): number | null {
    const { lines, view, all, theme } = this.#input;
    const { clientWidth: width, clientHeight: height } = this.#box;
    if (width === 0 || height === 0) return null;
    const look = `${width}x${height} ${theme} ${view.axis} ${view.log} ${lookOf(lines)}`;
    const versions = all.map(({ version }) => version).join(' ');
    const stamp = `${look} ${view.smoothing} ${view.zoom?.join() ?? ''} ${versions}`;
    if (stamp === this.#drawn) return null;
    this.#drawn = stamp;
    this.#x = view.zoom ? [...view.zoom] : extentOf(all.map((series) => series.xs(view.axis)));
    const data = chartData(lines, view, this.#x, Math.max(40, Math.floor(width / CELL_PX)));
    this.#y = [...data.range];
    const shape = `${look} ${data.shape.banded} ${data.shape.smoothed}`;
    const columns = data.columns as uPlot.AlignedData;
    if (this.#plot && shape === this.#shape) {
      this.#plot.setData(columns);
    } else {
      this.destroy();
      const ink = { text: colour('--muted'), rule: colour('--rule') };
      const size = { width, height };
      const options = chartOptions(size, lines, data.shape, view, ink, this.#callbacks);
      this.#plot = new uPlot(options, columns, this.#box);
      this.#shape = shape;
      this.#drawn = stamp;
    }
    return data.outside;
  }

  readonly #callbacks: Callbacks = {
    xRange: () => this.#x,
    yRange: () => this.#y,
    onZoom: (from, to) => {
      this.#input.onZoom([from, to]);
    },
    onReset: () => {
      this.#input.onZoom(null);
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

/** A colour of the style sheet, as it is now. */
function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
