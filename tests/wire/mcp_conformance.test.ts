// SPDX-License-Identifier: MIT
//
// The official suites of the Model Context Protocol, both revisions and the release before them,
// against the daemon as it is shipped and against the build with what they presuppose. What may
// fail stands in mcp/expected_*.yml: more is a regression, less a stale file.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { temporaryFolder } from './child.ts';
import { Daemon, onlyPlain } from './daemon.ts';

const here = import.meta.dirname;
const modules = join(here, 'node_modules');
const suites = [
  ['@modelcontextprotocol/conformance', '--requirements', '2026-07-28'],
  ['@modelcontextprotocol/conformance', '--requirements', '2025-11-25'],
  ['conformance-0-1', '--suite', 'all'],
] as const;

const builds = [
  ['shipped', Daemon.start],
  ['conformance', Daemon.startConformance],
] as const;

// They wait more than they compute.
test('the official suites', { concurrency: 2 * cpus().length, skip: onlyPlain }, async (t) => {
  const runs = builds.flatMap(([build, start]) =>
    suites.map(([program, flag, value]) =>
      t.test(`${program} ${value} on the ${build} build`, async (t) => {
        const daemon = await start.call(Daemon, t);
        const run = promisify(execFile)(
          process.execPath,
          [
            join(modules, program, 'dist/index.js'),
            ...['server', '--url', `${daemon.url}/mcp`, flag, value],
            ...['--expected-failures', join(here, `mcp/expected_${build}.yml`)],
          ],
          { cwd: temporaryFolder(t), maxBuffer: 1 << 26 },
        );
        const said = await run.catch((error: { stdout: string; stderr: string }) => error);
        const verdict = said.stdout.slice(said.stdout.indexOf('SUMMARY'));
        assert(!(said instanceof Error), verdict + said.stderr);
        assert.match(verdict, /[1-9]\d* passed/);
      }),
    ),
  );
  await Promise.all(runs);
});
