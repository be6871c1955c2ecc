// SPDX-License-Identifier: MIT
//
// The phases of a run behind its curves: a faint band each, with its name along the top edge, or its
// initials where there is no room, which the legend spells out. Colour alone says nothing here.
import type uPlot from 'uplot';
import type { PhaseMark } from '../proto/insight';
import { phaseLabel, type PhaseTone } from '../insight/phases';
import type { Axis } from '../session/axis';
import type { Series } from '../session/series';
import { colourNow } from './colours';

export interface Band {
  readonly phase: string;
  /** On the axis; the last one has no end yet, and goes on for ever. */
  readonly from: number;
  readonly to: number;
}

const FONT_PX = 10;
const PADDING_PX = 2;
/** Of 255: seen beside each other, and no curve is harder to read for it. */
const FILL_ALPHA = '14';
const EDGE_ALPHA = '80';
const INKS: Readonly<Record<PhaseTone, string>> = {
  plain: '--muted',
  good: '--good',
  steady: '--accent',
  warn: '--warn',
  bad: '--bad',
};

/** LEARNING_FAST is LF where there is no room for more. */
export function initials(phase: string): string {
  return phase
    .split('_')
    .map((word) => word.charAt(0))
    .join('');
}

/** Where the phases lie along an axis; one that nothing is drawn of is left out. */
export function bandsOf(phases: readonly PhaseMark[], series: Series, axis: Axis): Band[] {
  const starts = phases.map(({ offset }) => series.placeAt(axis, offset));
  return phases.flatMap(({ phase }, i) => {
    const from = starts[i] ?? NaN;
    const to = i + 1 < phases.length ? (starts[i + 1] ?? Infinity) : Infinity;
    return from < to ? [{ phase, from, to }] : [];
  });
}

/** What there is room for; empty: nothing. */
function labelFor(phase: string, room: number, widthOf: (text: string) => number): string {
  const fits = [phaseLabel(phase).text, initials(phase)].find((text) => widthOf(text) <= room);
  return fits ?? '';
}

/** Draws them on a canvas that nothing else is on yet. */
export function drawBands(plot: uPlot, bands: readonly Band[]): void {
  const { ctx, bbox } = plot;
  const scale = bbox.width / plot.over.clientWidth;
  const end = bbox.left + bbox.width;
  ctx.save();
  ctx.font = `600 ${FONT_PX * scale}px system-ui, sans-serif`;
  ctx.textBaseline = 'top';
  ctx.textAlign = 'left';
  const inks = new Map(Object.entries(INKS).map(([tone, name]) => [tone, colourNow(name)]));
  for (const { phase, from, to } of bands) {
    const left = Math.max(bbox.left, plot.valToPos(from, 'x', true));
    const right = to === Infinity ? end : Math.min(end, plot.valToPos(to, 'x', true));
    if (!(right > left)) continue;
    const ink = inks.get(phaseLabel(phase).tone) ?? '';
    ctx.fillStyle = `${ink}${FILL_ALPHA}`;
    ctx.fillRect(left, bbox.top, right - left, bbox.height);
    ctx.fillStyle = `${ink}${EDGE_ALPHA}`;
    ctx.fillRect(left, bbox.top, scale, bbox.height);
    const padding = PADDING_PX * scale;
    const label = labelFor(
      phase,
      right - left - 2 * padding,
      (text) => ctx.measureText(text).width,
    );
    ctx.fillStyle = ink;
    ctx.fillText(label, left + padding, bbox.top + 2 * scale);
  }
  ctx.restore();
}
