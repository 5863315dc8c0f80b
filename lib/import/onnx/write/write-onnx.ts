import { GraphBuilder, type Operation, type Value } from "../../../ir/index.ts";
import type { BuiltModel, Model } from "../../../nn/index.ts";
import { type OperatorName, operatorTable } from "../../../ops/index.ts";
import type { HostTensor } from "../../../tensor/index.ts";
import { writeMessage } from "../protobuf.ts";
import { modelFields } from "../schema.ts";
import { type OpenShape, openShape } from "./extents.ts";
import { GraphWriter } from "./graph-writer.ts";
import { type WriteContext, writeRules } from "./rules.ts";

/** Version of the operators that are written, and of the file's form that came with it (onnx 1.15). */
const written = { operatorSet: 20, irVersion: 9 } as const;

/** Two batches that no extent of a network is likely to follow from by chance. */
const trialBatches = [7, 11] as const;

/** The forward graph of a model as it answers. */
interface Forward {
  readonly built: BuiltModel;
  readonly operations: readonly Operation[];
}

function forward(model: Model, batch: number): Forward {
  const builder = new GraphBuilder(operatorTable, model.name);
  const input = builder.input("input", { shape: [batch, ...model.input], dtype: "float32" }, "data");
  const built = model.build(builder, input, "inference");
  return { built, operations: needed(builder.operations, built.output) };
}

/** The operations on which a value depends. */
function needed(operations: readonly Operation[], output: Value): readonly Operation[] {
  const wanted = new Set([output.id]);
  const kept: Operation[] = [];
  for (const operation of operations.toReversed()) {
    if (!operation.outputs.some(({ id }) => wanted.has(id))) continue;
    for (const { id } of operation.inputs) wanted.add(id);
    kept.push(operation);
  }
  return kept.reverse();
}

/** The shape of every value that a graph makes or takes, for any batch; for one batch the shapes as they are. */
function shapes(first: Forward, second: Forward | null, file: string): ReadonlyMap<number, OpenShape> {
  const found = new Map<number, OpenShape>();
  const note = (a: Value, b: Value | undefined, where: string): void => {
    const shape = b === undefined ? a.type.shape : openShape(a.type.shape, b.type.shape, trialBatches);
    if (shape === null) {
      throw new Error(
        `${file}: extents must follow the batch in proportion, got [${a.type.shape.join()}] for ${trialBatches[0]} samples and [${b?.type.shape.join()}] for ${trialBatches[1]} (${where}); export for one batch with { batch: 1 }`,
      );
    }
    found.set(a.id, shape);
  };
  const inputs = ({ built }: Forward): readonly Value[] => [
    built.input,
    ...built.parameters,
    ...built.states.map(({ value }) => value),
  ];
  const others = second === null ? [] : inputs(second);
  for (const [index, value] of inputs(first).entries()) note(value, others[index], "an input");
  for (const [index, { operator, layer, outputs }] of first.operations.entries()) {
    const other = second?.operations[index];
    if (second !== null && (other?.operator !== operator || second.operations.length !== first.operations.length)) {
      throw new Error(
        `${file}: the graph must be the same for every batch, got ${operator} and ${other?.operator ?? "nothing"} (${layer}); export for one batch with { batch: 1 }`,
      );
    }
    for (const [place, value] of outputs.entries()) note(value, other?.outputs[place], layer);
  }
  return found;
}

/** A bias that can go into the node before it: added along the channels to what nobody else takes. */
function foldedBiases(operations: readonly Operation[], output: Value): ReadonlyMap<Operation, Operation> {
  const uses = new Map<number, Operation[]>();
  for (const operation of operations) {
    for (const { id } of operation.inputs) uses.set(id, [...(uses.get(id) ?? []), operation]);
  }
  const made = new Set<number>();
  for (const { outputs } of operations) for (const { id } of outputs) made.add(id);
  const folded = new Map<Operation, Operation>();
  for (const operation of operations) {
    const [result] = operation.outputs;
    const [next, ...more] = uses.get(result.id) ?? [];
    const takes = operation.operator === "convolution2d" || operation.operator === "matmul";
    if (!takes || next?.operator !== "addBias" || more.length > 0 || result === output) continue;
    // A bias that is itself computed may not have been written yet.
    if (next.inputs[0] === result && next.attributes.axis === 1 && !made.has(next.inputs[1].id)) {
      folded.set(operation, next);
    }
  }
  return folded;
}

