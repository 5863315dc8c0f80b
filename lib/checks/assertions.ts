import type { MemoryReport } from "../memory/index.ts";
import type { TrainingHistory } from "../training/index.ts";

// What the checks below rest on, captured before any cell runs: a cell that replaces `Math.abs` changes nothing here.
const { abs, max } = Math;
const { isFinite: isFiniteNumber, isInteger, isNaN: isNotANumber } = Number;
const { isArray } = Array;
const { isView } = ArrayBuffer;
const stringify = JSON.stringify;

/** A check that did not hold. Its message says what was expected, what came, and where. */
class CheckFailed extends Error {
  override readonly name = "CheckFailed";
}

/** Numbers in any form that a notebook has them: alone, in lists of any depth, in typed arrays, in tensors. */
export type Numbers =
  | number
  | ArrayLike<number>
  | readonly Numbers[]
  | { readonly shape: readonly number[]; readonly data: ArrayLike<number> };

/** How near two numbers must be: `|a − b| ≤ absolute + relative · |b|`. */
export interface Tolerance {
  /** 1e-6 unless told otherwise. */
  readonly relative?: number;
  /** 1e-9 unless told otherwise. */
  readonly absolute?: number;
}

/**
 * Checks that numbers are near those expected, of the same shape, and shows the worst place where they are not.
 *
 * @throws CheckFailed with the place, both numbers and how many others differ
 */
export function checkClose(
  actual: Numbers,
  expected: Numbers,
  { relative = 1e-6, absolute = 1e-9 }: Tolerance = {},
): void {
  const [own, other] = [flatten(actual), flatten(expected)];
  if (stringify(own.shape) !== stringify(other.shape)) {
    throw new CheckFailed(`checkClose: shapes must be equal, got ${show(own.shape)} and expected ${show(other.shape)}`);
  }
  let wrong = 0;
  let worst = -1;
  let farthest = 0;
  for (let i = 0; i < other.data.length; i++) {
    const [a, b] = [own.data[i], other.data[i]];
    const far = a === b || (isNotANumber(a) && isNotANumber(b)) ? 0 : abs(a - b) / (absolute + relative * abs(b));
    if (far <= 1) continue;
    wrong++;
    // NaN is farther than any number.
    if (worst < 0 || isNotANumber(far) || far > farthest)
      [worst, farthest] = [i, isNotANumber(far) ? Number.POSITIVE_INFINITY : far];
  }
  if (wrong === 0) return;
  const [a, b] = [own.data[worst], other.data[worst]];
  const place = other.shape.length === 0 ? "" : ` at ${show(indexOf(worst, other.shape))}`;
  const rest = other.data.length > 1 ? `; ${wrong} of ${other.data.length} differ` : "";
  throw new CheckFailed(
    `checkClose: must be ${b} within ${relative} relative or ${absolute} absolute, got ${a}${place} (difference ${abs(a - b).toPrecision(3)})${rest}`,
  );
}

/**
 * Checks the shape of a tensor, or of nested lists.
 *
 * @param expected sizes; null where any size will do
 * @throws CheckFailed with both shapes
 */
export function checkShape(
  actual: Numbers | { readonly shape: readonly number[] },
  expected: readonly (number | null)[],
): void {
  const shape =
    "shape" in Object(actual) ? (actual as { shape: readonly number[] }).shape : flatten(actual as Numbers).shape;
  const isSame =
    shape.length === expected.length && expected.every((size, axis) => size === null || size === shape[axis]);
  if (!isSame) throw new CheckFailed(`checkShape: must be ${show(expected)}, got ${show(shape)}`);
}

/** A training's losses: numbers, or what `fit` returns, of which every step counts. */
export type Losses = readonly number[] | Pick<TrainingHistory, "stepLosses">;

/**
 * Checks that training made the loss fall: the mean of the last quarter lies below that of the first.
 *
 * @param least by which factor it must have fallen at least; 1 asks for any fall
 * @throws CheckFailed with both means, or where a loss is no number
 */
