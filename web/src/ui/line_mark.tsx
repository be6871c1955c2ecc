// SPDX-License-Identifier: MIT
//
// A short piece of a line, as keys and tooltips have it: its colour, its dashes and its number.
import type { ChartLine } from './chart_lines';

const WIDTH = 22;
const HEIGHT = 8;

type Look = Pick<ChartLine, 'colour' | 'dash'>;

export function LineMark({ colour, dash }: Look) {
  return (
    <svg className="line-mark" width={WIDTH} height={HEIGHT} aria-hidden="true">
      <line
        x1={0}
        x2={WIDTH}
        y1={HEIGHT / 2}
        y2={HEIGHT / 2}
        stroke={colour}
        strokeWidth={2}
        strokeDasharray={dash.join(' ')}
      />
    </svg>
  );
}

/** The same, made by hand. */
export function lineMark({ colour, dash }: Look): SVGElement {
  const make = (name: string) => document.createElementNS('http://www.w3.org/2000/svg', name);
  const mark = make('svg');
  const line = make('line');
  const ends = { x1: 0, x2: WIDTH, y1: HEIGHT / 2, y2: HEIGHT / 2, 'stroke-width': 2 };
  const look = { ...ends, stroke: colour, 'stroke-dasharray': dash.join(' ') };
  for (const [name, value] of Object.entries(look)) line.setAttribute(name, String(value));
  mark.setAttribute('class', 'line-mark');
  mark.setAttribute('width', String(WIDTH));
  mark.setAttribute('height', String(HEIGHT));
  mark.append(line);
  return mark;
}
