import {
  type MemoryOption,
  makeSchedule,
  planSchedule,
  type Schedule,
  strategiesOf,
} from "../../lib/compiler/index.ts";
import type { CompiledProgram, Engine } from "../../lib/engine/index.ts";
import { verify } from "../../lib/ir/index.ts";
import { validatePlan } from "../../lib/memory/index.ts";
import * as nn from "../../lib/nn/index.ts";
import { operatorTable } from "../../lib/ops/index.ts";
import { random } from "../../lib/tensor/index.ts";
import { trainingGraph } from "../../lib/training/index.ts";
import { targetOf } from "../../lib/training/target.ts";

/** A network, how it is trained and on what. */
export interface Setting {
  readonly engine: Engine;
  readonly model: nn.Model;
  readonly batch: number;
  /** Replaces the first weights, element by element. */
  readonly weight?: (element: number) => number;
  /** Replaces the inputs, element by element. */
  readonly sample?: (element: number) => number;
}

/** So many dense layers, one after the other. */
export function denseTower(layers: number): nn.Model {
  return nn.sequential([nn.flatten(), ...nn.repeat(layers, [nn.dense(32), nn.tanh()]), nn.dense(10)], {
    input: [6, 6],
    seed: 3,
  });
}

/** So many residual blocks on pictures of `side` pixels: with running statistics, and with what is drawn by chance. */
export function residualTower(blocks: number, side: number): nn.Model {
  return nn.sequential(
    [
      nn.reshape([1, side, side]),
      nn.convolution(4, { kernel: 3, padding: "same" }),
      ...nn.repeat(blocks, [
        nn.residual([nn.convolution(4, { kernel: 3, padding: "same" }), nn.batchNorm(), nn.relu(), nn.dropout(0.3)]),
      ]),
      nn.flatten(),
      nn.dense(10),
    ],
    { input: [side, side], seed: 5 },
  );
}

/** A training step with momentum, planned by a strategy; without one as it is. */
export function scheduleOf({ engine, model, batch }: Setting, memory?: MemoryOption): Schedule {
  const graph = trainingGraph(model, nn.sgd({ rate: 0.1, momentum: 0.9 }), { batch, loss: nn.crossEntropy() });
  if (memory === undefined) return makeSchedule(graph);
  return planSchedule(graph, strategiesOf(memory), targetOf(engine));
}

/**
 * Trains three steps by a schedule, weights and states carried over.
 *
 * @returns the compiled program, and every output after each step, such as `loss 1`
 * @throws Error if the graph is not sound or buffers overlap
 */
export async function trainBy(
  { engine, model, batch, weight, sample }: Setting,
  schedule: Schedule,
): Promise<{ readonly program: CompiledProgram; readonly results: ReadonlyMap<string, readonly number[]> }> {
  const program = engine.compile(schedule);
  const { problem, plan, host } = program;
  const overlaps = [...validatePlan(problem, plan), ...validatePlan(host.problem, host.plan)];
  const problems = [...verify(schedule.graph, operatorTable), ...overlaps];
  if (problems.length > 0) throw new Error(`the plan is not sound: ${JSON.stringify(problems[0])}`);
  const execution = await engine.load(program);
  for (const [index, { data }] of model.initialise(1).entries()) {
    const place = execution.input(model.parameters[index].name);
    place.set((weight === undefined ? data : data.map((_, element) => weight(element))) as never);
  }
  for (const [index, { data }] of model.initialStates().entries()) {
    execution.input(model.states[index].name).set(data as never);
  }
  execution.input("rate")[0] = 0.1;
  const results = new Map<string, number[]>();
  for (let step = 1; step <= 3; step++) {
    const drawn = random(step).uniform([batch, ...model.input]).data;
    execution.input("input").set((sample === undefined ? drawn : drawn.map((_, element) => sample(element))) as never);
    execution.input("target").set(Int32Array.from({ length: batch }, (_, row) => (row * step) % 10) as never);
    execution.run();
    for (const { name } of program.schedule.graph.outputs) results.set(`${name} ${step}`, [...execution.output(name)]);
  }
  execution.dispose();
  return { program, results };
}

/** The largest difference between two lists of numbers, relative to the largest of the first. */
export function relativeDifference(expected: readonly number[], got: readonly number[]): number {
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), Number.MIN_VALUE);
  return expected.reduce((most, value, index) => Math.max(most, Math.abs(value - got[index])), 0) / largest;
}
