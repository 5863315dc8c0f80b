import type { Affine, Axis } from "./affine.ts";
import type { Buffer } from "./buffer.ts";
import { type Expression, operandsOf, type Reduction } from "./expression.ts";
import { type Nest, threadAxis } from "./nest.ts";

const none: ReadonlySet<Axis> = new Set();

/** Answers which axes expressions depend on; it remembers, since expressions share their parts. */
export class Dependencies {
  readonly #known = new Map<Expression, ReadonlySet<Axis>>();

  /** The axes that an expression depends on, without those that it reduces over itself. */
  of(expression: Expression): ReadonlySet<Axis> {
    const known = this.#known.get(expression);
    if (known !== undefined) return known;
    const axes = this.#compute(expression);
    this.#known.set(expression, axes);
    return axes;
  }

  #compute(expression: Expression): ReadonlySet<Axis> {
    if (expression.kind === "constant") return none;
    if (expression.kind === "load" || expression.kind === "index") {
      return new Set(expression.index.terms.map((term) => term.axis));
    }
    const axes = new Set<Axis>();
    for (const operand of operandsOf(expression)) for (const axis of this.of(operand)) axes.add(axis);
    if (expression.kind === "reduce") for (const axis of expression.axes) axes.delete(axis);
    return axes;
  }
}

/** Calls `visit` once for each node below and including some expressions, operands before what uses them. */
export function visitAll(roots: readonly Expression[], visit: (expression: Expression) => void): void {
  const seen = new Set<Expression>();
  const walk = (expression: Expression): void => {
    if (seen.has(expression)) return;
    seen.add(expression);
    for (const operand of operandsOf(expression)) walk(operand);
    visit(expression);
  };
  for (const root of roots) walk(root);
}

/** Every reduction below and including some expressions. */
export function reductionsIn(roots: readonly Expression[]): Reduction[] {
  const reductions: Reduction[] = [];
  visitAll(roots, (expression) => {
    if (expression.kind === "reduce") reductions.push(expression);
  });
  return reductions;
}

/** Every index that occurs below some expressions: of loads, and of axes used as numbers. */
export function indicesIn(roots: readonly Expression[]): Affine[] {
  const indices: Affine[] = [];
  visitAll(roots, (expression) => {
    if (expression.kind === "load" || expression.kind === "index") indices.push(expression.index);
  });
  return indices;
}

/** Every index of a nest: of loads, of axes used as numbers, and of stores. */
export function indicesOfNest(nest: Nest): readonly Affine[] {
  return [
    ...indicesIn(nest.stores.map((store) => store.value)),
    ...nest.stores.map((store) => store.index),
    ...(nest.inside ?? []).flatMap(indicesOfNest),
  ];
}

/** Axes whose value is used as a number somewhere in a nest. */
export function axesUsedAsNumbers(nest: Nest): ReadonlySet<Axis> {
  const axes = new Set((nest.inside ?? []).flatMap((inner) => [...axesUsedAsNumbers(inner)]));
  visitAll(
    nest.stores.map((store) => store.value),
    (expression) => {
      if (expression.kind === "index") for (const { axis } of expression.index.terms) axes.add(axis);
    },
  );
  return axes;
}

/** How much arithmetic makes it worth keeping a value in a register across an inner loop. */
const worthKeeping = 4;

/** Rough cost of an expression in additions, without the reductions below it, which are computed elsewhere. */
function arithmetic(expression: Expression): number {
  let cost = 0;
  const seen = new Set<Expression>();
  const walk = (node: Expression): void => {
    if (seen.has(node) || node.kind === "reduce") return;
    seen.add(node);
    const slow =
      (node.kind === "binary" && node.name === "divide") || (node.kind === "unary" && node.name === "squareRoot");
    if (node.kind !== "constant" && node.kind !== "load") cost += slow ? worthKeeping : 1;
    for (const operand of operandsOf(node)) walk(operand);
  };
  walk(expression);
  return cost;
}

/**
 * For each depth of a nest, what is computed there once for the loops further inside, in an order in which operands come
 * first: every reduction, at the depth where all that it depends on is known, and what costs more than it takes to
 * keep it.
 *
 * @param around axes of loops around the nest
 */
