import * as assert from "uvu/assert";
import {
  chips,
  codelet,
  copy,
  devices,
  execute,
  Graph,
  inOut,
  input,
  output,
  repeat,
  sequence,
  toGraph,
  verifyGraph,
} from "../../../lib/graph/index.ts";
import { lowerFine } from "../../../lib/lowering/index.ts";
import * as nn from "../../../lib/nn/index.ts";
import { BlockEngine, Engine, formatReport } from "../../../lib/simulator/index.ts";
import { type HostTensor, random, toNested } from "../../../lib/tensor/index.ts";
import { suite } from "../../support/suite.ts";
import { trainingSchedule } from "../../support/training-pair.ts";

const test = suite("streams and remote buffers");

/** One neuron without an activation learns a line: weights and squared error, a sample at a time. */
const step = codelet(
  "Step",
  { x: input("float"), y: input("float"), weights: inOut.vector("float"), loss: output("float") },
  ({ x, y, weights, loss }) => {
    const error = weights[0] * x + weights[1] - y;
    weights[0] -= 0.1 * error * x;
    weights[1] -= 0.1 * error;
    loss.value = error * error;
  },
  () => 40,
);

test("a training loop on a tile is fed by streams, and hands its loss back after every step", () => {
  const graph = new Graph(devices.lecture);
  const sample = graph.addVariable("float", [2], "sample");
  const weights = graph.addVariable("float", [2], "weights");
  const loss = graph.addVariable("float", [], "loss");
  for (const tensor of [sample, weights, loss]) graph.setTileMapping(tensor, 5);
  const samples = graph.addHostToDeviceFIFO("samples", "float", 2);
  const losses = graph.addDeviceToHostFIFO("losses", "float", 1);
  const learn = graph.addComputeSet("learn");
  const edges = { x: sample.index(0), y: sample.index(1), weights, loss };
  graph.setTileMapping(graph.addVertex(learn, step, edges), 5);
  const program = repeat(2000, sequence([copy(samples, sample), execute(learn), copy(loss.flatten(), losses)]));
  const engine = new Engine(graph, program);
  const draw = random(1);
  const seen: number[] = [];
  engine.connectStream(samples, () => {
    const x = draw.nextUniform();
    return [x, 3 * x - 1];
  });
  engine.connectStream("losses", (values: HostTensor) => seen.push(values.data[0]));
  engine.run();
  assert.is(seen.length, 2000);
  const [slope, offset] = toNested(engine.readTensor(weights)) as number[];
  assert.ok(Math.abs(slope - 3) < 0.05 && Math.abs(offset + 1) < 0.05, `${slope} x + ${offset}`);
  assert.ok(seen[1999] < 1e-3 * seen[0]);
  // Twelve bytes a step; tile 5 alone takes them, four a cycle, which is slower than the host.
  const report = engine.report();
  assert.is(report.hostBytes, 2000 * 12);
  assert.equal(
    report.supersteps.slice(0, 3).map(({ name, hostBytes, exchangeCycles }) => [name, hostBytes, exchangeCycles[5]]),
    [
      ['copy stream "samples" float [2] to "sample" float [2]', 8, 2],
      ["learn", 0, 0],
      ['copy "loss" float [1] to stream "losses" float [1]', 4, 1],
    ],
  );
  assert.is(report.cycles, 2000 * (3 * devices.lecture.syncCycles + 2 + 1 + 6 * 40));
  assert.match(formatReport(report), /24,000 B from and to the host/);
});

test("what many tiles take together is as fast as the host's lanes, and each chip has lanes of its own", () => {
  const cycles = [1, 2].map((count) => {
    const target = chips(devices.gc200, count);
    const graph = new Graph(target);
    const tensor = graph.addVariable("float", [1472 * 512], "tensor");
    graph.mapLinearly(tensor);
    const stream = graph.addHostToDeviceFIFO("tensor", "float", 1472 * 512);
    const engine = new Engine(graph, copy(stream, tensor)).connectStream(stream, () => 1);
    const [superstep] = engine.run().report().supersteps;
    assert.is(superstep.cycles, target.syncCycles + superstep.hostCycles);
    return superstep.hostCycles;
  });
  // Sixteen lanes of 16 GT/s, of 130 bits 128 data: 31.5 GB/s.
  const bytes = 1472 * 512 * 4;
  assert.is(cycles[0], Math.ceil((bytes / 31_507_692_307.6923) * 1.33e9));
  assert.ok(Math.abs(cycles[1] / cycles[0] - 0.5) < 1e-4);
});

