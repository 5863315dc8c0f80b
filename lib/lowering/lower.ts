import { makeSchedule, type Schedule } from "../compiler/index.ts";
import type { BlockProgram, PlacedTensor, Target } from "../graph/index.ts";
import type { Operation, OperatorGraph } from "../ir/index.ts";
import type { OperatorName } from "../ops/index.ts";
import { type FineOptions, fineGrain, type Grain } from "./grain.ts";
import { Lowering } from "./lowering.ts";
import { findPartitions } from "./outline.ts";
import { Outlined, type OutlinedFunction } from "./outlined.ts";
import { type Plan, type PlanOptions, plannedGrain } from "./planner.ts";
import { gradientDescentRule } from "./rules/reduce.ts";
import { rules } from "./table.ts";

/** A training step, or an answer, as vertices on tiles. */
export interface LoweredProgram extends BlockProgram {
  readonly kind: "lowered-program";
  readonly target: Target;
  readonly grain: Grain["kind"];
  /** The rule by which work was cut into vertices, as a sentence. */
  readonly rule: string;
  /** Partitions that are mapped once and called wherever they stand; none unless asked for. */
  readonly functions: readonly OutlinedFunction[];
}

/** What can be lowered: an operator graph, a schedule, or a compiled program that has one. */
export type Lowerable = OperatorGraph | Schedule | { readonly training: { readonly schedule: Schedule } };

/** The schedule of what is to be lowered. */
export function scheduleOf(what: Lowerable): Schedule {
  if ("training" in what) return what.training.schedule;
  return "graph" in what ? what : makeSchedule(what);
}

/**
 * Lowers a network at the fine grain: every item of work is a vertex (the rule of `fineGrain`). It is the network as a
 * graph to be counted and drawn; small ones are executed, too.
 *
 * @param target whose tiles the vertices are spread over
 */
export function lowerFine(what: Lowerable, target: Target, options: FineOptions = {}): LoweredProgram {
  const grain = fineGrain(options);
  const group = `${grain.group} × ${grain.group} channels`;
  const rule = `row rule, groups of ${group}: a vertex for each sample, row and pair of groups of a convolution, dense layers folded over the batch`;
  return lowerWith(scheduleOf(what), target, grain, rule, options);
}

/** A network as a device would run it, and how it was cut. */
export interface PlannedProgram extends LoweredProgram {
  /** The cut of every product and convolution, in their order. */
  readonly plans: readonly Plan[];
}

/**
 * Lowers a network for a device: a planner cuts products and convolutions over tiles so that the estimated cycles are
 * fewest within memory; anything else is done where its operands lie.
 */
export function lower(what: Lowerable, target: Target, options: PlanOptions = {}): PlannedProgram {
  const grain = plannedGrain(options);
  const rule = `planned for ${target.name}: a vertex for each tile of a box of work, groups of ${grain.group} channels`;
  return { ...lowerWith(scheduleOf(what), target, grain, rule, options), plans: grain.plans };
}

/** Takes a schedule to vertices, operation by operation. */
function lowerWith(
  schedule: Schedule,
  target: Target,
  grain: Grain,
  rule: string,
  { outline = false, precision = "single" }: Pick<PlanOptions, "outline" | "precision">,
): LoweredProgram {
  if (precision !== "single" && precision !== "half") {
    throw new Error(`lower: the precision must be single or half, got ${String(precision)}; choose one`);
  }
  const { graph } = schedule;
  const descents = findDescents(graph);
  const lowering = new Lowering(schedule, target, { grain, precision, fused: new Set(descents.gradients) });
  const inputs = new Map<string, PlacedTensor>();
  for (const { value, name, role } of graph.inputs) {
    lowering.addInput(value, name, role);
    inputs.set(name, lowering.get(value));
  }
  const outlined = new Outlined(lowering, outline ? findPartitions(graph, lowering.fused) : []);
  for (const operation of graph.operations) {
    if (outlined.take(operation)) continue;
    lowering.within(operation, () => {
      const descent = descents.updates.get(operation);
      if (descent !== undefined) {
        const [result] = operation.outputs;
        gradientDescentRule(lowering, result, operation.inputs[0], descent.gradient, descent.rate);
      } else if (!descents.steps.has(operation)) rules[operation.operator as OperatorName](lowering, operation);
    });
  }
  for (const { value, updates } of graph.outputs) {
    if (updates === null) continue;
    const layer = graph.operations.findLast(({ outputs }) => outputs.includes(value))?.layer ?? "";
    const replaced: Operation = {
      operator: "copy",
      inputs: [value],
      attributes: {},
      outputs: [],
      phase: "update",
      layer,
    };
    lowering.within(replaced, () => lowering.replaceInput(updates, value));
  }
  const outputs = new Map(graph.outputs.map(({ name, value }) => [name, lowering.get(value)] as const));
  return {
    kind: "lowered-program",
    name: graph.name,
    precision,
    target,
    grain: grain.kind,
    rule,
    graph: lowering.graph,
    inputs,
    outputs,
    functions: outlined.functions,
  };
}

type Descent = Readonly<Record<"gradient" | "rate", Operation["inputs"][number]>>;

interface Descents {
  /** Gradients that nothing but their update reads, by id. */
  readonly gradients: readonly number[];
  /** The subtractions that become one step of gradient descent. */
  readonly updates: ReadonlyMap<Operation, Descent>;
  /** Their products of gradient and rate, which are part of it. */
  readonly steps: ReadonlySet<Operation>;
}

const summed = ["convolution2dWeightGradient", "matmul", "sum"];

/**
 * Finds `w − g · rate` where g is a gradient that is a sum and is used for nothing else: vertices that update a block of
 * weights then add up its partial gradients themselves.
 */
function findDescents({ operations, outputs }: OperatorGraph): Descents {
  const makers = new Map<number, Operation>();
  const uses = new Map<number, number>();
  for (const operation of operations) {
    for (const { id } of operation.outputs) makers.set(id, operation);
    for (const { id } of operation.inputs) uses.set(id, (uses.get(id) ?? 0) + 1);
  }
  for (const { value } of outputs) uses.set(value.id, (uses.get(value.id) ?? 0) + 1);
  const gradients: number[] = [];
  const updates = new Map<Operation, Descent>();
  const steps = new Set<Operation>();
  for (const operation of operations) {
    if (operation.phase !== "update" || operation.operator !== "subtract") continue;
    const [weights, step] = operation.inputs;
    const product = makers.get(step.id);
    if (product?.operator !== "multiply" || uses.get(step.id) !== 1) continue;
    const [gradient, rate] = product.inputs;
    const maker = makers.get(gradient.id);
    const isSum = maker !== undefined && summed.includes(maker.operator) && (maker.attributes.groups ?? 1) === 1;
    if (!isSum || rate.type.shape.length > 0 || weights.type.shape.length === 0) continue;
    if (uses.get(gradient.id) !== 1 || weights.type.dtype !== "float32") continue;
    gradients.push(gradient.id);
    updates.set(operation, { gradient, rate });
    steps.add(product);
  }
  return { gradients, updates, steps };
}
