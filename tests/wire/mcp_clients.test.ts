// SPDX-License-Identifier: MIT
//
// The clients that agents are made of, unmodified: the SDK of the legacy revisions, the one of the
// modern, over HTTP and over stdin and stdout; and the inspector, which reads schemas strictly.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import {
  Client as ModernClient,
  StreamableHTTPClientTransport,
} from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as LegacyStdio } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport as LegacyHttp } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  ResourceUpdatedNotificationSchema,
  ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { temporaryFolder } from './child.ts';
import { Daemon, onlyPlain, trainer } from './daemon.ts';
import { Inbox } from './waiting.ts';

const program = join(dirname(trainer), 'streamd');
const info = { name: 'wire', version: '1' };

function stdio(daemon: Daemon) {
  return { command: program, args: ['mcp-stdio', '--socket', daemon.socketPath] };
}

/** What both kinds of client can do alike. */
interface AnyClient {
  callTool(params: { name: string; arguments?: Record<string, unknown> }): Promise<any>;
  listTools(): Promise<{ tools: { name: string }[] }>;
  readResource(params: { uri: string }): Promise<any>;
  listResourceTemplates(): Promise<any>;
  getPrompt(params: { name: string; arguments?: Record<string, string> }): Promise<any>;
  complete(params: any): Promise<any>;
}

async function supervise(client: AnyClient): Promise<void> {
  const { tools } = await client.listTools();
  assert(tools.some((tool) => tool.name === 'test_simple_text'));
  const said = await client.callTool({ name: 'test_simple_text', arguments: {} });
  assert.match(said.content[0].text, /simple text/);
  const wrong = await client.callTool({ name: 'json_schema_2020_12_tool', arguments: { x: 1 } });
  assert.equal(wrong.isError, true);
  assert.equal(wrong.content[0].text, 'arguments.x is not known here');
  await assert.rejects(client.callTool({ name: 'nobody' }), /Unknown tool: nobody/);
  const read = await client.readResource({ uri: 'test://template/a%20b/data' });
  assert.equal(JSON.parse(read.contents[0].text).id, 'a b');
  await assert.rejects(client.readResource({ uri: 'test://nothing' }), /not found/);
  assert.equal((await client.listResourceTemplates()).resourceTemplates.length > 0, true);
  const args = { arg1: 'one', arg2: 'two' };
  const prompt = await client.getPrompt({ name: 'test_prompt_with_arguments', arguments: args });
  assert.match(prompt.messages[0].content.text, /arg1='one', arg2='two'/);
  const ref = { type: 'ref/prompt', name: 'test_prompt_with_arguments' };
  const completed = await client.complete({ ref, argument: { name: 'arg1', value: 'par' } });
  assert.deepEqual(completed.completion.values, ['par']);
}

/** The one takes a schema of the result before the options, the other does not. */
function callWith(client: ModernClient | LegacyClient, name: string, options: CallOptions) {
  return client instanceof LegacyClient
    ? client.callTool({ name }, undefined, options)
    : client.callTool({ name }, options);
}

interface CallOptions {
  onprogress?: (said: { progress: number }) => void;
  signal?: AbortSignal;
}

async function progress(client: ModernClient | LegacyClient): Promise<void> {
  const steps: number[] = [];
  const onprogress = (said: { progress: number }) => steps.push(said.progress);
  await callWith(client, 'test_tool_with_progress', { onprogress });
  assert.deepEqual(steps, [0, 50, 100]);
}

async function legacy(t: TestContext, transport: LegacyHttp | LegacyStdio): Promise<LegacyClient> {
  const client = new LegacyClient(info);
  t.after(() => client.close());
  await client.connect(transport as Parameters<LegacyClient['connect']>[0]);
  return client;
}

async function modern(
  t: TestContext,
  transport: StreamableHTTPClientTransport | StdioClientTransport,
): Promise<ModernClient> {
  const client = new ModernClient(info, { versionNegotiation: { mode: 'auto' } });
  t.after(() => client.close());
  await client.connect(transport);
  assert.equal(client.getNegotiatedProtocolVersion(), '2026-07-28');
  return client;
}

async function hearsLegacy(client: LegacyClient): Promise<void> {
  const heard = new Inbox<string>('a change of the tools');
  client.setNotificationHandler(ToolListChangedNotificationSchema, ({ method }) =>
    heard.put(method),
  );
  client.setNotificationHandler(ResourceUpdatedNotificationSchema, () => undefined);
  await client.subscribeResource({ uri: 'test://watched-resource' });
  await client.unsubscribeResource({ uri: 'test://watched-resource' });
  await client.callTool({ name: 'test_trigger_tool_change', arguments: {} });
  assert.equal(await heard.next(), 'notifications/tools/list_changed');
}

