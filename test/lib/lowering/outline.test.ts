import * as assert from "uvu/assert";
import { devices } from "../../../lib/graph/index.ts";
import { lower, lowerFine } from "../../../lib/lowering/index.ts";
import * as nn from "../../../lib/nn/index.ts";
import { BlockEngine, simulate } from "../../../lib/simulator/index.ts";
import { inferenceGraph } from "../../../lib/training/index.ts";
import { suite } from "../../support/suite.ts";
import { compareTraining, trainingSchedule } from "../../support/training-pair.ts";

const test = suite("outlining");

test("a training step whose repeated parts are called leaves the values of the reference engine", async () => {
  const deep = nn.sequential([nn.flatten(), ...nn.repeat(4, [nn.dense(24), nn.relu()]), nn.dense(10)], {
    input: [28, 28],
    seed: 1,
  });
  const resnet = nn.models.smallResnet({ blocks: [2, 1], filters: 4, input: [1, 12, 12] });
  for (const model of [deep, resnet]) {
    const schedule = trainingSchedule(model, 2);
    const program = lower(schedule, devices.lecture, { outline: true });
    assert.ok(program.functions.length > 0);
    const engine = new BlockEngine(program, { fit: false });
    const { worst, where } = await compareTraining(model, schedule, {
      write: (name, values) => engine.write(name, values),
      run: () => engine.run(),
      read: (name) => engine.read(name).data,
    });
    assert.ok(worst <= 1e-5, `${model.name}: ${worst} at ${where}`);
  }
});

const resnet50 = nn.models.resnet50({ version: "v1" });
const inference = inferenceGraph(resnet50, { batch: 1, loss: nn.crossEntropy() });

test("ResNet-50's conv4 maps an identity block once for five, and its 3×3 and expanding 1×1 once for six", () => {
  const { functions } = lower(inference, devices.gc200, { outline: true });
  const callersOf = (layer: string): readonly string[] => {
    const found = functions.filter(({ callers }) => callers.includes(layer));
    assert.is(found.length, 1, layer);
    return found[0].callers;
  };
  const block = (number: number, convolution: number): string => `conv4/bottleneck${number}/convolution${convolution}`;
  const blocks = (numbers: readonly number[], convolution: number): string[] =>
    numbers.map((number) => block(number, convolution));
  assert.equal(callersOf(block(2, 1)), blocks([2, 3, 4, 5, 6], 1));
  assert.equal(callersOf(block(1, 2)), blocks([1, 2, 3, 4, 5, 6], 2));
  assert.equal(callersOf(block(1, 3)), blocks([1, 2, 3, 4, 5, 6], 3));
  // The first block's strided 1×1 and its projection stand alone.
  assert.is(functions.filter(({ callers }) => callers.includes(block(1, 1))).length, 0);
});

test("mapped once there are fewer vertices and less code, for copies of what goes in and out", () => {
  const [plain, outlined] = [false, true].map((outline) => lower(inference, devices.gc200, { outline }));
  const [before, after] = [plain, outlined].map((program) => simulate(program, { fit: false }));
  assert.ok(outlined.graph.vertexCount < 0.6 * plain.graph.vertexCount);
  const sum = (bytes: Float64Array): number => bytes.reduce((total, value) => total + value, 0);
  assert.ok(sum(after.memory.vertexState) < 0.6 * sum(before.memory.vertexState));
  assert.ok(sum(after.memory.exchangeCode) < sum(before.memory.exchangeCode));
  assert.ok(after.cycles > before.cycles);
  // Weights of every call are copied, but within their tiles.
  const copies = outlined.graph.steps.filter((step) => step.kind === "copy" && step.from.role === "parameter");
  assert.ok(copies.length > 0);
  for (const step of copies) if (step.kind === "copy") assert.equal(step.from.tiles, step.to.tiles, step.name);
  const fine = [false, true].map((outline) => lowerFine(inference, devices.gc200, { outline }).graph.vertexCount);
  assert.ok(fine[1] < 0.5 * fine[0], String(fine));
});

test.run();
