// SPDX-License-Identifier: MIT
//
// The frame: address → client → one render an animation frame. The page is a function of what the
// client knows; this file is the only one that knows both.
import { createRoot } from 'react-dom/client';
import { chosenRun } from './room/runs';
import { frameBudget } from './throttle/frame';
import { connect } from './transport/client';
import { Page } from './ui/page';
import './ui/tokens.css';
import './ui/frame.css';
import './ui/run.css';
import './ui/panels.css';

const root = createRoot(document.getElementById('root') as HTMLElement);
const base = new URL('.', document.baseURI);
let chosen: string | null = null;

function addressOf(run: string): string {
  return `?${new URLSearchParams({ run }).toString()}`;
}

/** Opens the run that the address asks for, or the newest, and keeps to it. */
function follow(): void {
  const asked = new URLSearchParams(location.search).get('run');
  const run = chosenRun(asked, client.runs);
  if (run === chosen) return;
  if (chosen !== null) client.leave(chosen);
  chosen = run;
  if (run !== null && run !== asked) history.replaceState(null, '', addressOf(run));
}

function choose(run: string): void {
  history.pushState(null, '', addressOf(run));
  request();
}

function render(): void {
  follow();
  root.render(
    <Page
      link={client.link}
      runs={client.runs}
      open={chosen === null ? null : client.session(chosen)}
      origin={base.href}
      addressOf={addressOf}
      onChoose={choose}
      now={Date.now() / 1000}
    />,
  );
}

const request = frameBudget((callback) => requestAnimationFrame(callback), render);
const client = connect(base, request);
addEventListener('popstate', request);
request();
