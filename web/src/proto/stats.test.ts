// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { decodeStats } from './stats';

const dropped_stats = {
  lines_rejected: 2,
  lines_truncated: 1,
  values_ignored: 4,
  records_shed: 5,
  messages_superseded: 9,
};

describe('proto/stats', () => {
  it('reads what was dropped and how fast updates come', () => {
    const performance_stats = { throttling_enabled: true, max_update_rate: 10 };
    expect(decodeStats({ success: true, data: { performance_stats, dropped_stats } })).toEqual({
      maxRate: 10,
      linesRefused: 3,
      valuesIgnored: 4,
      recordsNotKept: 5,
    });
    const off = { throttling_enabled: false, max_update_rate: 10 };
    const answer = { success: true, data: { performance_stats: off, dropped_stats } };
    expect(decodeStats(answer)?.maxRate).toBeNull();
  });

  it('is nothing from a daemon that does not count', () => {
    expect(decodeStats({ success: true, data: {} })).toBeNull();
    expect(decodeStats('<h1>')).toBeNull();
  });
});
