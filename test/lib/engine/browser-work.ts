// What the browser's test runs, in a page or in a worker of it: some training steps of a small network.
import { makeSchedule } from "../../../lib/compiler/index.ts";
import { wasmEngine } from "../../../lib/engine/index.ts";
import { convolution, crossEntropy, dense, flatten, maxPool, relu, sequential, sgd } from "../../../lib/nn/index.ts";
import { random } from "../../../lib/tensor/index.ts";
import { trainingGraph } from "../../../lib/training/graphs.ts";

const layers = [convolution(8, { kernel: 3, padding: 1 }), relu(), maxPool(2), flatten(), dense(64), relu(), dense(10)];
const model = sequential(layers, { input: [1, 28, 28], seed: 1, name: "small" });

/** The losses of some training steps, and whether threads shared memory. */
export interface Work {
  readonly losses: readonly number[];
  readonly shared: boolean;
}

/** Trains for ten steps on made-up pictures. */
export async function work(threads: number): Promise<Work> {
  const batch = 32;
  const graph = trainingGraph(model, sgd({ rate: 0.1 }), { batch, loss: crossEntropy() });
  const engine = wasmEngine({ threads });
  const execution = await engine.load(engine.compile(makeSchedule(graph)));
  for (const [index, { data }] of model.initialise(1).entries()) {
    execution.input(model.parameters[index].name).set(data as Float32Array);
  }
  execution.input("rate")[0] = 0.1;
  const inputs = random(7).uniform([batch, ...model.input]).data;
  const losses: number[] = [];
  for (let step = 0; step < 10; step++) {
    execution.input("input").set(inputs);
    execution.input("target").set(Int32Array.from({ length: batch }, (_, sample) => sample % 10));
    execution.run();
    losses.push(execution.output("loss")[0]);
  }
  const { buffer } = execution.input("rate");
  const shared = typeof SharedArrayBuffer !== "undefined" && buffer instanceof SharedArrayBuffer;
  execution.dispose();
  return { losses, shared };
}

if ("WorkerGlobalScope" in globalThis) {
  addEventListener("message", (event: MessageEvent<number>) => {
    work(event.data).then(
      (result) => postMessage(result),
      (error: unknown) => postMessage({ error: String(error) }),
    );
  });
}
