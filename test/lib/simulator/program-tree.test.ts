import * as assert from "uvu/assert";
import {
  branch,
  call,
  choose,
  codelet,
  copy,
  devices,
  execute,
  Graph,
  inOut,
  input,
  output,
  printTensor,
  programFunction,
  repeat,
  repeatWhile,
  sequence,
} from "../../../lib/graph/index.ts";
import { lower } from "../../../lib/lowering/index.ts";
import * as nn from "../../../lib/nn/index.ts";
import { BlockEngine, Engine, formatProgramTree, type ProgramNode } from "../../../lib/simulator/index.ts";
import { toNested } from "../../../lib/tensor/index.ts";
import { inferenceGraph } from "../../../lib/training/index.ts";
import { suite } from "../../support/suite.ts";
import { trainingSchedule } from "../../support/training-pair.ts";

const test = suite("program trees");

const increment = codelet(
  "Increment",
  { counter: inOut("int") },
  ({ counter }) => {
    counter.value += 1;
  },
  () => 4,
);

const below = codelet(
  "Below",
  { counter: input("int"), flag: output("bool") },
  ({ counter, flag }) => {
    flag.value = counter < 5 ? 1 : 0;
  },
  () => 5,
);

function counting() {
  const graph = new Graph(devices.lecture);
  const counter = graph.addVariable("int", [], "counter");
  const copied = graph.addVariable("int", [], "copied");
  const flag = graph.addVariable("bool", [], "flag");
  for (const tensor of [counter, copied, flag]) graph.setTileMapping(tensor, 1);
  const [up, check] = [graph.addComputeSet("up"), graph.addComputeSet("check")];
  graph.setTileMapping(graph.addVertex(up, increment, { counter }), 1);
  graph.setTileMapping(graph.addVertex(check, below, { counter, flag }), 1);
  const add = programFunction("add one", execute(up));
  const program = sequence([
    repeat(2, call(add)),
    repeatWhile(execute(check), flag, call(add)),
    branch(flag, call(add), copy(counter, copied)),
    choose(counter, { 5: printTensor(counter, "five"), 6: call(add) }),
  ]);
  return { engine: new Engine(graph, program, { print: () => {} }), counter };
}

/** Sums of parts are in the sum of the whole. */
function checkSums(node: ProgramNode): void {
  const sum = (key: "cycles" | "supersteps" | "bytes"): number =>
    node.parts.reduce((total, part) => total + part[key], 0);
  for (const key of ["cycles", "supersteps", "bytes"] as const) {
    if (node.kind === "sequence" || node.kind === "repeat") assert.is(node[key], sum(key), `${node.kind} ${node.name}`);
    else assert.ok(node[key] >= sum(key), `${node.kind} ${node.name}`);
  }
  for (const part of node.parts) checkSums(part);
}

test("every part of a program tells how often it was begun and what it took; a function stands once", () => {
  const { engine } = counting();
  const { root, functions, device } = engine.run().programTree();
  assert.is(device, "Lecture");
  assert.is(root.cycles, engine.report().cycles);
  assert.is(root.supersteps, engine.report().supersteps.length);
  checkSums(root);
  const [twice, loop, decided, chosen] = root.parts;
  assert.equal([twice.kind, twice.name, twice.times], ["repeat", "2 times", 1]);
  assert.equal([twice.parts[0].kind, twice.parts[0].name, twice.parts[0].times], ["call", "add one", 2]);
  // Five is reached by two, then three more; the condition is looked at four times.
  const [condition, body] = loop.parts;
  assert.equal([condition.times, body.times], [4, 3]);
  assert.is(loop.supersteps, 4 + 4 + 3);
  assert.equal(
    decided.parts.map(({ times }) => times),
    [0, 1],
  );
  assert.equal(
    chosen.parts.map(({ kind, times }) => [kind, times]),
    [
      ["printTensor", 1],
      ["call", 0],
      ["sequence", 0],
    ],
  );
  assert.is(functions.length, 1);
  const [{ name, body: shared }] = functions;
  assert.equal([name, shared.kind, shared.times, shared.vertices], ["add one", "execute", 5, 1]);
  assert.is(shared.cycles, 5 * (devices.lecture.syncCycles + 6 * 4));
  const text = formatProgramTree(engine.programTree()).split("\n");
  assert.is(text[0], `Lecture: ${root.cycles.toLocaleString("en-US")} cycles`);
  assert.ok(
    text.some((line) => /^ {2}repeatWhile "flag" bool \[\] +1 +0 +11 /.test(line)),
    text.join("\n"),
  );
  assert.ok(text.some((line) => line === "function add one"));
  assert.match(formatProgramTree(engine.programTree(), { depth: 2 }), /repeat 2 times \(1 parts\)/);
  engine.load();
  assert.is(engine.programTree().root.cycles, 0);
  assert.is(engine.run().programTree().root.times, 1);
});

