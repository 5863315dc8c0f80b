import { type MemoryOption, makeSchedule, planSchedule, strategiesOf } from "../../lib/compiler/index.ts";
import { type Step, wasmEngine } from "../../lib/engine/index.ts";
import { bestFitPlan, greedyPlan, liveBound, type MemoryProblem } from "../../lib/memory/index.ts";
import * as nn from "../../lib/nn/index.ts";
import { type OperatorName, operatorTable } from "../../lib/ops/index.ts";
import { machines } from "../../lib/simulator/index.ts";
import { bytesOf, random } from "../../lib/tensor/index.ts";
import { trainingGraph } from "../../lib/training/index.ts";
import { targetOf } from "../../lib/training/target.ts";
import { integer } from "../support/operator-samples.ts";
import type { Figures, Measured } from "./benchmark.ts";

// Memory strategies on large networks, planned for the wasm engine and not executed: they are above one memory's 4 GiB.

/** A training step of a network at a batch, planned with a strategy. */
function planned(model: nn.Model, batch: number, memory: MemoryOption) {
  const graph = trainingGraph(model, nn.sgd({ rate: 0.1 }), { batch, loss: nn.crossEntropy() });
  const engine = wasmEngine();
  const before = performance.now();
  const program = engine.compile(planSchedule(graph, strategiesOf(memory), targetOf(engine)));
  const seconds = (performance.now() - before) / 1000;
  const rooflineSeconds = program.steps.reduce((sum, step) => sum + stepSeconds(step), 0);
  const {
    flops,
    extraFlops,
    leastExtraFlops = 0,
  } = program.report.strategy as NonNullable<typeof program.report.strategy>;
  return {
    bytes: program.arenaBytes,
    bound: program.report.peak.bytes,
    extraPercent: (100 * extraFlops) / flops,
    leastPercent: (100 * leastExtraFlops) / flops,
    seconds,
    rooflineSeconds,
  };
}

/** What a step takes at least on a machine like the V100 of the simulator, by its arithmetic and the bytes it moves. */
function stepSeconds({ operations, reads, writes }: Step): number {
  const { flopsPerSecond, memoryBytesPerSecond } = machines.gpu;
  const flops = operations.reduce((sum, { operator, inputs, outputs, attributes }) => {
    const types = (values: typeof inputs) => values.map(({ type }) => type);
    return sum + operatorTable[operator as OperatorName].cost(types(inputs), types(outputs), attributes).flops;
  }, 0);
  const bytes = [...reads, ...writes].reduce((sum, { type }) => sum + bytesOf(type), 0);
  return Math.max(flops / flopsPerSecond.single, bytes / memoryBytesPerSecond);
}

/** MONeT's measured overhead of time for ResNet-50 at batch 184, in percent by GB (its README). */
const monetPercent: Readonly<Record<number, number>> = { 10: 3.22, 8: 5.56, 6: 9.31, 5: 11.95 };

/** Budgets of ResNet-50 at batch 184 for which MONeT publishes overheads, and our own for VGG-19 at batch 64. */
function budgets(): Figures {
  const figures: Record<string, number> = {};
  const network = (name: string, model: nn.Model, batch: number, gigabytes: readonly number[]): void => {
    const plain = planned(model, batch, "reuse");
    figures[`${name}Batch${batch}ReuseBytes`] = plain.bytes;
    figures[`${name}Batch${batch}ReuseRooflineSeconds`] = plain.rooflineSeconds;
    for (const size of gigabytes) {
      const plan = planned(model, batch, { budget: size * 1e9 });
      const key = `${name}Batch${batch}In${size}GB`;
      figures[`${key}RooflinePercent`] = 100 * (plan.rooflineSeconds / plain.rooflineSeconds - 1);
      if (name === "resnet50" && size in monetPercent) figures[`${key}MonetTimePercent`] = monetPercent[size];
      figures[`${key}Bytes`] = plan.bytes;
      figures[`${key}ExtraPercent`] = plan.extraPercent;
      figures[`${key}BoundPercent`] = plan.leastPercent;
      figures[`${key}PlanSeconds`] = plan.seconds;
    }
  };
  network("resnet50", nn.models.resnet50(), 184, [10, 8, 6, 5]);
  network("vgg19", nn.models.vgg19(), 64, [6, 5]);
  network("mobilenet", nn.models.mobilenet(), 184, [8, 6, 5]);
  return figures;
}

