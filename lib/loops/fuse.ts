import type { Operation, Value } from "../ir/index.ts";
import { elementCount, type Shape, sameShape } from "../tensor/index.ts";
import { type Draft, Drafts } from "./drafts.ts";
import type { FusedStep, Ordered } from "./fused-step.ts";
import { loopRule } from "./rules/index.ts";
import { inSampleBlocks } from "./sample-blocks.ts";

/**
 * Groups operations into steps. Element-wise operations join the step that makes their operands, so that a matrix
 * product adds its bias, applies its activation and updates a weight before anything is stored; what only feeds one sum
 * or one element-wise operation moves into it; constants are computed where they are used. Steps are then taken in
 * blocks of samples, where that is asked for. Cost: linear in operations, times the distance over which they move.
 */
export function fuse(ordered: Ordered): FusedStep[] {
  const steps = group(ordered, true);
  return ordered.sampleBlocks === undefined ? steps : inSampleBlocks(ordered, steps, ordered.sampleBlocks);
}

/** One step for each operation, but for views and constants: what `fuse` is compared with. */
export function separate(ordered: Ordered): FusedStep[] {
  return group(ordered, false);
}

function group(ordered: Ordered, fused: boolean): FusedStep[] {
  const drafts = new Drafts(ordered);
  for (const operation of ordered.graph.operations) {
    const { family } = loopRule(operation.operator);
    if (drafts.takeConstant(operation) || family === "view") continue;
    if (fused && family === "map" && joinProducer(drafts, operation)) continue;
    const draft = drafts.begin(operation);
    if (!fused) continue;
    for (const producer of drafts.producersOf(operation)) {
      if (canTakeIn(drafts, operation, producer)) drafts.absorb(producer, draft);
    }
  }
  if (fused) sinkResults(drafts);
  return drafts.finish();
}

/** Puts an element-wise operation into the step that makes its latest operand, if both fill one space. */
function joinProducer(drafts: Drafts, operation: Operation): boolean {
  const producers = drafts.producersOf(operation);
  const latest = producers.at(-1);
  if (latest === undefined || latest.family === "pieces" || !mayMoveUp(drafts, operation, latest)) return false;
  const [{ shape }] = operation.outputs.map((output) => output.type);
  if (!fits(shape, latest.space, latest.family === "rows")) return false;
  if (!readsInPlace(drafts, operation, latest.values) || !drafts.join(operation, latest)) return false;
  for (const producer of producers.slice(0, -1)) {
    if (readsInPlace(drafts, operation, producer.values)) drafts.absorb(producer, latest);
  }
  return true;
}

/**
 * Whether an operation may be computed as early as a step. What the backward pass makes of a forward value alone would
 * have to be kept from there on, unless the backward pass has only begun; and what is computed again stands as late as
 * it can for the same reason.
 */
function mayMoveUp(drafts: Drafts, { phase, recomputed }: Operation, into: Draft): boolean {
  const after = drafts.after(into);
  if (recomputed) return after.length === 0;
  return phase === "forward" || !isForward(into) || after.every(isForward);
}

function isForward({ operations }: Draft): boolean {
  return operations.some(({ phase }) => phase === "forward");
}

/** Whether a result of this shape can be stored by loops over a space: over all of it, or over its rows. */
function fits(shape: Shape, space: Shape, rows: boolean): boolean {
  return sameShape(shape, space) || (rows && sameShape(shape, space.slice(0, -1)));
}

/** Whether an operation needs of certain values only the element at its own position. */
function readsInPlace(drafts: Drafts, operation: Operation, values: ReadonlySet<number>): boolean {
  const { same } = loopRule(operation.operator);
  const [{ shape }] = operation.outputs.map((output) => output.type);
  return operation.inputs.every(
    (input, index) =>
      !values.has(drafts.sourceOf(input).id) ||
      (values.has(input.id) && same.includes(index) && sameShape(input.type.shape, shape)),
  );
}

/**
 * Whether an operation may compute a step's elements itself, as it reads them. Sums and maxima read each element once; if
 * they took in more than functions of single elements, their loops and with them the order of addition would change,
 * and fusion should change nothing but speed.
 */
function canTakeIn(
  drafts: Drafts,
  operation: Operation,
  { operations, values }: Pick<Draft, "operations" | "values">,
): boolean {
  if (loopRule(operation.operator).family === "map") return readsInPlace(drafts, operation, values);
  if (operation.operator !== "sum" && operation.operator !== "max") return false;
  const pointwise = operations.every(({ operator, inputs }) => loopRule(operator).same.length === inputs.length);
  // A view under another shape has other axes.
  return pointwise && operation.inputs.every((input) => values.has(input.id));
}

/**
 * Moves what a step computes element by element from its own results down into the one step that needs it, so that it is
 * stored nowhere: batch normalisation's gradient sums products as it makes them. What is read then instead takes no more
 * memory, because at most one operand has to wait for it.
 */
function sinkResults(drafts: Drafts): void {
  for (const draft of [...drafts.all()].reverse()) {
    let from = draft;
    for (const operation of [...draft.operations].reverse()) {
      if (loopRule(operation.operator).family !== "map" || operation.outputs.length > 1) continue;
      const [result] = operation.outputs;
      const into = drafts.onlyUserOf(result);
      if (into === undefined || into === from) continue;
      const users = drafts.usersOf(result);
      const waiting = new Set(
        operation.inputs.filter((input) => isAsLarge(input, result) && drafts.isDoneBefore(input, into, operation)),
      );
      if (waiting.size > 1 || !users.every((user) => canCompute(drafts, user, operation))) continue;
      from = drafts.sink(operation, from, into) ?? from;
    }
  }
}

function isAsLarge(operand: Value, result: Value): boolean {
  return elementCount(operand.type.shape) >= elementCount(result.type.shape);
}

/** Whether a user of an operation may compute the elements that it reads itself. */
function canCompute(drafts: Drafts, user: Operation, operation: Operation): boolean {
  return canTakeIn(drafts, user, { operations: [operation], values: new Set(operation.outputs.map(({ id }) => id)) });
}
