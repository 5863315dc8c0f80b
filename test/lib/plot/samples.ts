// Reports of a multilayer perceptron's training step, worked out by hand here so that figures are tested against data
// whose sums are known, not against what the compiler happens to say.
import type { GraphColumn, GraphEdge, GraphNode, GraphReport } from "../../../lib/compiler/index.ts";
import type { BufferLabel, MemoryCategory, MemoryReport, StepLabel } from "../../../lib/memory/index.ts";
import { memoryReport } from "../../../lib/memory/index.ts";
import type { TrainingHistory } from "../../../lib/training/index.ts";

interface Pending {
  readonly name: string;
  readonly layer: string;
  readonly category: MemoryCategory;
  readonly shape: readonly number[];
  readonly start: number;
  end: number;
}

/** The memory of one step of gradient descent with momentum: widths such as [784, 128, 10]. */
export function sampleMemory(widths: readonly number[], batch: number, title = "sample"): MemoryReport {
  const layers = widths.length - 1;
  const steps: StepLabel[] = [];
  const buffers: Pending[] = [];
  const count = layers + 1 + layers * 2 + layers;
  const whole = (name: string, layer: string, category: MemoryCategory, shape: readonly number[]): void => {
    buffers.push({ name, layer, category, shape, start: 0, end: count });
  };
  for (let index = 0; index < layers; index++) {
    whole(`dense${index + 1}.weight`, `dense${index + 1}`, "weights", [widths[index], widths[index + 1]]);
    whole(`dense${index + 1}.bias`, `dense${index + 1}`, "weights", [widths[index + 1]]);
    whole(`dense${index + 1}.momentum`, `dense${index + 1}`, "optimizer", [widths[index], widths[index + 1]]);
  }
  whole("images", "", "inputs", [batch, widths[0]]);
  whole("labels", "", "inputs", [batch]);
  const activations: Pending[] = [];
  for (let index = 0; index < layers; index++) {
    const last = index === layers - 1;
    const layer = `dense${index + 1}`;
    steps.push({ name: last ? "matmul + addBias" : "matmul + addBias + relu", phase: "forward", layer });
    const value: Pending = {
      name: `${layer}.output`,
      layer,
      category: "activations",
      shape: [batch, widths[index + 1]],
      start: index,
      end: 0,
    };
    activations.push(value);
    buffers.push(value);
  }
  steps.push({ name: "crossEntropy", phase: "forward", layer: "" });
  buffers.push({
    name: "softmax",
    layer: "",
    category: "workspace",
    shape: [batch, widths[layers]],
    start: layers,
    end: layers + 1,
  });
  let gradient: Pending = {
    name: "loss.gradient",
    layer: "",
    category: "gradients",
    shape: [batch, widths[layers]],
    start: layers,
    end: 0,
  };
  buffers.push(gradient);
  for (let index = layers - 1; index >= 0; index--) {
    const layer = `dense${index + 1}`;
    const step = steps.length;
    steps.push({ name: "matmul (weight gradient)", phase: "backward", layer });
    steps.push({ name: index === 0 ? "sumRows" : "matmul (input gradient) + reluGradient", phase: "backward", layer });
    const update = count - 1 - index;
    buffers.push({
      name: `${layer}.weightGradient`,
      layer,
      category: "gradients",
      shape: [widths[index], widths[index + 1]],
      start: step,
      end: update + 1,
    });
    gradient.end = step + 2;
    activations[index].end = step + (index === layers - 1 ? -2 : 2);
    if (activations[index].end <= activations[index].start) activations[index].end = activations[index].start + 2;
    if (index === 0) continue;
    gradient = {
      name: `${layer}.inputGradient`,
      layer,
      category: "gradients",
      shape: [batch, widths[index]],
      start: step + 1,
      end: 0,
    };
    buffers.push(gradient);
  }
  for (let index = layers - 1; index >= 0; index--)
    steps.push({ name: "momentum", phase: "update", layer: `dense${index + 1}` });
  const placed = placeByFirstFit(buffers);
  return memoryReport(title, steps, placed, Math.max(...placed.map(({ offset, bytes }) => offset + bytes)));
}

/** Largest first, each at the lowest address that is free for its whole life. */
function placeByFirstFit(buffers: readonly Pending[]): BufferLabel[] {
  const placed: BufferLabel[] = [];
  const bytesOf = ({ shape }: Pending): number => Math.max(64, 4 * shape.reduce((product, size) => product * size, 1));
  const lasting = (buffer: Pending): number => buffer.end - buffer.start;
  for (const buffer of [...buffers].sort((a, b) => lasting(b) - lasting(a) || bytesOf(b) - bytesOf(a))) {
    const bytes = bytesOf(buffer);
    const { name, layer, category, shape, start, end } = buffer;
    const taken = placed.filter((other) => other.start < end && start < other.end).sort((a, b) => a.offset - b.offset);
    let offset = 0;
    for (const other of taken) {
      if (other.offset >= offset + bytes) break;
      offset = Math.max(offset, other.offset + other.bytes);
    }
    placed.push({ name, layer, category, type: `float32[${shape}]`, bytes, offset, start, end });
  }
  return placed;
}