test("rows of a remote buffer are read and written by a number that the device holds", () => {
  const graph = new Graph(devices.lecture);
  const rows = graph.addRemoteBuffer("rows", "half", 3, 4);
  const one = graph.addVariable("half", [3], "one");
  const row = graph.addVariable("int", [], "row");
  graph.setTileMapping(one, 2).setTileMapping(row, 3);
  const next = codelet(
    "Next",
    { row: inOut("int") },
    ({ row }) => {
      row.value++;
    },
    () => 4,
  );
  const advance = graph.addComputeSet("advance");
  graph.setTileMapping(graph.addVertex(advance, next, { row }), 3);
  // Each row becomes the one before it, and the first stays.
  const program = repeat(3, sequence([copy(rows, one, row), execute(advance), copy(one, rows, row)]));
  const engine = new Engine(graph, program);
  for (let index = 0; index < 4; index++) engine.writeRemoteBuffer(rows, [index, 10 * index, 2049], index);
  engine.run();
  for (let index = 0; index < 4; index++) {
    // A half next to 2048 is two away from the next.
    assert.equal(toNested(engine.readRemoteBuffer(rows, index)), [0, 0, 2048], `row ${index}`);
  }
  assert.is(engine.report().hostBytes, 6 * 3 * 2);
  assert.throws(() => engine.run(), /remote buffer "rows": rows run from 0 to 3, got 4/);
  assert.throws(() => engine.readRemoteBuffer(rows, 4), /rows run from 0 to 3, got 4/);
  engine.load();
  assert.equal(toNested(engine.readRemoteBuffer(rows, 1)), [0, 0, 0], "loading clears it");
});

test("a network's lowered training step is fed by streams and leaves the values of the block engine", () => {
  const model = nn.sequential([nn.flatten(), nn.dense(12), nn.relu(), nn.dense(10)], { input: [6, 6], seed: 1 });
  const lowered = lowerFine(trainingSchedule(model, 4), devices.lecture);
  const { graph, program, tensors } = toGraph(lowered.graph);
  const blocks = new BlockEngine(lowered);
  const draw = random(2);
  const batches = Array.from({ length: 3 }, () => ({
    input: Array.from({ length: 4 * 36 }, () => draw.nextNormal()),
    target: Array.from({ length: 4 }, () => Math.floor(draw.nextUniform() * 10)),
  }));
  /** A variable's values in the order in which its blocks lie. */
  const stored = (name: "input" | "target", values: readonly number[]): number[] => {
    const placed = lowered.inputs.get(name);
    assert.ok(placed !== undefined);
    const into = new Array<number>(values.length);
    for (const [position, place] of placed.layout.storagePlaces().entries()) into[place] = values[position];
    return into;
  };
  const tensorOf = (name: string) => {
    const placed = lowered.inputs.get(name) ?? lowered.outputs.get(name);
    const tensor = placed && tensors.get(placed.variable);
    assert.ok(tensor !== undefined, name);
    return tensor;
  };
  const [x, y, loss] = ["input", "target", "loss"].map(tensorOf);
  const inputs = graph.addHostToDeviceFIFO("inputs", "float", x.elements);
  const targets = graph.addHostToDeviceFIFO("targets", "int", y.elements);
  const losses = graph.addDeviceToHostFIFO("losses", "float", loss.elements);
  const training = sequence([copy(inputs, x), copy(targets, y), program, copy(loss, losses)]);
  const engine = new Engine(graph, repeat(3, training));
  const weights = model.initialise();
  for (const [index, { name }] of model.parameters.entries()) {
    blocks.write(name, weights[index]);
    const { layout } = lowered.inputs.get(name) as { layout: { storagePlaces(): Uint32Array } };
    const values = new Float32Array(weights[index].data.length);
    for (const [position, place] of layout.storagePlaces().entries()) values[place] = weights[index].data[position];
    engine.writeTensor(tensorOf(name), values);
  }
  blocks.write("rate", 0.1);
  engine.writeTensor(tensorOf("rate"), 0.1);
  let turn = 0;
  engine.connectStream(inputs, () => stored("input", batches[turn].input));
  engine.connectStream(targets, () => stored("target", batches[turn++].target));
  const streamed: number[] = [];
  engine.connectStream(losses, ({ data }: HostTensor) => streamed.push(data[0]));
  engine.run();
  const expected = batches.map(({ input: values, target }) => {
    blocks.write("input", values).write("target", target).run();
    return blocks.read("loss").data[0];
  });
  assert.equal(streamed, expected);
  assert.is(engine.report().hostBytes, 3 * (4 * 36 * 4 + 4 * 4 + 4));
});

