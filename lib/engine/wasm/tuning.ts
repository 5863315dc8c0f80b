import {
  type Buffer,
  hasProductVariants,
  type Kernel,
  lowerStep,
  type Nest,
  type ProductVariant,
  printKernel,
  productVariants,
  standardProducts,
  workOf,
} from "../../loops/index.ts";
import { bytesOf } from "../../tensor/index.ts";
import { alignment } from "../program.ts";
import { canOptimiseAtOnce, optimisedModule } from "./compile-module.ts";
import type { Features } from "./emit-expression.ts";
import { emitNest, type Split } from "./emit-nest.ts";
import { FunctionBuilder } from "./function-builder.ts";
import { chooseKernel, type KernelStep, kernelOf } from "./kernels.ts";
import { encodeModule, pageBytes } from "./module.ts";

// Which tile of a product is quickest depends on the machine and on what compiles WebAssembly. So the variants that add
// in the same order are timed, on memory of their own, for the steps that have most to do.

/** How long timing may take for one program, in milliseconds; of a step that has been begun one round is finished. */
const budgetMilliseconds = 50;
/** Work (see `workOf`) that is enough to be timed: about a fifth of a millisecond's. */
const workPerCall = 4_000_000;
/** Work of a step below which nothing is to be won. */
const workWorthTuning = 1_000_000;
/** How often each variant is timed; the shortest time counts. */
const rounds = 5;
/** A variant must take less than this part of the standard's time, or chance would choose. */
const clearlyLess = 0.97;
/** Operands that take more memory than this are not laid out a second time. */
const mostBytes = 64 * 1024 * 1024;

/** The quickest variants by the text of the standard loops; the machine stays the same. */
const known = new Map<string, ProductVariant>();

/** A step with enough to do. */
interface Candidate {
  readonly step: KernelStep;
  readonly work: number;
  /** The text of the standard loops. */
  readonly key: string;
}

/**
 * Chooses the loops of those steps that hold sums of products: from memory where equal loops have been timed before, by
 * timing otherwise, those with most work first, until the budget is spent. Does nothing where code cannot be optimised at
 * once, because times of code that is not say nothing.
 *
 * @param steps those of one program, of which no scratch memory has been planned yet
 * @returns the names of the variants that steps have now, where it is not the standard one
 */
export function tuneSteps(steps: readonly KernelStep[], features: Features): ReadonlyMap<KernelStep, string> {
  const chosen = new Map<KernelStep, string>();
  if (!canOptimiseAtOnce()) return chosen;
  const deadline = performance.now() + budgetMilliseconds;
  const candidates = steps.flatMap((step) => candidateOf(step) ?? []).sort((a, b) => b.work - a.work);
  for (const candidate of candidates) {
    let variant = known.get(candidate.key);
    if (variant === undefined && performance.now() < deadline) {
      variant = quickest(candidate, features, deadline);
      known.set(candidate.key, variant);
    }
    if (variant === undefined || variant === standardProducts) continue;
    chooseKernel(candidate.step, lowerStep(candidate.step, variant));
    chosen.set(candidate.step, variant.name);
  }
  return chosen;
}

/** Makes the loops of one variant those of all steps, whatever time they take; returns as `tuneSteps`. */
export function forceVariant(steps: readonly KernelStep[], variant: ProductVariant): ReadonlyMap<KernelStep, string> {
  const chosen = new Map<KernelStep, string>();
  for (const step of steps) {
    const text = printKernel(lowerStep(step));
    const kernel = lowerStep(step, variant);
    chooseKernel(step, kernel);
    if (printKernel(kernel) !== text) chosen.set(step, variant.name);
  }
  return chosen;
}

/** Null where there is nothing to choose, or too little to do. */
function candidateOf(step: KernelStep): Candidate | null {
  const kernel = kernelOf(step);
  if (!hasProductVariants(kernel)) return null;
  const work = kernel.nests.reduce((sum, nest) => sum + workOf(nest), 0);
  return work < workWorthTuning ? null : { step, work, key: withoutNumbers(printKernel(kernel)) };
}

/** A step's kernels by their variants, the standard one first, without those that are the same. */
function kernelsOf({ step, key }: Candidate): ReadonlyMap<ProductVariant, Kernel> {
  const texts = new Set([key]);
  const kernels = new Map([[standardProducts, kernelOf(step)]]);
  for (const variant of productVariants) {
    const kernel = lowerStep(step, variant);
    const text = withoutNumbers(printKernel(kernel));
    if (!texts.has(text)) kernels.set(variant, kernel);
    texts.add(text);
  }
  return kernels;
}

