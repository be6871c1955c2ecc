// SPDX-License-Identifier: MIT
import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, it } from 'vitest';
import { decodeEvent, type ServerEvent } from '../proto/events';
import { decodeVerdict } from '../proto/insight';
import { createSession, onEvent } from '../session/session';
import { nothing } from './no_controls';
import { Hero } from './run_view';
import { parseView } from './view';

const status = {
  session_id: 'run-1',
  start_time: 1,
  last_update: 95,
  latest_metrics: { loss: 0.5, currentStep: 12500 },
  eta: { eta_seconds: 4800, earliest_possible: 3900, latest_possible: 6600, confidence: 'High' },
};
const verdict = decodeVerdict({
  phase: 'PLATEAU',
  reason: 'Learning velocity dropped to 0.6% improvement per epoch',
  velocity: 0.006,
  monitor: 'val_loss',
  best: { value: 0.25, step: 900, epoch: 9 },
  eta: { eta_seconds: 4800, earliest_possible: 3900, latest_possible: 6600, confidence: 'High' },
  p_gain: 0.12,
  gain_class: 'LOW',
  forecast: { at: 3000, value: 0.24, lo: 0.2, hi: 0.25 },
  stop: { recommend: true, why: 'a further gain has become unlikely', saving_seconds: 9600 },
  findings: [{ kind: 'plateau', severity: 'info', evidence: 'flat', sinceStep: 700 }],
});

function hero(word: string, of: typeof verdict, search = '', more = {}): string {
  const session = { ...status, status: word, ...more };
  const said = decodeEvent('session_status', session) as ServerEvent;
  return renderToStaticMarkup(
    <Hero
      state={onEvent(createSession('run-1'), said, 90)}
      story={{ verdict: of, phases: [] }}
      view={parseView(search)}
      controls={nothing}
      order={undefined}
      now={100}
      onStop={null}
    />,
  );
}

describe('ui/meaning', () => {
  it('says what the run means, as long as there is something to come', () => {
    const html = hero('running', verdict);
    expect(html).toMatch(/data-phase="PLATEAU"><span class="phase warn">.*Plateau<\/span>/);
    expect(html).toContain('Learning velocity dropped to 0.6% improvement per epoch');
    expect(html).toMatch(/1h 20m<span class="of"> 1h 5m – 1h 50m, High</);
    expect(html).toMatch(/Best val_loss<\/dt><dd>0\.2500<span class="of"> at epoch 9</);
    expect(html).toMatch(/Velocity<\/dt><dd>\+0\.6 %<span class="of"> an epoch</);
    expect(html).toMatch(/Further gain<\/dt><dd>12 %<span class="of"> low</);
    expect(html).toMatch(/data-alerts="2".*saves 2h 40m, and use the checkpoint of epoch 9/);
    const over = hero('completed', verdict);
    expect(over).not.toContain('1h 20m');
    expect(over).not.toContain('Further gain');
    expect(over).not.toContain('saves 2h 40m');
    expect(over).toContain('data-phase="PLATEAU"');
  });

  it('says of a sweep which model its time is of, and how long all take', () => {
    const sweep = {
      total_models: 3,
      current_model: 2,
      latest_metrics: { loss: 0.5, estimatedTimeRemaining: 9000 },
    };
    const html = hero('running', verdict, '', sweep);
    expect(html).toContain('Time left, model 2 of 3</dt><dd>1h 20m');
    expect(html).toMatch(/Time left, all models<.*2h 30m/);
    expect(hero('running', verdict)).not.toContain('all models');
  });

  it('puts an alert away, and not the others', () => {
    const html = hero('running', verdict, '?seen=plateau@700');
    expect(html).toContain('data-alerts="1"');
    expect(html).not.toContain('data-alert="plateau@700"');
    expect(html).toContain('1 put away, show');
  });

  it('keeps to plain facts while nothing is made of the run', () => {
    expect(hero('running', null)).toMatch(/data-phase="">Running, step 12 500</);
    expect(hero('running', null)).not.toContain('Velocity');
  });
});