test("streams that lead the other way, do not fit, are not connected or fail are refused by name", () => {
  const graph = new Graph(devices.lecture);
  const a = graph.addVariable("float", [4], "a");
  const wide = graph.addVariable("float", [4, 2], "wide");
  graph.setTileMapping(a, 0).setTileMapping(wide, 0);
  const into = graph.addHostToDeviceFIFO("into", "float", 4);
  const out = graph.addDeviceToHostFIFO("out", "float", 4);
  const buffer = graph.addRemoteBuffer("buffer", "float", 4, 2);
  const constant = graph.addConstant("float", [4], 1, "ones");
  graph.setTileMapping(constant, 0);
  assert.throws(() => copy(out, a), /must lead from the host, got stream "out" float \[4\].*addHostToDeviceFIFO/);
  assert.throws(() => copy(a, into), /must lead to the host, got stream "into" float \[4\].*addDeviceToHostFIFO/);
  assert.throws(() => copy(into, wide), /one type and as many elements, got stream "into" float \[4\] and "wide"/);
  assert.throws(() => copy(into, constant), /a constant must not be written/);
  assert.throws(() => copy(into, a.slice(0, 1).broadcast(4)), /with repeats/);
  assert.throws(() => copy(buffer, a, 2), /rows run from 0 to 1, got 2 \(remote buffer "buffer" float \[2,4\]\)/);
  assert.throws(() => copy(a, buffer, a.index(0)), /the row must be one int, got "a" float/);
  assert.throws(() => copy(into as never, out as never), /one side must be a tensor/);
  assert.throws(() => graph.addHostToDeviceFIFO("into", "float", 1), /got "into", which is taken/);
  assert.throws(() => graph.addDeviceToHostFIFO("none", "float", 0), /elements must be a whole number ≥ 1, got 0/);
  assert.throws(() => graph.addRemoteBuffer("more", "float", 1, 0), /rows must be a whole number ≥ 1, got 0/);
  const other = new Graph(devices.lecture).addHostToDeviceFIFO("foreign", "float", 4);
  const [foreign] = verifyGraph(graph, copy(other, a));
  assert.is(foreign.rule, "foreign");
  assert.match(foreign.message, /must be of the engine's graph, got stream "foreign"/);
  const engine = new Engine(graph, sequence([copy(into, a), copy(a, out)]));
  assert.throws(() => engine.run(), /stream "into": it must be connected before it is used/);
  assert.throws(() => engine.connectStream("in", () => 1), /one of "into", "out", got "in"; correct the name/);
  engine.connectStream(into, () => [1, 2]);
  assert.throws(() => engine.run(), /stream "into": there must be a value for each of the 4 elements, got 2 values/);
  engine.connectStream(into, () => {
    throw new Error("no more samples");
  });
  assert.throws(() => engine.run(), /stream "into": the host's callback must not fail, got "no more samples"/);
});

test.run();
