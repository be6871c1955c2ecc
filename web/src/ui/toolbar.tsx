// SPDX-License-Identifier: MIT
//
// How the charts are drawn: what is along the bottom, smoothing, log and zoom.
import type { Axis } from '../session/axis';
import { AXIS_NAMES } from './axis_text';
import type { Controls } from './controls';
import { MOST_SMOOTHING, type View } from './view';

interface ToolbarProps {
  readonly view: View;
  /** Those that there are. */
  readonly axes: readonly Axis[];
  readonly controls: Controls;
}

/** The slider goes by how long a value is remembered, for that is what one sees. */
const SLIDES = 30;

export function slideOf(weight: number): number {
  return Math.round(Math.log10(1 / (1 - weight)) * 10);
}

export function weightOf(slide: number): number {
  return Math.min(MOST_SMOOTHING, Number((1 - Math.pow(10, -slide / 10)).toFixed(4)));
}

export function Toolbar({ view, axes, controls }: ToolbarProps) {
  const { change } = controls;
  return (
    <div className="toolbar small" role="toolbar" aria-label="Charts">
      <span className="choice" role="group" aria-label="Along the bottom">
        {axes.map((axis) => (
          <button
            key={axis}
            aria-pressed={view.axis === axis}
            onClick={() => {
              change({ axis, zoom: view.axis === axis ? view.zoom : null });
            }}
          >
            {AXIS_NAMES[axis]}
          </button>
        ))}
      </span>
      <label>
        Smoothing
        <input
          type="range"
          min={0}
          max={SLIDES}
          value={slideOf(view.smoothing)}
          aria-valuetext={String(view.smoothing)}
          onChange={(event) => {
            change({ smoothing: weightOf(Number(event.target.value)) });
          }}
        />
        <output>{view.smoothing === 0 ? 'none' : view.smoothing}</output>
      </label>
      <label>
        <input
          type="checkbox"
          checked={view.log}
          onChange={(event) => {
            change({ log: event.target.checked });
          }}
        />
        Log
      </label>
      {view.zoom && (
        <button
          onClick={() => {
            change({ zoom: null });
          }}
        >
          Show everything
        </button>
      )}
    </div>
  );
}
