import { codelet, input, output, state, type Target } from "../graph/index.ts";
import { decodeHalf, encodeHalf, errorFunction } from "../tensor/index.ts";
import { binaryCycles } from "./binary.ts";
import { allWorkers, checkVectors, type FloatType, type Vector } from "./support.ts";
import { unaryCycles } from "./unary.ts";

/** A function of elements that stand side by side, and of numbers that are the same for all of them. */
interface Function {
  readonly operands: 1 | 2;
  /** Names of the numbers, in the order in which `meaning` is given them. */
  readonly numbers: readonly string[];
  readonly meaning: (a: number, b: number, p: number, q: number) => number;
  /**
   * Cycles that the loop takes for a vector of elements. Those of exp, log, tanh and sqrt are PopLibs', as is 3 for two
   * loads and an operation; others are put together from these, as an assumption: a division as a square root, a
   * sigmoid as a tanh, and so on.
   */
  readonly loopCycles: number;
}

const unary = (meaning: (x: number) => number, loopCycles: number): Function => ({
  operands: 1,
  numbers: [],
  meaning,
  loopCycles,
});
const binary = (meaning: (a: number, b: number) => number, loopCycles: number): Function => ({
  operands: 2,
  numbers: [],
  meaning,
  loopCycles,
});

/** Functions by the names of the operators that they are. */
const functions = {
  copy: unary((x) => x, 3),
  negate: unary((x) => -x, 3),
  exp: unary(Math.exp, 6),
  log: unary(Math.log, 12),
  sqrt: unary(Math.sqrt, 10),
  square: unary((x) => x * x, 3),
  abs: unary(Math.abs, 3),
  sign: unary(Math.sign, 3),
  relu: unary((x) => Math.max(x, 0), 3),
  sigmoid: unary((x) => 1 / (1 + Math.exp(-x)), 12),
  tanh: unary(Math.tanh, 12),
  softplus: unary((x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))), 21),
  erf: unary(errorFunction, 31),
  gelu: unary((x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x))), 18),
  add: binary((a, b) => a + b, 3),
  subtract: binary((a, b) => a - b, 3),
  multiply: binary((a, b) => a * b, 3),
  divide: binary((a, b) => a / b, 10),
  // Meanings are called with more than two numbers, which Math.max and Math.min would look at.
  maximum: binary((a, b) => Math.max(a, b), 3),
  minimum: binary((a, b) => Math.min(a, b), 3),
  greaterOrEqual: binary((a, b) => (a >= b ? 1 : 0), 3),
  reluGradient: binary((gradient, y) => (y > 0 ? gradient : 0), 3),
  sigmoidGradient: binary((gradient, y) => gradient * y * (1 - y), 5),
  tanhGradient: binary((gradient, y) => gradient * (1 - y * y), 5),
  roundToFloat16: unary((x) => decodeHalf("float16", encodeHalf("float16", x)), 4),
  roundToBfloat16: unary((x) => decodeHalf("bfloat16", encodeHalf("bfloat16", x)), 4),
  scale: { operands: 1, numbers: ["factor"], meaning: (x, _, factor) => x * factor, loopCycles: 3 },
  power: { operands: 1, numbers: ["exponent"], meaning: (x, _, exponent) => x ** exponent, loopCycles: 18 },
  flush: { operands: 1, numbers: ["below"], meaning: (x, _, below) => (Math.abs(x) < below ? 0 : x), loopCycles: 4 },
  leakyRelu: { operands: 1, numbers: ["slope"], meaning: (x, _, slope) => (x > 0 ? x : x * slope), loopCycles: 4 },
  clip: {
    operands: 1,
    numbers: ["low", "high"],
    meaning: (x, _, low, high) => Math.min(Math.max(x, low), high),
    loopCycles: 4,
  },
} as const satisfies Readonly<Record<string, Function>>;

/** Operators that work element by element. */
export type ElementwiseOperation = keyof typeof functions;

/** Which operand of two is one element for all, if any. */
export type ScalarOperand = "none" | "left" | "right";

/**
 * One operation on lists of vectors: `out = f(left)` or `out = f(left, right)`, element by element, where one operand
 * may be a single element, which is float whatever the vectors are. Numbers of the operation, such as `factor`, are held by the vertex as `p` and `q`.
 *
 * Cycles: as BinaryOp1D or UnaryOp1D of PopLibs for all elements together, with the loop of the operation.
 */
export function elementwise(
  operation: ElementwiseOperation,
  type: FloatType = "float",
  scalar: ScalarOperand = "none",
) {
  const { operands, meaning, loopCycles }: Function = functions[operation];
  const cycles = (count: number, target: Target): number =>
    operands === 2
      ? binaryCycles(count, type, target, loopCycles)
      : unaryCycles(operation, count, target, loopCycles, type);
  const out = output.vectors(type);
  const numbers = { p: state(), q: state() };
  if (operands === 1) {
    return codelet(
      `Elementwise<${operation},${type}>`,
      { left: input.vectors(type), out, ...numbers },
      ({ left, out: written, p, q }) => {
        checkVectors({ left, out: written });
        for (const [place, values] of (written as readonly Vector[]).entries()) {
          const a = left[place];
          for (let i = 0; i < values.length; i++) values[i] = meaning(a[i], 0, p, q);
        }
      },
      ({ out: { elements } }, target) => cycles(elements, target),
      allWorkers,
    );
  }
  if (scalar !== "none") {
    return codelet(
      `Elementwise<${operation},${type},${scalar} scalar>`,
      { [scalar]: input("float"), [scalar === "left" ? "right" : "left"]: input.vectors(type), out, ...numbers },
      (fields) => {
        const { left, right, out: written } = fields as unknown as Record<string, readonly Vector[] | number>;
        const listed = (scalar === "left" ? right : left) as readonly Vector[];
        const single = (scalar === "left" ? left : right) as number;
        checkVectors({ operand: listed, out: written as readonly Vector[] });
        for (const [place, values] of (written as readonly Vector[]).entries()) {
          const operand = listed[place];
          if (scalar === "left") for (let i = 0; i < values.length; i++) values[i] = meaning(single, operand[i], 0, 0);
          else for (let i = 0; i < values.length; i++) values[i] = meaning(operand[i], single, 0, 0);
        }
      },
      (sizes, target) => cycles((sizes as unknown as Record<"out", { elements: number }>).out.elements, target),
      allWorkers,
    );
  }
  return codelet(
    `Elementwise<${operation},${type}>`,
    { left: input.vectors(type), right: input.vectors(type), out, ...numbers },
    ({ left, right, out: written }) => {
      checkVectors({ left, right, out: written });
      for (const [place, values] of (written as readonly Vector[]).entries()) {
        const [a, b] = [left[place], right[place]];
        for (let i = 0; i < values.length; i++) values[i] = meaning(a[i], b[i], 0, 0);
      }
    },
    ({ out: { elements } }, target) => cycles(elements, target),
    allWorkers,
  );
}

/** The numbers that vertices of an operation hold as `p` and `q`, from an operator's attributes. */
export function elementwiseNumbers(
  operation: ElementwiseOperation,
  attributes: Readonly<Record<string, unknown>>,
): { readonly p: number; readonly q: number } {
  const { numbers }: Function = functions[operation];
  const [p = 0, q = 0] = numbers.map((name) => attributes[name] as number);
  return { p, q };
}