/** What in-place and reuse save against every output and gradient kept, and against forward outputs alone. */
function sharing(): Figures {
  const figures: Record<string, number> = {};
  const models = { alexnet: nn.models.alexnet(), vgg16: nn.models.vgg16(), resnet50: nn.models.resnet50() };
  for (const [name, model] of Object.entries(models)) {
    const graph = trainingGraph(model, nn.sgd({ rate: 0.1 }), { batch: 32, loss: nn.crossEntropy() });
    const resident =
      4 * (model.parameterCount + model.states.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0));
    const forward = makeSchedule(graph, [])
      .graph.operations.filter(({ phase }) => phase === "forward")
      .flatMap(({ outputs }) => outputs)
      .reduce((sum, { type }) => sum + 4 * type.shape.reduce((a, b) => a * b, 1), 0);
    const everything = planned(model, 32, "keep-everything").bytes - resident;
    const reused = planned(model, 32, "reuse").bytes - resident;
    figures[`${name}KeepEverythingOverReuse`] = everything / reused;
    figures[`${name}ForwardOutputsOverReuse`] = forward / reused;
  }
  return figures;
}

/** A residual network of a thousand layers at batch 1,024. */
function thousandLayers(): Figures {
  const block = nn.residual([nn.dense(256), nn.relu(), nn.dense(256)]);
  const model = nn.sequential([nn.flatten(), nn.dense(256), ...nn.repeat(499, [block]), nn.dense(10)], {
    input: [28, 28],
  });
  const figures: Record<string, number> = {};
  const weights = 4 * model.parameterCount;
  for (const memory of ["keep-everything", "reuse", "checkpoint", "revolve", "rematerialise"] as const) {
    const { bytes, extraPercent, seconds } = planned(model, 1024, memory);
    figures[`thousandLayers_${memory}_ActivationBytes`] = bytes - weights;
    figures[`thousandLayers_${memory}_ExtraPercent`] = extraPercent;
    figures[`thousandLayers_${memory}_PlanSeconds`] = seconds;
  }
  return figures;
}

/** A thousand steps of a recurrent network, and 300 of an LSTM, a number each, batch 64: each step multiplies its own input. */
function thousandSteps(): Figures {
  const figures: Record<string, number> = {};
  const cells = [
    { cell: "rnn", steps: 1000, layer: nn.rnn(128, { stepwise: true }) },
    { cell: "lstm", steps: 300, layer: nn.lstm(128, { stepwise: true }) },
  ];
  for (const { cell, steps, layer } of cells) {
    const model = nn.sequential([layer, nn.dense(10)], { input: [steps, 1] });
    const resident = 4 * (model.parameterCount + 64 * steps);
    for (const memory of ["keep-everything", "reuse", "checkpoint", "revolve", "rematerialise"] as const) {
      const { bytes, extraPercent, seconds } = planned(model, 64, memory);
      const key = `${cell}${steps}Steps_${memory}`;
      figures[`${key}_ActivationBytes`] = bytes - resident;
      figures[`${key}_ExtraPercent`] = extraPercent;
      figures[`${key}_PlanSeconds`] = seconds;
    }
  }
  return figures;
}

/** A trace of a million allocations: most live shortly, a few for long, as in training. */
function millionAllocations(): Figures {
  const source = random(1);
  const count = 1_000_000;
  const buffers: MemoryProblem["buffers"] = Array.from({ length: count }, (_, id) => {
    const long = id % 50 === 0;
    const end = id + 1 + integer(source, 0, long ? 20_000 : 20);
    return { id, size: 64 * integer(source, 1, long ? 4000 : 400), alignment: 64, start: id, end };
  });
  const problem = { buffers };
  const bound = liveBound(problem);
  const figures: Record<string, number> = {};
  const plans = { greedyBySize: greedyPlan, bestFit: bestFitPlan };
  for (const [name, plan] of Object.entries(plans)) {
    const before = performance.now();
    const { height } = plan(problem);
    figures[`millionAllocations_${name}_PlanSeconds`] = (performance.now() - before) / 1000;
    figures[`millionAllocations_${name}_OverBound`] = height / bound;
  }
  return figures;
}

export async function measure(): Promise<Measured> {
  return {
    figures: { ...millionAllocations(), ...sharing(), ...thousandLayers(), ...thousandSteps(), ...budgets() },
    peers: {},
  };
}
