// SPDX-License-Identifier: MIT
//
// The page of a daemon that has heard nothing yet: how to push a first metric.
import type { Link } from '../room/link';

interface EmptyProps {
  readonly loaded: boolean;
  readonly link: Link;
  readonly origin: string;
}

function shell(origin: string): string {
  return [
    `curl ${origin}api/training/ingest -H 'Content-Type: application/x-ndjson' -d \\`,
    `'{"type":"start","sessionId":"first-run","name":"first run"}`,
    `{"type":"progress","metrics":{"loss":2.5,"step":1,"total_steps":10}}'`,
  ].join('\n');
}

const PYTHON = [
  'import streamd',
  'run = streamd.init(project="hello", name="first run")',
  'run.log({"loss": 2.5}, step=1)',
].join('\n');

export function Empty({ loaded, link, origin }: EmptyProps) {
  if (!loaded) {
    const text =
      link === 'offline'
        ? `No daemon answers at ${origin}. This page keeps trying.`
        : 'Asking the daemon for its runs …';
    return <p className="muted">{text}</p>;
  }
  return (
    <section className="empty">
      <h2>No runs yet</h2>
      <p>Push a first metric, and the run appears here by itself. From a shell:</p>
      <pre>
        <code>{shell(origin)}</code>
      </pre>
      <p>From Python:</p>
      <pre>
        <code>{PYTHON}</code>
      </pre>
    </section>
  );
}
