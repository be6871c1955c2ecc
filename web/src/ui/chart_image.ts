// SPDX-License-Identifier: MIT
//
// A chart as a picture: its canvas, below a line that says what it shows and which line is which.
import type { ChartLine } from './chart_lines';

export interface ImageInk {
  readonly paper: string;
  readonly text: string;
}

const HEAD_PX = 34;
const MARK_PX = 22;
const GAP_PX = 8;
const FONT = 'system-ui, sans-serif';

function drawKey(pen: CanvasRenderingContext2D, line: ChartLine, x: number, middle: number): void {
  pen.strokeStyle = line.colour;
  pen.lineWidth = 2;
  pen.setLineDash(line.dash);
  pen.beginPath();
  pen.moveTo(x, middle);
  pen.lineTo(x + MARK_PX, middle);
  pen.stroke();
}

/** One line of text and marks; what does not fit is left out. */
function drawHead(
  pen: CanvasRenderingContext2D,
  title: string,
  lines: readonly ChartLine[],
  text: string,
): void {
  const middle = HEAD_PX / 2;
  pen.textBaseline = 'middle';
  pen.fillStyle = text;
  pen.font = `600 14px ${FONT}`;
  pen.fillText(title, GAP_PX, middle);
  let x = GAP_PX * 3 + pen.measureText(title).width;
  pen.font = `12px ${FONT}`;
  for (const line of lines) {
    drawKey(pen, line, x, middle);
    pen.fillText(line.label, x + MARK_PX + GAP_PX, middle);
    x += MARK_PX + GAP_PX * 3 + pen.measureText(line.label).width;
  }
}

/** A PNG of what `chart` shows, as sharp as the screen; null when the browser makes none. */
export function chartImage(
  chart: HTMLCanvasElement,
  title: string,
  lines: readonly ChartLine[],
  ink: ImageInk,
): Promise<Blob | null> {
  const scale = devicePixelRatio;
  const canvas = document.createElement('canvas');
  canvas.width = chart.width;
  canvas.height = chart.height + Math.ceil(HEAD_PX * scale);
  const pen = canvas.getContext('2d');
  if (!pen) return Promise.resolve(null);
  pen.fillStyle = ink.paper;
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(chart, 0, canvas.height - chart.height);
  pen.scale(scale, scale);
  drawHead(pen, title, lines, ink.text);
  return new Promise((done) => {
    canvas.toBlob(done, 'image/png');
  });
}
