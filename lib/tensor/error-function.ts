/**
 * The error function, 2/√π times the integral of e to the power −t² from 0 to x, to the last digits of a double: by the
 * series whose terms all have one sign (Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.6).
 */
export function errorFunction(x: number): number {
  // Here what is missing to 1 is less than a double can tell.
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > Math.abs(sum) * Number.EPSILON; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}
