import { makeSchedule, type Schedule } from "../../lib/compiler/index.ts";
import { referenceEngine } from "../../lib/engine/index.ts";
import * as nn from "../../lib/nn/index.ts";
import { elementCount, random } from "../../lib/tensor/index.ts";
import { trainingGraph } from "../../lib/training/index.ts";

/** Something that runs a lowered program: takes tensors, runs a step, gives tensors. */
export interface Machine {
  write(name: string, values: ArrayLike<number>): void;
  run(): void;
  read(name: string): ArrayLike<number>;
}

/** How a machine's results differ from the reference engine's. */
export interface Difference {
  /** The largest difference of an output over its tensor's largest magnitude. */
  readonly worst: number;
  readonly where: string;
}

/** The schedule of a model's training step with cross-entropy. */
export function trainingSchedule(model: nn.Model, batch: number, optimizer = nn.sgd({ rate: 0.1 })): Schedule {
  return makeSchedule(trainingGraph(model, optimizer, { batch, loss: nn.crossEntropy() }));
}

/** Trains a model for some steps on the reference engine and on a machine, with the same weights and data. */
export async function compareTraining(
  model: nn.Model,
  schedule: Schedule,
  machine: Machine,
  steps = 2,
): Promise<Difference> {
  const engine = referenceEngine();
  const execution = await engine.load(engine.compile(schedule));
  const draw = random(3);
  const weights = model.initialise();
  const states = model.initialStates();
  const batches: [string, ArrayLike<number>][] = [];
  for (const { name, value, role } of schedule.graph.inputs) {
    const count = elementCount(value.type.shape);
    const parameter = model.parameters.findIndex((other) => other.name === name);
    const state = model.states.findIndex((other) => other.name === name);
    let data: ArrayLike<number> = new Float32Array(count);
    if (parameter >= 0) data = weights[parameter].data;
    else if (state >= 0) data = states[state].data;
    else if (role === "hyperparameter") data = Float32Array.of(0.1);
    else if (role === "data") {
      const next = value.type.dtype === "int32" ? () => Math.floor(draw.nextUniform() * 10) : () => draw.nextNormal();
      data = Float32Array.from({ length: count }, next);
      batches.push([name, data]);
    }
    execution.input(name).set(data as never);
    machine.write(name, data);
  }
  let worst = 0;
  let where = "";
  for (let step = 0; step < steps; step++) {
    for (const [name, data] of batches) {
      execution.input(name).set(data as never);
      machine.write(name, data);
    }
    execution.run();
    machine.run();
    for (const { name } of schedule.graph.outputs) {
      const wanted = execution.output(name);
      const got = machine.read(name);
      let magnitude = 0;
      let difference = 0;
      for (let i = 0; i < wanted.length; i++) {
        magnitude = Math.max(magnitude, Math.abs(Number(wanted[i])));
        const own = Math.abs(Number(wanted[i]) - got[i]);
        difference = Number.isNaN(own) ? Number.POSITIVE_INFINITY : Math.max(difference, own);
      }
      const relative = difference / (magnitude || 1);
      if (relative >= worst) [worst, where] = [relative, `${name} after step ${step + 1}`];
    }
  }
  execution.dispose();
  return { worst, where };
}
