// SPDX-License-Identifier: MIT
//
// A phase as a small labelled chip: its sign, its name, and its tone as the third of three.
import { phaseLabel } from '../insight/phases';

interface ChipProps {
  readonly phase: string;
  /** Where there is little room: without its sign. */
  readonly brief?: boolean;
}

export function PhaseChip({ phase, brief = false }: ChipProps) {
  const { text, emoji, tone } = phaseLabel(phase);
  return (
    <span className={`phase ${tone}`}>
      {!brief && <span aria-hidden="true">{emoji} </span>}
      {text}
    </span>
  );
}