/**
 * A model as the bytes of an ONNX file: its forward graph and its weights.
 *
 * @param weights every parameter and state by name
 * @param batch the only batch that the file is to take; any unless told otherwise
 * @param file what errors call the file
 * @throws Error naming the layer and the operator that cannot be written
 */
export function writeOnnx(
  model: Model,
  weights: ReadonlyMap<string, HostTensor>,
  { batch, file }: { readonly batch?: number; readonly file: string },
): Uint8Array {
  const first = forward(model, batch ?? trialBatches[0]);
  const second = batch === undefined ? forward(model, trialBatches[1]) : null;
  const shapeOf = shapes(first, second, file);
  const { built, operations } = first;
  const writer = new GraphWriter("input");
  writer.name(built.input, "input");
  const used = new Set(operations.flatMap(({ inputs }) => inputs.map(({ id }) => id)));
  const take = (value: Value, name: string): void => {
    writer.name(value, name);
    if (!used.has(value.id) && value !== built.output) return;
    const tensor = weights.get(name);
    if (tensor === undefined || (tensor.dtype !== "float32" && tensor.dtype !== "int32")) {
      throw new Error(
        `${file}: weights must be given in float32, got ${tensor?.dtype ?? "none"} for ${name}; take those of a program in float32`,
      );
    }
    writer.initializer(name, tensor as HostTensor<"float32" | "int32">);
  };
  for (const [index, value] of built.parameters.entries()) take(value, model.parameters[index].name);
  for (const { name, value } of built.states) take(value, name);

  const folded = foldedBiases(operations, built.output);
  const skipped = new Set(folded.values());
  for (const operation of operations) {
    if (skipped.has(operation)) continue;
    writer.layer = operation.layer;
    writeOperation(writer, operation, folded.get(operation) ?? null, shapeOf, file);
  }
  writer.layer = "";
  writer.node("Identity", [writer.nameOf(built.output)], {}, "output");
  const open = batch === undefined ? { parameter: "batch" } : { value: batch };
  const typeOf = (shape: readonly number[]) => ({
    tensor: { elementType: 1, shape: { dimensions: [open, ...shape.map((value) => ({ value }))] } },
  });
  return writeMessage(modelFields, {
    irVersion: written.irVersion,
    producer: "tessera",
    operatorSets: [{ domain: "", version: written.operatorSet }],
    graph: {
      name: model.name,
      nodes: writer.nodes,
      initializers: writer.initializers,
      inputs: [{ name: "input", type: typeOf(model.input) }],
      outputs: [{ name: "output", type: typeOf(model.output) }],
    },
  });
}

function writeOperation(
  writer: GraphWriter,
  operation: Operation,
  bias: Operation | null,
  shapeOf: ReadonlyMap<number, OpenShape>,
  file: string,
): void {
  const { operator, layer } = operation;
  const rule = writeRules[operator as OperatorName];
  if (rule === undefined) {
    throw new Error(
      `${file}: every operation must have a counterpart in ONNX, got ${operator} (${layer}); export a model without it`,
    );
  }
  const [result] = (bias ?? operation).outputs;
  const outputs = operation.outputs.map(
    (_, index) => `${layer}.${operator}${result.id}${index === 0 ? "" : `.${index}`}`,
  );
  const context: WriteContext = {
    writer,
    operation,
    inputs: operation.inputs.map((value) => writer.nameOf(value)),
    outputs,
    shapeOf(value) {
      const shape = shapeOf.get(value.id);
      if (shape === undefined) throw new Error(`internal: %${value.id} has no shape`);
      return shape;
    },
  };
  try {
    if (bias === null) rule(context);
    else writeWithBias(context, writer.nameOf(bias.inputs[1]));
  } catch (error) {
    throw new Error(`${file}: ${operator} (${layer}): ${(error as Error).message}`, { cause: error });
  }
  for (const [index, value] of operation.outputs.entries()) writer.name(value, outputs[index]);
  if (bias !== null) writer.name(result, outputs[0]);
}

/** A product or a convolution with the bias that follows it. */
function writeWithBias(context: WriteContext, bias: string): void {
  const { operation, inputs } = context;
  if (operation.operator === "convolution2d") {
    writeRules.convolution2d?.({ ...context, inputs: [...inputs, bias] });
    return;
  }
  const { transposeA, transposeB } = operation.attributes;
  const attributes = { transA: { whole: Number(transposeA) }, transB: { whole: Number(transposeB) } };
  context.writer.node("Gemm", [...inputs, bias], attributes, context.outputs[0]);
}