/** The training graph of a perceptron: matmul, addBias and relu for each layer, forward, backward and update. */
export function sampleGraph(widths: readonly number[], batch: number, title = "sample"): GraphReport {
  const nodes: GraphNode[] = [];
  const edges: GraphEdge[] = [];
  const layers: string[] = [];
  const node = (
    operator: string,
    layer: string,
    column: GraphColumn,
    shape: readonly number[],
    flops: number,
  ): number => {
    const elements = shape.reduce((product, size) => product * size, 1);
    nodes.push({
      id: nodes.length,
      operator,
      layer,
      column,
      types: [`float32[${shape}]`],
      outputBytes: 4 * elements,
      flops,
    });
    return nodes.length - 1;
  };
  const join = (from: number, to: number): void => {
    edges.push({
      from,
      to,
      name: `%${from}`,
      type: nodes[from].types[0],
      bytes: nodes[from].outputBytes,
      source: "operation",
    });
  };
  const outside = (to: number, name: string, shape: readonly number[], source: GraphEdge["source"]): void => {
    const elements = shape.reduce((product, size) => product * size, 1);
    edges.push({ from: null, to, name, type: `float32[${shape}]`, bytes: 4 * elements, source });
  };
  const count = widths.length - 1;
  layers.push("flatten1");
  const flat = node("reshape", "flatten1", "forward", [batch, widths[0]], 0);
  outside(flat, "images", [batch, 28, 28], "data");
  const inputs: number[] = [];
  const sums: number[] = [];
  let value = flat;
  for (let index = 0; index < count; index++) {
    const layer = `dense${index + 1}`;
    layers.push(layer);
    const [rows, columns] = [widths[index], widths[index + 1]];
    inputs.push(value);
    const product = node("matmul", layer, "forward", [batch, columns], 2 * batch * rows * columns);
    join(value, product);
    outside(product, `${layer}.weight`, [rows, columns], "parameter");
    const sum = node("addBias", layer, "forward", [batch, columns], batch * columns);
    join(product, sum);
    outside(sum, `${layer}.bias`, [columns], "parameter");
    sums.push(sum);
    value = sum;
    if (index === count - 1) continue;
    layers.push(`relu${index + 1}`);
    value = node("relu", `relu${index + 1}`, "forward", [batch, columns], batch * columns);
    join(sum, value);
  }
  const loss = node("crossEntropy", "", "forward", [], 5 * batch * widths[count]);
  join(value, loss);
  outside(loss, "labels", [batch], "data");
  let gradient = node("crossEntropyGradient", "", "input gradient", [batch, widths[count]], 2 * batch * widths[count]);
  join(value, gradient);
  outside(gradient, "labels", [batch], "data");
  const updates: [string, number, readonly number[]][] = [];
  for (let index = count - 1; index >= 0; index--) {
    const layer = `dense${index + 1}`;
    const [rows, columns] = [widths[index], widths[index + 1]];
    const bias = node("sumRows", layer, "weight gradient", [columns], batch * columns);
    join(gradient, bias);
    updates.push([`${layer}.bias`, bias, [columns]]);
    const weight = node("matmul", layer, "weight gradient", [rows, columns], 2 * batch * rows * columns);
    join(inputs[index], weight);
    join(gradient, weight);
    updates.push([`${layer}.weight`, weight, [rows, columns]]);
    if (index === 0) break;
    const back = node("matmul", layer, "input gradient", [batch, rows], 2 * batch * rows * columns);
    join(gradient, back);
    outside(back, `${layer}.weight`, [rows, columns], "parameter");
    gradient = node("reluGradient", `relu${index}`, "input gradient", [batch, rows], batch * rows);
    join(back, gradient);
    join(sums[index - 1], gradient);
  }
  for (const [name, from, shape] of updates) {
    const update = node(
      "sgd",
      name.split(".")[0],
      "update",
      shape,
      2 * shape.reduce((product, size) => product * size, 1),
    );
    join(from, update);
    outside(update, name, shape, "parameter");
    outside(update, "rate", [], "hyperparameter");
  }
  return { kind: "operator-graph", title, layers, nodes, edges };
}

/** A run that learns: losses fall as a power of the epoch, a little differently for each seed. */
export function sampleHistory(title: string, seed: number, finalError: number, epochs = 5): TrainingHistory {
  const wobble = (epoch: number): number => 1 + 0.12 * Math.sin(seed * 7.3 + epoch * 2.1);
  const stepsPerEpoch = 120;
  return {
    kind: "training-history",
    title,
    seed,
    batch: 64,
    samplesPerEpoch: 60_000,
    epochs: Array.from({ length: epochs }, (_, index) => ({
      epoch: index + 1,
      loss: 0.42 * (index + 1) ** -1.15 * wobble(index),
      validationLoss: 0.3 * (index + 1) ** -0.8 * wobble(index + 3),
      validationError: finalError * (1 + 2.2 / (index + 1) ** 1.4) * wobble(index + 5),
      seconds: 1.9,
    })),
    stepLosses: Array.from(
      { length: epochs * stepsPerEpoch },
      (_, step) => 2.3 * (1 + step / 12) ** -0.8 * (1 + 0.3 * Math.sin(step * (seed + 1.7))),
    ),
    interrupted: false,
  };
}