test("a program is stepped through superstep by superstep, with tensors read in between", () => {
  const { engine, counter } = counting();
  const seen: [string, unknown][] = [];
  for (const { name } of engine.steps()) seen.push([name.split(" ")[0], toNested(engine.readTensor(counter))]);
  assert.equal(seen.slice(0, 5), [
    ["up", 1],
    ["up", 2],
    ["check", 2],
    ["condition", 2],
    ["up", 3],
  ]);
  assert.is(seen.length, engine.report().supersteps.length);
});

test("a lowered network's tree has its phases and layers, and sums up to its report", () => {
  const model = nn.sequential([nn.flatten(), nn.dense(32), nn.relu(), nn.dense(10)], { input: [28, 28], seed: 1 });
  const program = lower(trainingSchedule(model, 4), devices.lecture);
  const engine = new BlockEngine(program, { values: false, fit: false });
  const { root, functions } = engine.run().run().programTree();
  checkSums(root);
  assert.is(root.cycles, engine.report().cycles);
  assert.is(root.bytes, engine.report().exchangedBytes);
  const named = (node: ProgramNode): string[] => node.parts.map(({ name }) => name);
  assert.equal([...new Set(named(root))], ["forward", "backward", "update"]);
  assert.equal(named(root.parts[0]).slice(0, 4), ["flatten1", "dense1", "relu1", "dense2"]);
  const executed = (node: ProgramNode): number =>
    node.kind === "execute" ? node.vertices : node.parts.reduce((sum, part) => sum + executed(part), 0);
  assert.is(executed(root), program.graph.vertexCount);
  assert.equal(functions, []);
  let steps = 0;
  for (const { cycles } of engine.steps()) steps += cycles;
  assert.is(3 * steps, engine.report().cycles);
});

test("parts that are mapped once are functions of the tree, called from every layer that has them", () => {
  const layers = [nn.flatten(), ...nn.repeat(4, [nn.dense(64), nn.relu()]), nn.dense(10)];
  const model = nn.sequential(layers, { input: [64], seed: 1 });
  const program = lower(inferenceGraph(model, { batch: 8, loss: nn.crossEntropy() }), devices.lecture, {
    outline: true,
  });
  const engine = new BlockEngine(program, { values: false, fit: false }).run();
  const { root, functions } = engine.programTree();
  assert.is(functions.length, program.functions.length);
  const [shared] = functions;
  assert.is(shared.body.times, program.functions[0].callers.length);
  assert.is(shared.body.parts.length, program.functions[0].families.length);
  const calls: ProgramNode[] = [];
  const walk = (node: ProgramNode): void => {
    if (node.kind === "call") calls.push(node);
    for (const part of node.parts) walk(part);
  };
  walk(root);
  assert.is(calls.length, shared.body.times);
  assert.is(
    calls.reduce((sum, { cycles }) => sum + cycles, 0),
    shared.body.cycles,
  );
  assert.is(root.cycles, engine.report().cycles);
  checkSums(root);
});

test.run();