export function hoistedByDepth(
  nest: Nest,
  dependencies: Dependencies,
  around: readonly Axis[],
): readonly (readonly Expression[])[] {
  const depths = new Map(around.map((axis) => [axis, 0]));
  for (const [position, { axis }] of nest.loops.entries()) depths.set(axis, position + 1);
  /** The depth at which an expression is known; null inside reductions on whose axes it depends. */
  const depthOf = (expression: Expression): number | null => {
    let depth = 0;
    for (const axis of dependencies.of(expression)) {
      const own = depths.get(axis);
      if (own === undefined) return null;
      depth = Math.max(depth, own);
    }
    return depth;
  };
  const usedAt = new Map<Expression, number>();
  const note = (expression: Expression, depth: number): void => {
    usedAt.set(expression, Math.max(usedAt.get(expression) ?? 0, depth));
  };
  const roots = nest.stores.map((store) => store.value);
  for (const { value, depth } of nest.stores) note(value, depth);
  visitAll(roots, (expression) => {
    const depth = depthOf(expression) ?? Number.POSITIVE_INFINITY;
    for (const operand of operandsOf(expression)) note(operand, depth);
  });
  const hoisted: Expression[][] = Array.from({ length: nest.loops.length + 1 }, () => []);
  visitAll(roots, (expression) => {
    const depth = depthOf(expression);
    if (depth === null) return;
    const usedDeeper = (usedAt.get(expression) ?? 0) > depth;
    if (expression.kind === "reduce" || (usedDeeper && arithmetic(expression) >= worthKeeping)) {
      hoisted[depth].push(expression);
    }
  });
  return hoisted;
}

/** The largest parts of a reduction's body that do not depend on its axes. */
export function invariantsOf(reduction: Reduction, dependencies: Dependencies): readonly Expression[] {
  const found = new Set<Expression>();
  const walk = (expression: Expression): void => {
    if (expression.kind === "constant") return;
    const own = dependencies.of(expression);
    if (!reduction.axes.some((axis) => own.has(axis))) found.add(expression);
    else for (const operand of operandsOf(expression)) walk(operand);
  };
  walk(reduction.body);
  return [...found];
}

/**
 * Reductions in a reduction's body that must be computed anew for each value of its axes, but not for each value of
 * another axis further inside; in an order in which operands come first.
 */
export function nestedReductions(reduction: Reduction, dependencies: Dependencies): readonly Reduction[] {
  const found: Reduction[] = [];
  const bound = new Set<Axis>();
  visitAll([reduction.body], (expression) => {
    if (expression.kind !== "reduce") return;
    for (const axis of expression.axes) bound.add(axis);
    const own = dependencies.of(expression);
    if (reduction.axes.some((axis) => own.has(axis))) found.push(expression);
  });
  return found.filter((inner) => [...dependencies.of(inner)].every((axis) => !bound.has(axis)));
}

/** How many numbers a nest computes, loads and stores if it does each as seldom as it may: a measure of work. */
export function workOf(nest: Nest): number {
  return workInside(nest, []);
}

/** The work of a nest inside of loops. */
function workInside(nest: Nest, loops: Nest["loops"]): number {
  const dependencies = new Dependencies();
  const outside = new Set(loops.map(({ axis }) => axis));
  const around = loops.reduce((count, { axis }) => count * axis.extent, 1);
  const points = (loops: Nest["loops"]): number => loops.reduce((count, { axis }) => count * axis.extent, around);
  let work = 0;
  for (const inner of nest.inside ?? []) work += workInside(inner, [...loops, ...nest.loops]);
  visitAll(
    nest.stores.map((store) => store.value),
    (expression) => {
      if (expression.kind === "constant") return;
      // What is inside of loops is done anew each time.
      let count = around;
      for (const axis of dependencies.of(expression))
        if (axis !== threadAxis && !outside.has(axis)) count *= axis.extent;
      if (expression.kind !== "reduce") work += count;
    },
  );
  for (const { depth } of nest.stores) work += points(nest.loops.slice(0, depth));
  return work;
}

/** The buffers that a nest loads from and stores to, each once. */
export function buffersOf(nest: Nest): { readonly read: readonly Buffer[]; readonly written: readonly Buffer[] } {
  const read: Buffer[] = [];
  const written = nest.stores.map((store) => store.buffer);
  for (const inner of nest.inside ?? []) {
    const own = buffersOf(inner);
    read.push(...own.read);
    written.push(...own.written);
  }
  visitAll(
    nest.stores.map((store) => store.value),
    (expression) => {
      if (expression.kind === "load") read.push(expression.buffer);
    },
  );
  return { read: distinctBuffers(read), written: distinctBuffers(written) };
}

function distinctBuffers(buffers: readonly Buffer[]): readonly Buffer[] {
  const byKey = new Map(
    buffers.map((buffer) => [`${buffer.kind} ${buffer.kind === "value" ? buffer.id : buffer.index}`, buffer]),
  );
  return [...byKey.values()];
}
