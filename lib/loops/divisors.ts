/** The largest of a number's divisors that is no more than told; 1 if told less. */
export function largestDivisor(of: number, atMost: number): number {
  let divisor = Math.max(1, Math.min(of, Math.floor(atMost)));
  while (of % divisor !== 0) divisor--;
  return divisor;
}

/** The smallest of a number's divisors that is no less than told; the number itself if told more. */
export function smallestDivisor(of: number, atLeast: number): number {
  let divisor = Math.min(of, atLeast);
  while (of % divisor !== 0) divisor++;
  return divisor;
}
