// SPDX-License-Identifier: MIT
//
// Says what a first visit loads, gzipped as the daemon sends it, and fails the build above the limit:
// every file of the build is part of the first load, for nothing is loaded later.
import { readdirSync, readFileSync } from 'node:fs';
import { exit, stdout } from 'node:process';
import { URL } from 'node:url';
import { gzipSync } from 'node:zlib';

const LIMIT_KB = 150;
const dist = new URL('./dist/', import.meta.url);
const names = readdirSync(dist, { recursive: true }).filter((name) => /\.\w+$/.test(name));
const bytes = names.reduce(
  (sum, name) => sum + gzipSync(readFileSync(new URL(name, dist))).length,
  0,
);
const kilobytes = bytes / 1000;

stdout.write(`initial load: ${kilobytes.toFixed(1)} kB gzip of ${LIMIT_KB}\n`);
if (kilobytes > LIMIT_KB) exit(1);
