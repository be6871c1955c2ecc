// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import table from '../../../insight/phase.h?raw';
import { phaseLabel, PHASES } from './phases';

describe('insight/phases', () => {
  it("has the daemon's phases and signs, all of them and no other", () => {
    const rows = [...table.matchAll(/X\(PHASE_[A-Z_]+, "([A-Z_]+)", "([^"]+)"/g)];
    expect(rows.map(([, name]) => name)).toEqual(PHASES);
    expect(rows.map(([, , emoji]) => emoji)).toEqual(PHASES.map((name) => phaseLabel(name).emoji));
  });

  it('writes them as people do, also those it does not know', () => {
    expect(phaseLabel('OVERFITTING_RISK')).toMatchObject({ text: 'Overfitting risk', tone: 'bad' });
    expect(phaseLabel('SLEEPING')).toEqual({ text: 'Sleeping', emoji: '', tone: 'plain' });
  });
});