async function hearsModern(client: ModernClient): Promise<void> {
  const heard = new Inbox<string>('a change of the tools');
  client.setNotificationHandler('notifications/tools/list_changed', ({ method }) => {
    heard.put(method);
  });
  const subscription = await client.listen({ toolsListChanged: true });
  assert.deepEqual(subscription.honoredFilter, { toolsListChanged: true });
  await client.callTool({ name: 'test_trigger_tool_change', arguments: {} });
  assert.equal(await heard.next(), 'notifications/tools/list_changed');
  await subscription.close();
}

test('the legacy SDK over HTTP', async (t) => {
  const daemon = await Daemon.startConformance(t);
  const transport = new LegacyHttp(new URL(`${daemon.url}/mcp`));
  const client = await legacy(t, transport);
  await supervise(client);
  await progress(client);
  await daemon.until('transfers', 1); // its GET stream stands
  await hearsLegacy(client);
  await transport.terminateSession();
  await daemon.until('mcp_sessions', 0);
});

test('the legacy SDK over stdin and stdout', async (t) => {
  const daemon = await Daemon.startConformance(t);
  const client = await legacy(t, new LegacyStdio(stdio(daemon)));
  await supervise(client);
  await progress(client);
  await hearsLegacy(client);
  await client.close();
  await daemon.until('mcp_pipes', 0);
});

test('the modern SDK over HTTP', async (t) => {
  const daemon = await Daemon.startConformance(t);
  const client = await modern(t, new StreamableHTTPClientTransport(new URL(`${daemon.url}/mcp`)));
  await supervise(client);
  await progress(client);
  await hearsModern(client);
  await daemon.until('mcp_calls', 0);
});

test('the modern SDK over stdin and stdout', async (t) => {
  const daemon = await Daemon.startConformance(t);
  const client = await modern(t, new StdioClientTransport(stdio(daemon)));
  await supervise(client);
  await progress(client);
  await hearsModern(client);
  await daemon.until('mcp_calls', 0);
  await client.close();
  await daemon.until('mcp_pipes', 0);
});

test('a call the agent gives up ends in the daemon', async (t) => {
  const daemon = await Daemon.startConformance(t);
  const url = new URL(`${daemon.url}/mcp`);
  for (const client of [
    await modern(t, new StreamableHTTPClientTransport(url)),
    await modern(t, new StdioClientTransport(stdio(daemon))),
    await legacy(t, new LegacyStdio(stdio(daemon))),
  ]) {
    const given = new AbortController();
    const call = callWith(client, 'takes_forever', { signal: given.signal });
    await daemon.until('mcp_calls', 1);
    given.abort();
    await assert.rejects(call);
    await daemon.until('mcp_calls', 0);
  }
});

// ---- the inspector ----

async function inspect(t: TestContext, ...args: string[]): Promise<string> {
  const inspector = join(import.meta.dirname, 'node_modules/.bin/mcp-inspector');
  const run = promisify(execFile)(process.execPath, [inspector, '--cli', ...args], {
    env: { ...process.env, HOME: temporaryFolder(t) },
    maxBuffer: 1 << 26,
  });
  const said = await run.catch((error: { stdout: string; stderr: string }) => error);
  assert(!(said instanceof Error), said.stdout + said.stderr);
  return said.stdout;
}

test('the inspector finds no error in the schemas', { concurrency: 4, skip: onlyPlain }, async (t) => {
  const daemon = await Daemon.start(t);
  const { command, args } = stdio(daemon);
  const targets = { http: [`${daemon.url}/mcp`], stdio: [command, ...args] };
  const runs = (['modern', 'legacy'] as const).flatMap((era) =>
    (['http', 'stdio'] as const).map((road) =>
      t.test(`${era}, ${road}`, async (t) => {
        const flags = ['--transport', road, '--protocol-era', era, '--method', 'tools/list'];
        assert.match(await inspect(t, ...flags, '--strict', ...targets[road]), /"tools"/);
      }),
    ),
  );
  await Promise.all(runs);
});

test('the inspector calls many times and gets an answer each time', { skip: onlyPlain }, async (t) => {
  const daemon = await Daemon.startConformance(t);
  const call = ['--method', 'tools/call', '--tool-name', 'test_simple_text'];
  const load = ['--load', '--load-requests', '500', '--format', 'json'];
  const said = await inspect(t, `${daemon.url}/mcp`, '--transport', 'http', ...call, ...load);
  const figures = JSON.parse(said);
  t.diagnostic(JSON.stringify(figures));
  assert.deepEqual([figures.result.ok, figures.result.errors], [500, 0], said);
});
