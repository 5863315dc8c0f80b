import * as assert from "uvu/assert";
import { makeSchedule } from "../../../lib/compiler/index.ts";
import { type CompiledProgram, referenceEngine } from "../../../lib/engine/index.ts";
import { liveBound, validatePlan } from "../../../lib/memory/index.ts";
import * as nn from "../../../lib/nn/index.ts";
import { trainingGraph } from "../../../lib/training/index.ts";
import { suite } from "../../support/suite.ts";

const test = suite("the reference engine");

function program(depth = 3, batch = 8): CompiledProgram {
  const layers = [nn.flatten(), ...nn.repeat(depth, [nn.dense(6), nn.relu()]), nn.dense(3)];
  const model = nn.sequential(layers, { input: [4, 4] });
  const graph = trainingGraph(model, nn.sgd({ rate: 0.1, momentum: 0.9 }), { batch, loss: nn.crossEntropy() });
  return referenceEngine().compile(makeSchedule(graph));
}

test("its plan is valid, and its height is the arena's size", () => {
  const { problem, plan, arenaBytes, report } = program();
  assert.equal(validatePlan(problem, plan), []);
  assert.is(plan.height, arenaBytes);
  assert.is(report.arenaBytes, arenaBytes);
  assert.is(report.peak.bytes, liveBound(problem));
});

test("inputs and outputs lie in one arena of the planned size, at their planned offsets", () => {
  const compiled = program();
  const execution = referenceEngine().load(compiled);
  if (execution instanceof Promise) throw new Error("the reference engine loads at once");
  const { inputs, outputs } = compiled.schedule.graph;
  const arena = execution.input(inputs[0].name).buffer;
  assert.is(arena.byteLength, compiled.arenaBytes);
  for (const { name, value } of inputs) {
    const view = execution.input(name);
    assert.is(view.buffer, arena);
    assert.is(view.byteOffset, compiled.offsets.get(value.id));
  }
  for (const { name, value } of outputs) {
    const view = execution.output(name);
    assert.is(view.buffer, arena);
    assert.is(view.byteOffset, compiled.offsets.get(value.id));
    assert.is(execution.output(name), view, "the same view each time");
  }
});

test("nothing is written outside of what the plan says is alive", () => {
  // Every byte that no live buffer owns is filled before each step with a pattern, and must still hold it after.
  const compiled = program();
  const execution = referenceEngine().load(compiled);
  if (execution instanceof Promise) throw new Error("the reference engine loads at once");
  const arena = new Uint8Array(execution.input("input").buffer as ArrayBuffer);
  const before = [...execution.input("dense1.weight")];
  execution.input("dense1.weight").fill(0.1);
  execution.run();
  const free = new Uint8Array(compiled.arenaBytes).fill(1);
  for (const [index, { size }] of compiled.problem.buffers.entries()) {
    free.fill(0, compiled.plan.offsets[index], compiled.plan.offsets[index] + size);
  }
  assert.ok(free.every((isFree, byte) => isFree === 0 || arena[byte] === 0));
  assert.ok(before.every((value) => value === 0));
});

test("every buffer belongs to a category, and weights weigh what the model says", () => {
  const { report } = program(2);
  const weights = report.buffers.filter((buffer) => buffer.category === "weights");
  const elements = 16 * 6 + 6 + 6 * 6 + 6 + 6 * 3 + 3;
  assert.is(
    weights.reduce((sum, { bytes }) => sum + bytes, 0),
    4 * elements,
  );
  const optimizer = report.buffers.filter((buffer) => buffer.category === "optimizer");
  assert.is(
    optimizer.reduce((sum, { bytes }) => sum + bytes, 0),
    4 * elements,
  );
  const activations = report.buffers.filter((buffer) => buffer.category === "activations");
  assert.equal(
    activations.map(({ name, bytes }) => `${name} ${bytes}`),
    ["relu1.relu 192", "relu2.relu 192", "loss.crossEntropy 96"],
  );
});

test("an input or output that is not there is named, with those that are", () => {
  const execution = referenceEngine().load(program(1));
  if (execution instanceof Promise) throw new Error("the reference engine loads at once");
  assert.throws(
    () => execution.input("image"),
    'an input must exist, got "image"; this program has input, dense1.weight',
  );
  assert.throws(() => execution.output("accuracy"), 'got "accuracy"; this program has loss, dense1.weight');
});

test.run();
