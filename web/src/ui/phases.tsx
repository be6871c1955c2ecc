// SPDX-License-Identifier: MIT
//
// The phases that a run went through, newest first: what the bands of the charts show, in words.
import type { PhaseMark } from '../proto/insight';
import { placeText } from '../insight/verdict_words';
import { PhaseChip } from './phase_chip';

export function Phases({ phases }: { readonly phases: readonly PhaseMark[] }) {
  if (phases.length === 0) return null;
  return (
    <section className="panel">
      <h3>Phases</h3>
      <ol className="notices phases">
        {phases.toReversed().map((mark) => (
          <li key={`${mark.offset} ${mark.phase}`}>
            <PhaseChip phase={mark.phase} />
            <span className="muted">from {placeText(mark) || 'the beginning'}</span>
          </li>
        ))}
      </ol>
    </section>
  );
}