export function checkLossFalls(losses: Losses, least = 1): void {
  const values = "stepLosses" in losses ? losses.stepLosses : losses;
  if (values.length < 2) throw new CheckFailed(`checkLossFalls: must see at least two losses, got ${values.length}`);
  const bad = values.findIndex((value) => !isFiniteNumber(value));
  if (bad >= 0) throw new CheckFailed(`checkLossFalls: every loss must be a number, got ${values[bad]} at ${bad}`);
  const quarter = max(1, values.length >> 2);
  const mean = (from: number): number =>
    values.slice(from, from + quarter).reduce((sum, value) => sum + value, 0) / quarter;
  const [first, last] = [mean(0), mean(values.length - quarter)];
  if (last * least < first) return;
  const factor = least === 1 ? "" : ` by a factor of ${least}`;
  throw new CheckFailed(
    `checkLossFalls: the loss must fall${factor}, got ${first.toPrecision(4)} at first and ${last.toPrecision(4)} at last`,
  );
}

/**
 * Checks that a program's memory stays within a budget.
 *
 * @param program a compiled program, a memory report, or bytes
 * @param budgetBytes what it may take at its highest
 * @throws CheckFailed with both, and by how much
 */
export function checkPeakBelow(
  program: number | MemoryReport | { readonly memory: MemoryReport },
  budgetBytes: number,
): void {
  const peak = typeof program === "number" ? program : ("memory" in program ? program.memory : program).peak.bytes;
  if (peak <= budgetBytes) return;
  const over = ((peak / budgetBytes - 1) * 100).toFixed(1);
  throw new CheckFailed(
    `checkPeakBelow: the peak must be at most ${budgetBytes} bytes, got ${peak} (${over} % too much)`,
  );
}

/**
 * Runs checks one by one, says of each whether it holds, and gives the points earned: the last value of a test cell that
 * awards partial credit.
 *
 * @param points for all checks together, in equal parts
 * @param checks by what they say; each throws where it does not hold
 */
export async function credit(points: number, checks: Readonly<Record<string, () => unknown>>): Promise<number> {
  const all = Object.entries(checks);
  if (all.length === 0) throw new CheckFailed("credit: must be given checks, got none");
  let held = 0;
  for (const [name, check] of all) {
    try {
      await check();
      held++;
      console.log(`✓ ${name}`);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      console.log(`✗ ${name}: ${message}`);
    }
  }
  return (points * held) / all.length;
}

interface Flat {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

function flatten(numbers: Numbers): Flat {
  if (typeof numbers === "number") return { shape: [], data: [numbers] };
  if (isView(numbers))
    return { shape: [(numbers as unknown as Float32Array).length], data: numbers as unknown as Float32Array };
  if (isArray(numbers)) return flattenList(numbers as readonly Numbers[]);
  const { shape, data } = (numbers ?? {}) as { shape?: readonly number[]; data?: ArrayLike<number> };
  if (shape === undefined || data === undefined)
    throw new CheckFailed(`check: must be given numbers, got ${typeof numbers}`);
  return { shape, data };
}

function flattenList(list: readonly Numbers[]): Flat {
  const parts = list.map(flatten);
  const inner = parts[0]?.shape ?? [];
  const odd = parts.findIndex(({ shape }) => stringify(shape) !== stringify(inner));
  if (odd >= 0) {
    throw new CheckFailed(
      `check: rows must have one shape, got ${show(inner)} and ${show(parts[odd].shape)} at ${odd}`,
    );
  }
  return { shape: [list.length, ...inner], data: parts.flatMap(({ data }) => Array.from(data)) };
}

function indexOf(position: number, shape: readonly number[]): number[] {
  const index: number[] = [];
  for (let axis = shape.length - 1, rest = position; axis >= 0; axis--) {
    index.unshift(rest % shape[axis]);
    rest = (rest - (rest % shape[axis])) / shape[axis];
  }
  return index;
}

function show(sizes: readonly (number | null)[]): string {
  return `[${sizes.map((size) => (size === null ? "any" : isInteger(size) ? size : String(size))).join(",")}]`;
}
