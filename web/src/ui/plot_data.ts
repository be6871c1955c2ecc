// SPDX-License-Identifier: MIT
//
// From a Line to what uPlot draws: there, undefined is passed over and null interrupts the line. A
// value that was not sent is passed over; one that was no finite number leaves a visible gap.
import type { Line } from '../session/series';

export type Cells = Float64Array | (number | null | undefined)[];

export interface PlotData {
  readonly axis: Line['axis'];
  readonly hasValLoss: boolean;
  readonly x: Float64Array;
  readonly loss: Cells;
  readonly valLoss: Cells;
  readonly breaks: Line['breaks'];
}

function cells(column: Float64Array): Cells {
  if (column.every(Number.isFinite)) return column;
  return Array.from(column, (value) => {
    if (Number.isNaN(value)) return undefined;
    return Number.isFinite(value) ? value : null;
  });
}

export function plotData(line: Line): PlotData {
  return {
    axis: line.axis,
    hasValLoss: line.valLoss.some((value) => !Number.isNaN(value)),
    x: line.x,
    loss: cells(line.loss),
    valLoss: cells(line.valLoss),
    breaks: line.breaks,
  };
}
