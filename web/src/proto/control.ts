// SPDX-License-Identifier: MIT
//
// An order to a run, as the daemon tells of it (docs/protocol.md P-75), wherever it was asked for.
import { asArray, asNumber, asObject, asString, asTime } from './json';

export interface WireOrder {
  readonly id: number;
  readonly command: string;
  /** told, accepted, done, refused, unanswered. */
  readonly state: string;
  readonly reason: string;
  /** What its trainer said, or why it is as it is. */
  readonly answer: string;
  /** Epoch seconds. */
  readonly askedAt: number | null;
  /** Which knob is to be set, and to what; empty for other commands. */
  readonly knob: string;
}

function knobOf(knob: unknown, value: unknown): string {
  const name = asString(knob);
  return name === null ? '' : `${name} = ${String(value)}`;
}

/** Reads one order; null when it has no id, command or state. */
export function decodeOrder(value: unknown): WireOrder | null {
  const order = asObject(value);
  const [id, command] = [asNumber(order?.id), asString(order?.command)];
  const state = asString(order?.state);
  if (!order || id === null || command === null || state === null) return null;
  return {
    id,
    command,
    state,
    reason: asString(order.reason) ?? '',
    answer: asString(order.answer) ?? '',
    askedAt: asTime(order.askedAt),
    knob: knobOf(order.knob, order.value),
  };
}

/** The newest stop among the orders that wait; null: there is none. */
export function decodeStop(value: unknown): WireOrder | null {
  const orders = asArray(value).flatMap((order) => decodeOrder(order) ?? []);
  return orders.findLast(({ command }) => command === 'stop') ?? null;
}
