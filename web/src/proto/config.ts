// SPDX-License-Identifier: MIT
//
// The configuration of a run: whatever JSON its trainer sent, as flat names and texts, for that is
// how it is searched, grouped and compared.
import { asObject } from './json';

/** Names of nested objects are joined by dots; in the order in which they were sent. */
export type Config = ReadonlyMap<string, string>;

/** More than this of one run is not for a page to show. */
const MOST_KEYS = 500;
const DEEPEST = 8;

function add(into: Map<string, string>, name: string, value: unknown, depth: number): void {
  if (into.size >= MOST_KEYS) return;
  const object = depth < DEEPEST ? asObject(value) : null;
  if (object && Object.keys(object).length > 0) {
    for (const [key, inner] of Object.entries(object))
      add(into, `${name}.${key}`, inner, depth + 1);
  } else {
    into.set(name, typeof value === 'string' ? value : JSON.stringify(value));
  }
}

/** Reads `config` of a run; empty when there is none. */
export function decodeConfig(value: unknown): Config {
  const config = new Map<string, string>();
  for (const [key, inner] of Object.entries(asObject(value) ?? {})) add(config, key, inner, 0);
  return config;
}
