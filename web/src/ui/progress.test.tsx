// SPDX-License-Identifier: MIT
import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, it } from 'vitest';
import { decodeSession, type SessionStatus } from '../proto/session';
import { Progress, segments } from './progress';

function run(fields: object): SessionStatus {
  return decodeSession({ session_id: 'a', status: 'running', ...fields }) as SessionStatus;
}

describe('ui/progress', () => {
  it('has one segment a model: done, half-way, not begun', () => {
    const latest_metrics = { currentStep: 50, totalSteps: 100 };
    const counts = { total_models: 3, models_completed: 1, current_model: 2 };
    expect(segments(run({ ...counts, latest_metrics }))).toEqual([100, 50, 0]);
  });

  it('has empty segments while steps are unknown, and full ones past the end', () => {
    expect(segments(run({ total_models: 2 }))).toEqual([0, 0]);
    const latest_metrics = { currentStep: 150, totalSteps: 100 };
    expect(segments(run({ latest_metrics }))).toEqual([100]);
  });

  it('draws what is between nothing and everything', () => {
    for (const [sent, drawn] of [
      [-5, 0],
      [250, 100],
      [NaN, 0],
    ] as const) {
      const nonFinite = Number.isNaN(sent) ? { overallProgress: 'NaN' } : {};
      const overallProgress = Number.isNaN(sent) ? null : sent;
      const html = renderToStaticMarkup(
        <Progress run={run({ latest_metrics: { overallProgress, nonFinite } })} />,
      );
      expect(html).toContain(`aria-valuenow="${drawn}"`);
    }
  });

  it('leaves the segments out for one model and for very many', () => {
    for (const [total_models, has] of [
      [1, false],
      [3, true],
      [1e6, false],
    ] as const) {
      const html = renderToStaticMarkup(<Progress run={run({ total_models })} />);
      expect(html.includes('Model 1')).toBe(has);
    }
  });
});
