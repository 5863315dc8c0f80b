import * as assert from "uvu/assert";
import { devices, elementBytes } from "../../../lib/graph/index.ts";
import { lower, lowerFine, type PlannedProgram } from "../../../lib/lowering/index.ts";
import * as nn from "../../../lib/nn/index.ts";
import { BlockEngine, simulate } from "../../../lib/simulator/index.ts";
import { decodeHalf, encodeHalf } from "../../../lib/tensor/index.ts";
import { inferenceGraph } from "../../../lib/training/index.ts";
import { suite } from "../../support/suite.ts";
import { compareTraining, type Machine, trainingSchedule } from "../../support/training-pair.ts";

const test = suite("half precision on tiles");

const mlp = () => nn.sequential([nn.flatten(), nn.dense(32), nn.relu(), nn.dense(10)], { input: [28, 28], seed: 1 });
const sum = (bytes: Float64Array): number => bytes.reduce((total, value) => total + value, 0);

function machineOf(engine: BlockEngine): Machine {
  return {
    write: (name, values) => engine.write(name, values),
    run: () => engine.run(),
    read: (name) => {
      const { dtype, data } = engine.read(name);
      return dtype === "float16" ? Float32Array.from(data, (bits) => decodeHalf("float16", bits)) : data;
    },
  };
}

async function worstOf(model: nn.Model, batch: number, optimizer?: nn.Optimizer): Promise<number> {
  const schedule = trainingSchedule(model, batch, optimizer);
  const programs = [
    lower(schedule, devices.lecture, { precision: "half" }),
    lowerFine(schedule, devices.lecture, { precision: "half" }),
  ];
  const differences: number[] = [];
  for (const program of programs) {
    const engine = new BlockEngine(program, { fit: false });
    differences.push((await compareTraining(model, schedule, machineOf(engine))).worst);
  }
  return Math.max(...differences);
}

test("training steps in half precision are within 0.005 of single's, relative to each tensor's largest number", async () => {
  // A half has eleven significant bits: an error of 0.0005 at each rounding, of which there are a few in a row.
  const lstm = nn.sequential([nn.lstm(24), nn.dense(10)], { input: [5, 12], seed: 1, name: "LSTM" });
  const wide = [nn.flatten(), nn.dense(33), nn.layerNorm(), nn.gelu(), nn.dropout(0.4), nn.dense(10)];
  assert.ok((await worstOf(mlp(), 24)) <= 0.005);
  assert.ok((await worstOf(mlp(), 24, nn.sgd({ rate: 0.1, momentum: 0.9 }))) <= 0.005);
  assert.ok((await worstOf(nn.models.lenet5(), 2)) <= 0.005);
  assert.ok((await worstOf(lstm, 4)) <= 0.005);
  assert.ok((await worstOf(nn.sequential(wide, { input: [28, 28], seed: 1 }), 5)) <= 0.005);
});

test("where a rounding may choose another maximum or another side of relu, they are within 0.1", async () => {
  assert.ok((await worstOf(nn.models.lenet5({ activation: "relu", pooling: "max" }), 2)) <= 0.1);
  assert.ok((await worstOf(nn.models.smallResnet({ blocks: [2, 1], filters: 4, input: [1, 12, 12] }), 2)) <= 0.1);
});

test("a product of halves is the exact one, rounded once", () => {
  const model = nn.sequential([nn.dense(20, { bias: false })], { input: [40], seed: 1 });
  const program = lower(inferenceGraph(model, { batch: 12, loss: nn.crossEntropy() }), devices.lecture, {
    precision: "half",
  });
  const engine = new BlockEngine(program);
  const half = (value: number): number => decodeHalf("float16", encodeHalf("float16", value));
  // Whole numbers and quarters: products and sums are exact in single precision, and sums are not in half.
  const x = Float32Array.from({ length: 12 * 40 }, (_, i) => ((i * 7) % 33) - 16 + ((i * 3) % 4) / 4);
  const [{ name }] = model.parameters;
  const w = Float32Array.from({ length: 40 * 20 }, (_, i) => ((i * 5) % 41) - 20);
  engine.write("input", x).write(name, w).run();
  const { data, dtype } = engine.read("output");
  assert.is(dtype, "float16");
  let inexact = 0;
  for (let row = 0; row < 12; row++) {
    for (let column = 0; column < 20; column++) {
      let total = 0;
      for (let k = 0; k < 40; k++) total += x[row * 40 + k] * w[k * 20 + column];
      if (half(total) !== total) inexact++;
      assert.is(decodeHalf("float16", data[row * 20 + column]), half(total));
    }
  }
  assert.ok(inexact > 20, `${inexact} sums were rounded`);
});

test("tensors take half the memory and the exchange, and the planner counts with the matrix unit's halves", () => {
  const schedule = trainingSchedule(nn.models.lenet5(), 4);
  const programs = (["single", "half"] as const).map((precision) => lower(schedule, devices.gc200, { precision }));
  const bytesOf = ({ graph }: PlannedProgram, role: string): number =>
    graph.variables
      .filter((variable) => variable.role === role && variable.layout.shape.length > 0 && variable.type !== "int")
      .reduce((total, { layout, type }) => total + layout.elements * elementBytes[type], 0);
  for (const role of ["data", "parameter"]) assert.is(bytesOf(programs[0], role), 2 * bytesOf(programs[1], role), role);
  const [single, half] = programs.map((program) => simulate(program));
  assert.ok(sum(half.memory.alwaysLive) <= 0.5 * sum(single.memory.alwaysLive) + 16);
  assert.ok(half.cycles < single.cycles);
  const cycles = programs.map(({ plans }) => plans.map(({ estimatedCycles }) => estimatedCycles));
  for (const [index, own] of cycles[1].entries()) assert.ok(own < cycles[0][index], programs[0].plans[index].name);
  assert.throws(
    () => lower(schedule, devices.gc200, { precision: "double" as never }),
    /the precision must be single or half, got double/,
  );
});

test("numbers that stand alone stay single: the rate, the loss, and what an optimiser counts with", () => {
  const { graph, outputs } = lower(trainingSchedule(mlp(), 4, nn.adam({ rate: 0.01 })), devices.lecture, {
    precision: "half",
  });
  for (const { name, layout, type } of graph.variables) {
    if (layout.shape.length === 0) assert.ok(type !== "half", name);
  }
  assert.is(outputs.get("loss")?.variable.type, "float");
});

test.run();
