// SPDX-License-Identifier: MIT
//
// Where several runs are drawn, each line has its number at its end, the same as in the key: who
// cannot tell two colours apart, or two dashes, reads which line is which. Numbers that would lie on
// each other are moved apart.
import type uPlot from 'uplot';
import type { Cell } from '../session/grid';
import type { ChartLine } from './chart_lines';

/** The least distance between two numbers. */
const APART_PX = 11;
const GAP_PX = 4;
const FONT_PX = 10;

/** The last value of a column. */
export function lastOf(column: ArrayLike<Cell>): number | undefined {
  for (let i = column.length - 1; i >= 0; i--) {
    const cell = column[i];
    if (typeof cell === 'number') return cell;
  }
  return undefined;
}

/** Heights, in any order, moved down until no two are nearer than APART_PX. */
export function spread(heights: readonly number[]): number[] {
  const order = heights.map((_, i) => i).sort((a, b) => (heights[a] ?? 0) - (heights[b] ?? 0));
  const out = [...heights];
  let free = -Infinity;
  for (const i of order) {
    out[i] = Math.max(free, out[i] as number);
    free = out[i] + APART_PX;
  }
  return out;
}

/** Draws the numbers right of the lines' ends; a line is the last of `each` columns. */
export function drawMarks(plot: uPlot, lines: readonly ChartLine[], each: number): void {
  if (lines.length < 2) return;
  const { ctx, bbox } = plot;
  const scale = devicePixelRatio;
  const ends = lines.flatMap((line, k) => {
    const value = lastOf(plot.data[(k + 1) * each] ?? []);
    if (value === undefined) return [];
    const at = plot.valToPos(value, 'y') * scale;
    return [{ line, k, at: Math.min(bbox.height, Math.max(0, at)) / scale }];
  });
  const heights = spread(ends.map(({ at }) => at));
  ctx.save();
  ctx.font = `600 ${FONT_PX * scale}px system-ui, sans-serif`;
  ctx.textBaseline = 'middle';
  ctx.textAlign = 'left';
  ends.forEach(({ line, k }, i) => {
    ctx.fillStyle = line.colour;
    const x = bbox.left + bbox.width + GAP_PX * scale;
    ctx.fillText(String(k + 1), x, bbox.top + (heights[i] as number) * scale);
  });
  ctx.restore();
}
