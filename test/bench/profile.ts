import { makeSchedule } from "../../lib/compiler/index.ts";
import { wasmEngine } from "../../lib/engine/index.ts";
import { headerBytes } from "../../lib/engine/wasm/barrier.ts";
import { emitProgram } from "../../lib/engine/wasm/emit-program.ts";
import { detectFeatures } from "../../lib/engine/wasm/features.ts";
import * as nn from "../../lib/nn/index.ts";
import { type OperatorName, operatorTable } from "../../lib/ops/index.ts";
import { elementCount, random } from "../../lib/tensor/index.ts";
import { trainingGraph } from "../../lib/training/index.ts";
import { type Measured, median } from "./benchmark.ts";
import { convolutional } from "./cnn.ts";
import { perceptrons } from "./mlp.ts";
import { batch } from "./training-step.ts";

/** One nest of a training step, as measured. */
export interface NestTime {
  readonly step: string;
  readonly nest: string;
  readonly seconds: number;
  /** Of the whole step, by the operators' declared costs; the step's nests share them. */
  readonly stepFlops: number;
}

/** Median seconds of each nest of a model's training step, on one thread, in the order in which they run. */
export async function profile(model: nn.Model, batch: number, seconds = 3): Promise<readonly NestTime[]> {
  const graph = trainingGraph(model, nn.sgd({ rate: 0.01 }), { batch, loss: nn.crossEntropy() });
  const program = wasmEngine().compile(makeSchedule(graph));
  const emitted = emitProgram(program, 1, detectFeatures(), true);
  const memory = new WebAssembly.Memory({ initial: emitted.pages });
  for (const { name, value, role } of graph.inputs) {
    const place = headerBytes + (program.offsets.get(value.id) as number);
    const count = elementCount(value.type.shape);
    if (value.type.dtype === "int32") new Int32Array(memory.buffer, place, count).fill(1);
    else if (role === "hyperparameter") new Float32Array(memory.buffer, place, count).fill(0.01);
    else if (role === "data")
      new Float32Array(memory.buffer, place, count).set(random(1).uniform(value.type.shape).data);
    else if (role === "parameter") {
      const values = model.initialise(1)[model.parameters.findIndex((parameter) => parameter.name === name)];
      new Float32Array(memory.buffer, place, count).set(values.data as Float32Array);
    }
  }
  const { exports } = await WebAssembly.instantiate(await WebAssembly.compile(emitted.bytes), { host: { memory } });
  const calls = emitted.nests.map((_, index) => exports[`nest${index}`] as (thread: number) => void);
  const samples = calls.map((): number[] => []);
  const start = performance.now();
  for (let round = 0; round < 5 || performance.now() - start < seconds * 1000; round++) {
    const warm = performance.now() - start > seconds * 300;
    for (const [index, call] of calls.entries()) {
      const before = performance.now();
      call(0);
      if (warm || round > 2) samples[index].push((performance.now() - before) / 1000);
    }
    // Optimised code is installed between turns of the event loop.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return emitted.nests.map(({ step, name }, index) => {
    const { operations, name: of, layer } = program.steps[step];
    const stepFlops = operations.reduce((sum, { operator, inputs, outputs, attributes }) => {
      const types = [inputs, outputs].map((values) => values.map(({ type }) => type));
      return sum + operatorTable[operator as OperatorName].cost(types[0], types[1], attributes).flops;
    }, 0);
    return { step: `${layer} ${of}`, nest: name, seconds: median(samples[index]), stepFlops };
  });
}

function print(model: nn.Model, times: readonly NestTime[], total: number): void {
  console.log(`${model.name}, batch ${batch}: ${(total * 1e6).toFixed(0)} µs in ${times.length} nests, one thread`);
  for (const { step, nest, seconds, stepFlops } of times) {
    // Copies and packing have no operations of their own.
    const main = step.endsWith(nest);
    const speed = main ? `${(stepFlops / seconds / 1e9).toFixed(1)} GF/s` : "";
    const share = `${((100 * seconds) / total).toFixed(1)} %`;
    const columns = [`${(seconds * 1e6).toFixed(1)} µs`.padStart(13), share.padStart(7), speed.padStart(10)];
    console.log(`${columns.join(" ")}  ${main ? "" : `${nest} of `}${step}`);
  }
}

/** Prints where the time of training steps goes, for the networks of the benchmarks mlp and cnn. */
export async function measure(): Promise<Measured> {
  const figures: Record<string, number> = {};
  for (const [name, model] of Object.entries({ ...perceptrons, ...convolutional })) {
    const times = await profile(model, batch);
    const total = times.reduce((sum, { seconds }) => sum + seconds, 0);
    print(model, times, total);
    figures[`${name}NestsSeconds`] = total;
  }
  return { figures, peers: {} };
}
