// SPDX-License-Identifier: MIT
//
// WebSocket as frames on a socket, for what no library lets a test send: RFC 6455 by hand.
import assert from 'node:assert/strict';
import type { Daemon } from './daemon.ts';
import { RawHttp, request, type RawResponse } from './raw_http.ts';

export const TEXT = 1;
export const BINARY = 2;
export const CLOSE = 8;
export const PING = 9;
export const PONG = 10;

export interface Frame {
  opcode: number;
  fin: boolean;
  rsv1: boolean;
  payload: Buffer;
}

export interface FrameOptions {
  fin?: boolean;
  /** The three reserved bits, 4 being the one that says deflated. */
  rsv?: number;
  /** What the header claims instead of the payload's own length. */
  length?: bigint;
}

const mask = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);

/** One masked client frame. */
export function frame(opcode: number, data: Buffer | string, options: FrameOptions = {}): Buffer {
  const payload = Buffer.from(data);
  const length = options.length ?? BigInt(payload.length);
  const first = ((options.fin ?? true) ? 0x80 : 0) | ((options.rsv ?? 0) << 4) | opcode;
  const head = Buffer.alloc(length < 126n ? 2 : length < 65536n ? 4 : 10);
  head[0] = first;
  head[1] = 0x80 | (length < 126n ? Number(length) : length < 65536n ? 126 : 127);
  if (head.length === 4) head.writeUInt16BE(Number(length), 2);
  if (head.length === 10) head.writeBigUInt64BE(length, 2);
  payload.forEach((byte, i) => (payload[i] = byte ^ (mask[i % 4] as number)));
  return Buffer.concat([head, mask, payload]);
}

/** A close frame's payload. */
export function closing(code: number, reason = ''): Buffer {
  const head = Buffer.alloc(2);
  head.writeUInt16BE(code);
  return Buffer.concat([head, Buffer.from(reason)]);
}

export function upgrade(path: string, ...headers: string[]): string {
  const usual = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'];
  return request('GET', path, ...usual, 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', ...headers);
}

export class RawWs {
  readonly http: RawHttp;
  readonly response: RawResponse;

  private constructor(http: RawHttp, response: RawResponse) {
    this.http = http;
    this.response = response;
  }

  static async open(daemon: Daemon, path = '/ws', ...headers: string[]): Promise<RawWs> {
    const http = await RawHttp.connect(daemon);
    http.write(upgrade(path, ...headers));
    const response = await http.response();
    assert.equal(response.status, 101);
    assert.equal(response.headers['sec-websocket-accept'], 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
    return new RawWs(http, response);
  }

  send(opcode: number, data: Buffer | string, options?: FrameOptions): void {
    this.http.write(frame(opcode, data, options));
  }

  /** The next frame of the daemon, which never masks. */
  async frame(): Promise<Frame> {
    const head = await this.http.bytes(2);
    const first = head[0] as number;
    const second = head[1] as number;
    assert(second < 128, 'a masked frame from the daemon');
    let length = second;
    if (second === 126) length = (await this.http.bytes(2)).readUInt16BE();
    if (second === 127) length = Number((await this.http.bytes(8)).readBigUInt64BE());
    const payload = Buffer.from(await this.http.bytes(length));
    return { opcode: first & 15, fin: first >= 128, rsv1: (first & 64) !== 0, payload };
  }

  /** Reads on to the next frame of this kind. */
  async until(opcode: number): Promise<Frame> {
    for (;;) {
      const next = await this.frame();
      if (next.opcode === opcode) return next;
    }
  }

  /**
   * Reads on to the close frame and answers it as one should; gives its code, or null when there is
   * none before the end.
   */
  async closeCode(): Promise<number | null> {
    try {
      const { payload } = await this.until(CLOSE);
      this.send(CLOSE, payload);
      return payload.readUInt16BE();
    } catch (error) {
      if (/connection ended/.test(String(error))) return null;
      throw error;
    }
  }
}
