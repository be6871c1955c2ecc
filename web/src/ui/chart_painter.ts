// SPDX-License-Identifier: MIT
//
// What moves in the panel of a chart: the canvas, the sentence below it, and what is beyond the edge.
// It is written straight into the document, in the frame that all charts share, and only while the
// panel is in sight.
import { ChartPlot } from './chart_plot';
import type { ChartInput } from './chart_plot';
import { sentencesOf } from './chart_sentence';

export interface ChartParts {
  readonly panel: HTMLElement;
  readonly box: HTMLElement;
  readonly tip: HTMLElement;
  readonly says: HTMLElement;
  readonly cut: HTMLElement;
}

/** How often the sentence is written anew: nobody reads faster. */
const SENTENCE_MS = 1000;

function unseen(text: string): HTMLElement {
  const element = document.createElement('span');
  element.className = 'unseen';
  element.textContent = text;
  return element;
}

export class ChartPainter {
  readonly plot: ChartPlot;
  #input: ChartInput;
  #seen = false;
  #saidAt = -Infinity;
  /** Whether the sentence is of an earlier drawing. */
  #isOld = true;
  readonly #parts: ChartParts;
  readonly #sight: IntersectionObserver;
  readonly #sizes: ResizeObserver;

  constructor(parts: ChartParts, input: ChartInput) {
    this.#parts = parts;
    this.#input = input;
    this.plot = new ChartPlot(parts.box, parts.tip, input);
    this.#sight = new IntersectionObserver(([entry]) => {
      this.#seen = entry?.isIntersecting === true;
      this.paintNow();
    });
    this.#sight.observe(parts.panel);
    this.#sizes = new ResizeObserver(() => {
      this.plot.resize(parts.box.clientWidth, parts.box.clientHeight);
      this.paintNow();
    });
    this.#sizes.observe(parts.box);
  }

  set input(input: ChartInput) {
    this.#input = this.plot.input = input;
    this.#saidAt = -Infinity;
    this.paintNow();
  }

  destroy(): void {
    this.#sight.disconnect();
    this.#sizes.disconnect();
    this.plot.destroy();
  }

  readonly paintNow = (): void => {
    this.paint(performance.now());
  };

  readonly paint = (now: number): void => {
    if (!this.#seen) return;
    const outside = this.plot.draw();
    if (outside !== null) {
      this.#isOld = true;
      const { box, cut } = this.#parts;
      box.dataset.points = String(this.#input.all.reduce((n, series) => n + series.length, 0));
      box.dataset.newest = this.#input.all.map(({ newest }) => newest).join(' ');
      cut.textContent = outside > 0 ? `${outside} beyond the edge` : '';
    }
    if (!this.#isOld || now - this.#saidAt < SENTENCE_MS) return;
    [this.#saidAt, this.#isOld] = [now, false];
    const { lines, view } = this.#input;
    const [first = '', ...rest] = sentencesOf(lines, view, this.plot.extent);
    this.#parts.says.replaceChildren(first, unseen(rest.map((said) => ` ${said}`).join('')));
  };
}
