import * as assert from "uvu/assert";
import { makeSchedule } from "../../../lib/compiler/index.ts";
import { type CompiledProgram, wasmEngine } from "../../../lib/engine/index.ts";
import { headerBytes } from "../../../lib/engine/wasm/barrier.ts";
import { emitProgram } from "../../../lib/engine/wasm/emit-program.ts";
import { detectFeatures } from "../../../lib/engine/wasm/features.ts";
import { GraphBuilder, type OperatorGraph } from "../../../lib/ir/index.ts";
import { crossEntropy, dense, relu, sequential, sgd } from "../../../lib/nn/index.ts";
import { operatorTable } from "../../../lib/ops/index.ts";
import { bytesOf, random } from "../../../lib/tensor/index.ts";
import { trainingGraph } from "../../../lib/training/index.ts";
import { suite } from "../../support/suite.ts";
import { randomGraph, randomTraining } from "./random-graphs.ts";
import { caseGraph, compareWithReference } from "./wasm-cases.ts";

const test = suite("memory of the wasm engine");

/** A NaN that no arithmetic makes. */
const pattern = 0x7fdeadbe;

/** Which words of the arena belong to a planned buffer. */
function plannedWords({ problem, plan, arenaBytes }: CompiledProgram): Uint8Array {
  const planned = new Uint8Array(Math.ceil(arenaBytes / 4));
  for (const [index, { size }] of problem.buffers.entries()) {
    planned.fill(1, plan.offsets[index] / 4, Math.ceil((plan.offsets[index] + size) / 4));
  }
  return planned;
}

/** Runs a program once in a memory full of the pattern, where only inputs hold numbers. */
function runInPattern(program: CompiledProgram): { words: Int32Array; numbers: Float32Array } {
  const emitted = emitProgram(program, 1, detectFeatures());
  const memory = new WebAssembly.Memory({ initial: emitted.pages });
  const words = new Int32Array(memory.buffer).fill(pattern);
  const numbers = new Float32Array(memory.buffer);
  const draw = random(3);
  for (const { value, role } of program.schedule.graph.inputs) {
    const start = (headerBytes + (program.offsets.get(value.id) as number)) / 4;
    for (let i = start; i < start + bytesOf(value.type) / 4; i++) {
      if (value.type.dtype === "int32") words[i] = draw.next() % 2;
      else numbers[i] = role === "hyperparameter" ? 0.05 : 0.3 * draw.nextNormal();
    }
  }
  const instance = new WebAssembly.Instance(new WebAssembly.Module(emitted.bytes), { host: { memory } });
  (instance.exports.run as (thread: number) => void)(0);
  return { words, numbers };
}

test("nothing outside the planned buffers is written, and nothing is read before it is written", () => {
  const wasm = wasmEngine();
  const graphs: OperatorGraph[] = [];
  for (let seed = 1; seed <= 40; seed++) graphs.push(randomGraph(seed), randomTraining(seed));
  for (let seed = 1; seed <= 10; seed++) graphs.push(caseGraph("matmul", seed), caseGraph("sum", seed));
  for (const graph of graphs) {
    const program = wasm.compile(makeSchedule(graph));
    const { words, numbers } = runInPattern(program);
    const planned = plannedWords(program);
    const first = headerBytes / 4;
    const touched = words.findIndex(
      (word, index) =>
        word !== pattern && (index < first || index - first >= planned.length || planned[index - first] === 0),
    );
    assert.is(touched, -1, `${graph.name} writes at word ${touched}`);
    for (const { value, name } of graph.outputs) {
      const start = (headerBytes + (program.offsets.get(value.id) as number)) / 4;
      const end = start + bytesOf(value.type) / 4;
      assert.not.ok(numbers.subarray(start, end).some(Number.isNaN), `${graph.name}: ${name} has read the pattern`);
    }
  }
});

test("views of inputs and outputs stay the same objects from run to run, on memory that stays the same", async () => {
  const model = sequential([dense(16), relu(), dense(3)], { input: [7], seed: 1 });
  const schedule = makeSchedule(trainingGraph(model, sgd({ rate: 0.1 }), { batch: 5, loss: crossEntropy() }));
  const engine = wasmEngine();
  const execution = await engine.load(engine.compile(schedule));
  const views = (): unknown[] => ["input", "target", "rate"].map((name) => execution.input(name));
  const [before, loss] = [views(), execution.output("loss")];
  const { buffer } = loss;
  for (let run = 0; run < 3; run++) execution.run();
  assert.ok(views().every((view, index) => view === before[index]));
  assert.is(execution.output("loss"), loss);
  assert.is(loss.buffer, buffer);
  assert.is(execution.input("dense1.weight").buffer, buffer);
  execution.dispose();
});

test("a weight that is updated lies where it lay", () => {
  const model = sequential([dense(16), relu(), dense(3)], { input: [7], seed: 1 });
  const schedule = makeSchedule(trainingGraph(model, sgd({ rate: 0.1 }), { batch: 5, loss: crossEntropy() }));
  const { offsets } = wasmEngine().compile(schedule);
  for (const { value, updates } of schedule.graph.outputs) {
    if (updates !== null) assert.is(offsets.get(value.id), offsets.get(updates.id));
  }
});

test("tensors without elements are no trouble", async () => {
  const builder = new GraphBuilder(operatorTable, "empty");
  const x = builder.input("x", { shape: [3, 0], dtype: "float32" }, "data");
  const w = builder.input("w", { shape: [0, 5], dtype: "float32" }, "data");
  builder.output("product", builder.apply("matmul", [x, w]));
  builder.output("sum", builder.apply("sum", [x], { axes: [1] }));
  builder.output("max", builder.apply("max", [x], { axes: [1] }));
  builder.output("exp", builder.apply("exp", [w]));
  assert.is(await compareWithReference(wasmEngine(), builder.build(), { seed: 1 }), "");
});

test("an arena beyond 32-bit addresses is refused before anything is allocated", () => {
  const builder = new GraphBuilder(operatorTable, "giant");
  const x = builder.input("x", { shape: [40_000, 40_000], dtype: "float32" }, "data");
  builder.output("y", builder.apply("sum", [x], { axes: [0] }));
  const engine = wasmEngine();
  const program = engine.compile(makeSchedule(builder.build()));
  assert.throws(() => engine.load(program), /the arena must be smaller than 4 GiB, got 64001\d+ bytes \(giant\)/);
});

test("a dtype that the engine does not have is one clear error when the program is compiled", () => {
  const builder = new GraphBuilder(operatorTable, "doubles");
  const x = builder.input("x", { shape: [3], dtype: "float64" }, "data");
  builder.output("y", builder.apply("exp", [x]));
  assert.throws(
    () => wasmEngine().compile(makeSchedule(builder.build())),
    /wasm engine: tensors must be float32 or int32, got float64\[3\] \(%0, input "x"\)/,
  );
});

test.run();
