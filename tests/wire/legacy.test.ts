// SPDX-License-Identifier: MIT
//
// The buttons of an older dashboard, on a page of another origin, with a real trainer behind them:
// start, poll, pause, resume, stop. What the routes answer to everything else is the unit tests'.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Daemon, trainer } from './daemon.ts';
import { eventually } from './waiting.ts';

const origin = 'http://localhost:3000';
const command = `exec ${trainer} --quiet --models 1 --steps 100000 \
  --socket "$STREAMD_SOCKET" --session "$STREAMD_SESSION_ID"`;

/** One of the dashboard's requests; its JSON, which the page could read. */
async function ask(daemon: Daemon, path: string, body?: object): Promise<any> {
  const post = { method: 'POST', body: JSON.stringify(body) };
  const headers = { origin, ...(body && { 'content-type': 'application/json' }) };
  const answer = await daemon.fetch(path, { ...(body && post), headers });
  assert.equal(answer.headers.get('access-control-allow-origin'), origin);
  assert.match(answer.headers.get('content-type') ?? '', /^application\/json/);
  return { http: answer.status, ...(await answer.json()) };
}

test('a phase is started, paused, resumed and stopped from its page', async (t) => {
  const daemon = await Daemon.start(t, '--trainer-command', command);
  const press = (action: string, more: object) =>
    ask(daemon, '/api/phases/cognate', { action, ...more });
  const begun = await press('start', { config: { model_count: 1 } });
  assert.deepEqual([begun.http, begun.success], [200, true]);
  const { sessionId } = begun;
  const poll = () => ask(daemon, `/api/phases/cognate?sessionId=${sessionId}`);
  const shows = (status: string) =>
    eventually(`the page to show ${status}`, async () => (await poll()).status === status);
  const step = async () => (await poll()).metrics.currentStep as number;
  const moves = async () => {
    const from = await step();
    await eventually('the training to move', async () => (await step()) > from);
  };

  await moves();
  assert.equal((await press('pause', { sessionId })).success, true);
  await shows('paused');
  assert.equal((await press('resume', { sessionId })).success, true);
  await shows('running');
  await moves();
  assert.equal((await press('stop', { sessionId })).success, true);
  await eventually('the training to have ended', async () => (await poll()).status !== 'running');
  const ended = await poll();
  assert.equal(ended.status, 'completed');
  assert(ended.metrics.currentStep > 0 && ended.metrics.loss < 10);
  await daemon.logged(/trainer_command: ended session=\S+ pid=\d+ wait_status=0/);
});

test('a model page starts its models, watches and stops them', async (t) => {
  const daemon = await Daemon.start(t, '--trainer-command', command);
  const wishes = { num_models: 1, model_size: '25M', architecture: 'titans' };
  const begun = await ask(daemon, '/api/cognate/start', {
    ...wishes,
    grokfast_enabled: true,
    target_speedup: 50,
  });
  assert.deepEqual([begun.http, begun.success], [200, true]);
  const status = () => ask(daemon, `/api/cognate/status/${begun.sessionId}`);
  const trained = async () => (await status()).metrics?.currentStep > 0;
  await eventually('the models to train', trained);
  const shown = await ask(daemon, `/api/progress/${begun.sessionId}`);
  assert.equal(shown.http, 200);
  assert.equal((await ask(daemon, `/api/cognate/stop/${begun.sessionId}`, {})).success, true);
  await eventually('the models to stop', async () => (await status()).status !== 'running');
});
