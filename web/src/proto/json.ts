// SPDX-License-Identifier: MIT
//
// The narrowing steps every decoder is made of: from `unknown`, which is what a wire delivers, to
// a type. Each gives null for anything else, so a decoder reads as a list of fields and a stranger's
// bytes never become a half-typed object.

export type Json = Readonly<Record<string, unknown>>;

export function asObject(value: unknown): Json | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Json)
    : null;
}

export function asArray(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function asString(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

/** A finite number; JSON has no other kind. */
export function asNumber(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

/** Epoch seconds, however the wire spells a time: a number of seconds or an ISO 8601 text. */
export function asTime(value: unknown): number | null {
  if (typeof value !== 'string') return asNumber(value);
  const ms = Date.parse(value);
  return Number.isNaN(ms) ? null : ms / 1000;
}