/** A kernel's text with its values numbered by their first occurrence, so that equal layers have equal texts. */
function withoutNumbers(text: string): string {
  const numbers = new Map<string, number>();
  return text.replace(/%\d+/g, (value) => {
    if (!numbers.has(value)) numbers.set(value, numbers.size);
    return `%${numbers.get(value)}`;
  });
}

/** Times a step's kernels in turn; the quickest variant. */
function quickest(candidate: Candidate, features: Features, deadline: number): ProductVariant {
  const { step, work } = candidate;
  const kernels = kernelsOf(candidate);
  const layout = layOut(step, [...kernels.values()]);
  if (kernels.size === 1 || layout.bytes > mostBytes) return standardProducts;
  const parts = Math.ceil(work / workPerCall);
  const timed = [...kernels].flatMap(([variant, { nests }]) =>
    nests.map((nest, index) => ({ variant, nest, name: `${variant.name} ${index}`, share: shareOf(nest, parts) })),
  );
  const functions = timed.map(({ nest, name, share }) => {
    const builder = new FunctionBuilder(1);
    emitNest(nest, builder, features, layout.addressOf, share?.split ?? null);
    return { builder, name };
  });
  const pages = Math.ceil(layout.bytes / pageBytes);
  const memory = new WebAssembly.Memory({ initial: pages });
  const module = optimisedModule(encodeModule({ pages, shared: false }, functions));
  const { exports } = new WebAssembly.Instance(module, { host: { memory } });
  const shortest = new Map<string, number>();
  for (let round = 0; round <= rounds && (round < 2 || performance.now() < deadline); round++) {
    for (const { name } of timed) {
      const before = performance.now();
      (exports[name] as (thread: number) => void)(0);
      const time = performance.now() - before;
      // The first round fetches code and operands.
      if (round > 0) shortest.set(name, Math.min(time, shortest.get(name) ?? Number.POSITIVE_INFINITY));
    }
  }
  const times = new Map<ProductVariant, number>();
  for (const { variant, name, share } of timed) {
    const whole = (shortest.get(name) as number) * (share?.times ?? 1);
    times.set(variant, (times.get(variant) ?? 0) + whole);
  }
  const [[best, least]] = [...times].sort((a, b) => a[1] - b[1]);
  return least < clearlyLess * (times.get(standardProducts) as number) ? best : standardProducts;
}

/** The part of a nest that is enough to be timed, and how many times as long all of it takes. */
interface Share {
  readonly split: Split;
  readonly times: number;
}

/** The first of about so many parts of a nest's outermost loop; null where its iterations are not alike, or too few. */
function shareOf({ loops: [outermost] }: Nest, parts: number): Share | null {
  if (outermost === undefined || !outermost.parallel || outermost.tile !== 1) return null;
  const { extent } = outermost.axis;
  const threads = Math.min(parts, extent);
  return threads < 2 ? null : { split: { depth: 0, threads, thread: 0 }, times: extent / Math.floor(extent / threads) };
}

interface Layout {
  readonly bytes: number;
  readonly addressOf: (buffer: Buffer) => number;
}

/** Places for all values of a step, and for the scratch memory of any of its kernels on one thread. */
function layOut({ operations }: KernelStep, kernels: readonly Kernel[]): Layout {
  const addresses = new Map<string, number>();
  let end = 0;
  const place = (key: string, bytes: number): void => {
    if (addresses.has(key)) return;
    addresses.set(key, end);
    end = Math.ceil((end + bytes) / alignment) * alignment;
  };
  const key = (buffer: Buffer): string => (buffer.kind === "value" ? `%${buffer.id}` : `scratch ${buffer.index}`);
  for (const { inputs, outputs } of operations) {
    for (const { id, type } of [...inputs, ...outputs]) place(`%${id}`, bytesOf(type));
  }
  const scratch = Math.max(...kernels.map((kernel) => kernel.scratch.length));
  for (let index = 0; index < scratch; index++) {
    place(`scratch ${index}`, Math.max(...kernels.map((kernel) => kernel.scratch[index]?.bytes ?? 0)));
  }
  const addressOf = (buffer: Buffer): number => {
    const address = addresses.get(key(buffer));
    if (address === undefined) throw new Error(`internal: ${key(buffer)} of a step that is timed has no place`);
    return address;
  };
  return { bytes: Math.max(end, 1), addressOf };
}
