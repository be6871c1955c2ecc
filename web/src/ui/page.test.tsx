// SPDX-License-Identifier: MIT
import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, it } from 'vitest';
import { decodeEvent, type EventName, type ServerEvent } from '../proto/events';
import { decodeSessionList, type SessionList } from '../proto/session';
import { untold } from '../insight/story';
import { noRuns, onList } from '../room/runs';
import { Series } from '../session/series';
import { createSession, onEvent, onMissing } from '../session/session';
import { Frames } from '../throttle/frame';
import { nothing } from './no_controls';
import { Page, type PageProps } from './page';
import { parseView } from './view';

const status = {
  session_id: 'run-1',
  name: 'first <run>',
  project: 'p',
  status: 'running',
  start_time: 1,
  last_update: 95,
  total_models: 3,
  derived: ['perplexity'],
  summary: {
    loss: { count: 9, last: 0.12345, best: 0.1, bestStep: 12000, goal: 'min' },
    my_number: { count: 9, goal: 'min' },
  },
  latest_metrics: { loss: 0.12345, perplexity: 1.1314, currentStep: 12500, my_number: 1e-5 },
};
const answer = { success: true, data: { sessions: [status], total: 1 } };
const runs = onList(decodeSessionList(answer) as SessionList);

function event(name: EventName, data: object): ServerEvent {
  return decodeEvent(name, { sessionId: 'run-1', ...data }) as ServerEvent;
}

const known = onEvent(createSession('run-1'), event('session_status', status), 90);

function page(props: Partial<PageProps>): string {
  const all: PageProps = {
    link: 'websocket',
    runs,
    stats: null,
    open: [{ state: known, series: new Series(), order: undefined, rates: null, story: untold }],
    view: parseView('?run=run-1'),
    theme: 'light',
    paused: false,
    help: false,
    saving: 'idle',
    frozenAt: null,
    locked: null,
    frames: new Frames(),
    controls: nothing,
    origin: 'http://host:5001/',
    now: 100,
    ...props,
  };
  return renderToStaticMarkup(<Page {...all} />);
}

describe('ui/page', () => {
  it('shows the numbers of the open run', () => {
    const html = page({});
    for (const text of [
      'first &lt;run&gt;',
      '0.1235',
      '12 500',
      'my_number',
      '0.00001',
      'Running',
    ]) {
      expect(html).toContain(text);
    }
  });

  it('marks what the daemon worked out, and nothing else', () => {
    const html = page({});
    expect(html).toMatch(/data-metric="perplexity"><dt>Perplexity<abbr[^>]*>derived/);
    expect(html).toMatch(/data-metric="loss"><dt>Loss<\/dt>/);
  });

  it('links each run and marks the open one', () => {
    expect(page({})).toMatch(/<a href="\?run=run-1"[^>]*aria-current="true"/);
  });

  it.each([
    ['connecting', 'Connecting'],
    ['websocket', 'websocket'],
    ['polling', 'polling'],
    ['http', 'HTTP fallback'],
    ['offline', 'Offline'],
  ] as const)('says how it hears the daemon: %s', (link, words) => {
    expect(page({ link })).toContain(words);
  });

  it('says how old the newest point is', () => {
    expect(page({})).toContain('newest point 5 s ago');
    expect(page({ now: 90 })).toContain('newest point now');
  });

  it('tells why a run failed, in its title and in its events', () => {
    const failed = onEvent(known, event('training_error', { error: 'out of memory' }), 99);
    const html = page({
      open: [{ state: failed, series: new Series(), order: undefined, rates: null, story: untold }],
    });
    expect(html).toContain('Failed · out of memory');
    expect(html).toContain('Training failed: out of memory');
  });

  it('says that the daemon does not know a run', () => {
    const state = onMissing(createSession('nope'));
    expect(
      page({
        open: [{ state, series: new Series(), order: undefined, rates: null, story: untold }],
      }),
    ).toContain('knows no run');
    const gone = page({
      open: [
        {
          state: onMissing(known),
          series: new Series(),
          order: undefined,
          rates: null,
          story: untold,
        },
      ],
    });
    expect(gone).toContain('no longer has this run');
    expect(gone).toContain('0.1235');
  });

  it('shows how to begin when there is no run, and only then', () => {
    const empty = onList({ sessions: [], total: 0 });
    const html = page({ open: [], runs: empty });
    expect(html).toContain('http://host:5001/api/training/ingest');
    expect(html).toContain('streamd.init');
    expect(page({ open: [], runs: noRuns })).toContain('Asking the daemon');
    expect(page({ open: [], runs: noRuns, link: 'offline' })).toContain('No daemon answers');
  });

  it('says the best value and where it was', () => {
    expect(page({})).toMatch(/Best loss<\/dt><dd>0.1000<span class="of"> at step 12 000/);
  });

  it('has a chart a metric, the loss first', () => {
    const charts = [...page({}).matchAll(/data-chart="([^"]*)"/g)].map(([, name]) => name);
    expect(charts).toEqual(['loss', 'grokProgress', 'my_number']);
  });

  it('has the charts and no more inside another page', () => {
    const html = page({ view: parseView('?run=run-1&embed') });
    expect(html).toContain('data-chart="loss"');
    for (const chrome of ['aria-label="Runs"', 'toolbar"', 'data-stop', 'brand', 'Save<']) {
      expect(html).not.toContain(chrome);
    }
    expect(html).toContain('Pause');
  });

  it('moves nothing and tells nobody anything once it is saved', () => {
    const html = page({ frozenAt: 100 });
    expect(html).toContain('and still since');
    for (const gone of ['Pause', 'Save<', 'data-stop', 'newest point']) {
      expect(html).not.toContain(gone);
    }
    expect(page({})).toContain('data-stop="none"');
  });

  it('asks for a token, and shows nothing else, while the daemon wants one', () => {
    const html = page({ locked: { refused: false } });
    expect(html).toContain('This daemon asks for a token');
    expect(html).toContain('type="password"');
    expect(html).not.toContain('role="alert"');
    expect(html).not.toContain('data-chart');
    expect(page({ locked: { refused: true } })).toContain('The last one is not known');
  });

  it('announces the phase and not the numbers', () => {
    expect(page({})).toMatch(/data-announced="true">first &lt;run&gt;: Running<\/p>/);
    expect(page({})).not.toMatch(/class="(notices|connection)[^>]*(aria-live|role="status")/);
  });
});
