// What a realm does, as the main module of a worker or of a process: loads a training step on two threads, runs it,
// tells the losses, and leaves without giving anything back; or goes on forever, if it is so told.
import { parentPort, workerData } from "node:worker_threads";
import { makeSchedule } from "../../../lib/compiler/index.ts";
import { type Execution, wasmEngine } from "../../../lib/engine/index.ts";
import { crossEntropy, dense, relu, sequential, sgd } from "../../../lib/nn/index.ts";
import { trainingGraph } from "../../../lib/training/index.ts";
import { fillInputs } from "./wasm-cases.ts";

/** A training step large enough for two threads to share. */
export async function loadTraining(threads: number): Promise<Execution> {
  const model = sequential([dense(96), relu(), dense(10)], { input: [200], seed: 1 });
  const schedule = makeSchedule(trainingGraph(model, sgd({ rate: 0.1 }), { batch: 64, loss: crossEntropy() }));
  const engine = wasmEngine({ threads });
  return engine.load(engine.compile(schedule));
}

/** The losses of some steps from seeded inputs. */
export function lossesOf(execution: Execution, steps: number): number[] {
  return Array.from({ length: steps }, (_, step) => {
    fillInputs(execution, 1 + step, step > 0);
    execution.run();
    return execution.output("loss")[0];
  });
}

if (parentPort !== null || process.argv[1]?.endsWith("realm.js")) {
  const execution = await loadTraining(2);
  const losses = lossesOf(execution, 3);
  if (parentPort === null) console.log(JSON.stringify(losses));
  else parentPort.postMessage(losses);
  while (workerData === "forever") execution.run();
}
