import type { Execution } from "../engine/index.ts";
import { type Dataset, sampleCount } from "../formats/index.ts";
import { elementCount, formatShape, type HostTensor, tensor, zeros } from "../tensor/index.ts";
import type { Evaluation } from "./evaluation.ts";
import { Feed } from "./feed.ts";
import { names } from "./graphs.ts";
import { InterruptedError, interruptRequested, Pauses } from "./host.ts";
import type { ProgramParts } from "./parts.ts";

/** Takes the answers to `rows` samples, of which the first is number `from`. */
type Take = (from: number, rows: number, execution: Execution) => void;

/** Runs the inference program over a data set, batch by batch; the last batch is filled up and its excess left out. */
async function answerAll({ model, executions, batch }: ProgramParts, data: Dataset, take: Take): Promise<void> {
  const count = sampleCount(data);
  const execution = await executions.acquire("inference", batch, false);
  const feed = new Feed(data);
  const order = Uint32Array.from({ length: count }, (_, index) => index);
  const pauses = new Pauses();
  for (let from = 0; from < count; from += batch) {
    feed.fill(order, from, batch, execution);
    execution.run();
    take(from, Math.min(batch, count - from), execution);
    if (interruptRequested()) {
      throw new InterruptedError(`${model.name}: interrupted after sample ${from} of ${count}; nothing was changed`);
    }
    if (pauses.due()) await pauses.take();
  }
}

/** Answers every sample of a checked data set and compares with the targets. */
export async function evaluate(parts: ProgramParts, data: Dataset): Promise<Evaluation> {
  const { model, loss } = parts;
  const samples = sampleCount(data);
  const classes = loss.classes ? model.output[0] : 0;
  const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  let total = 0;
  let wrong = 0;
  await answerAll(parts, data, (from, rows, execution) => {
    const losses = execution.output(names.losses);
    for (let row = 0; row < rows; row++) total += losses[row];
    if (!loss.classes) return;
    const predictions = execution.output(names.predictions);
    for (let row = 0; row < rows; row++) {
      const label = data.targets.data[from + row];
      confusion[label][predictions[row]]++;
      if (predictions[row] !== label) wrong++;
    }
  });
  const evaluation: Evaluation = {
    kind: "evaluation",
    title: model.name,
    dataset: data.name,
    samples,
    loss: total / samples,
  };
  return loss.classes ? { ...evaluation, error: wrong / samples, confusion } : evaluation;
}

/**
 * The outputs for every sample.
 *
 * @throws Error if the inputs do not have the model's shape
 */
export async function predict(parts: ProgramParts, inputs: HostTensor | Dataset): Promise<HostTensor<"float32">> {
  const { model, loss } = parts;
  const given = "kind" in inputs;
  const source = given ? inputs.inputs : inputs;
  if (formatShape(source.shape.slice(1)) !== formatShape(model.input)) {
    throw new Error(
      `predict: inputs must be [samples, ...${formatShape(model.input)}], got ${formatShape(source.shape)}; add a batch axis or reshape them`,
    );
  }
  const count = source.shape[0];
  const result = zeros([count, ...model.output]);
  if (count === 0) return result;
  const target = loss.target(count, model.output);
  const data: Dataset = {
    kind: "dataset",
    name: "inputs",
    inputs: source.dtype === "uint8" ? (source as HostTensor<"uint8">) : tensor(source.data, { shape: source.shape }),
    scale: given ? inputs.scale : 1,
    // Nobody reads the losses, but the program computes them.
    targets: zeros(target.shape, target.dtype as "int32"),
    classes: [],
  };
  const size = elementCount(model.output);
  await answerAll(parts, data, (from, rows, execution) => {
    result.data.set(execution.output(names.output).subarray(0, rows * size) as Float32Array, from * size);
  });
  return result;
}
