// SPDX-License-Identifier: MIT
//
// How the charts are drawn: what is along the bottom, smoothing, log and zoom.
import type { PhaseMark } from '../proto/insight';
import { phaseLabel } from '../insight/phases';
import type { Axis } from '../session/axis';
import { AXIS_NAMES } from './axis_text';
import { initials } from './chart_bands';
import type { Controls } from './controls';
import { MOST_SMOOTHING, type View } from './view';

interface ToolbarProps {
  readonly view: View;
  /** Those that there are. */
  readonly axes: readonly Axis[];
  /** Of the one run that is drawn; none of several. */
  readonly phases: readonly PhaseMark[];
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

/** Shows the phases behind the curves or not, and says what their initials stand for. */
function Phases({ phases, view, controls }: Omit<ToolbarProps, 'axes'>) {
  const seen = [...new Set(phases.map(({ phase }) => phase))];
  return (
    <span className="choice-of-phases">
      <label>
        <input
          type="checkbox"
          checked={view.bands}
          onChange={(event) => {
            controls.change({ bands: event.target.checked });
          }}
        />
        Phases
      </label>
      {view.bands && (
        <ul className="legend" aria-label="Phases in the charts">
          {seen.map((phase) => (
            <li key={phase} className={phaseLabel(phase).tone}>
              <b>{initials(phase)}</b> {phaseLabel(phase).text}
            </li>
          ))}
        </ul>
      )}
    </span>
  );
}

export function Toolbar({ view, axes, phases, controls }: ToolbarProps) {
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
      {phases.length > 0 && <Phases phases={phases} view={view} controls={controls} />}
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
