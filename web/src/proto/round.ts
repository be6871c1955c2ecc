// SPDX-License-Identifier: MIT
//
// The wire's rounding: Python's round(), that is, on the exact value of the double, with a true tie
// going to the even digit. History keeps full precision and live frames are rounded, so a page that
// shows both must round the same way or its numbers flicker.
//
// JavaScript rounds on the exact value too; only a true tie it sends away from zero. So twenty more
// digits are asked for: after a tie they are a five and noughts, and if the digit before is even,
// cutting them off is the answer.

const TIE = '5' + '0'.repeat(19);

/** The text of a finite `value` with `digits` decimals. */
export function roundText(value: number, digits: number): string {
  const exact = value.toFixed(digits + TIE.length);
  const kept = exact.slice(0, -TIE.length);
  if (exact.endsWith(TIE) && /[02468]\.?$/.test(kept)) return kept.replace(/\.$/, '');
  return value.toFixed(digits);
}

/** A finite `value` as the wire rounds a trainer's own float: to six significant digits. */
export function significantText(value: number): string {
  const [mantissa = '', exponent = ''] = value.toExponential(5 + TIE.length).split('e');
  const kept = mantissa.slice(0, -TIE.length);
  const toEven = mantissa.endsWith(TIE) && /[02468]$/.test(kept);
  return String(Number(toEven ? `${kept}e${exponent}` : value.toExponential(5)));
}
