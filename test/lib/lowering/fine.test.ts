import * as assert from "uvu/assert";
import { makeSchedule } from "../../../lib/compiler/index.ts";
import {
  type BlockGraph,
  columnStart,
  countEdges,
  devices,
  external,
  formatCensus,
  graphcoreCounts,
  type PlacedTensor,
  ProducerIndex,
  takeCensus,
  toGraph,
  verifyGraph,
} from "../../../lib/graph/index.ts";
import { lowerFine } from "../../../lib/lowering/index.ts";
import * as nn from "../../../lib/nn/index.ts";
import { BlockEngine, Engine } from "../../../lib/simulator/index.ts";
import { inferenceGraph, trainingGraph } from "../../../lib/training/index.ts";
import { suite } from "../../support/suite.ts";
import { compareTraining, type Machine, trainingSchedule } from "../../support/training-pair.ts";

const test = suite("fine grain");

const mlp = () => nn.sequential([nn.flatten(), nn.dense(32), nn.relu(), nn.dense(10)], { input: [28, 28], seed: 1 });

function machineOf(engine: BlockEngine): Machine {
  return {
    write: (name, values) => engine.write(name, values),
    run: () => engine.run(),
    read: (name) => engine.read(name).data,
  };
}

async function worstOf(model: nn.Model, batch: number, optimizer?: nn.Optimizer): Promise<number> {
  const schedule = trainingSchedule(model, batch, optimizer);
  const engine = new BlockEngine(lowerFine(schedule, devices.gc200));
  const { worst, where } = await compareTraining(model, schedule, machineOf(engine));
  assert.ok(worst <= 1e-5, `${model.name}: ${worst} at ${where}`);
  return worst;
}

test("training steps on vertices leave the values of the reference engine", async () => {
  await worstOf(mlp(), 16);
  await worstOf(mlp(), 5, nn.sgd({ rate: 0.1, momentum: 0.9, nesterov: true, decay: 1e-3 }));
  await worstOf(mlp(), 3, nn.adam({ rate: 0.01, epsilon: 1e-3 }));
  await worstOf(nn.models.lenet5(), 1);
  await worstOf(nn.models.lenet5({ activation: "relu", pooling: "max" }), 4);
});

test("windows that stride, dilate, overlap and hang over the margin leave them, too, as do uneven groups", async () => {
  const layers = [
    nn.reshape([1, 28, 28]),
    nn.convolution(11, { kernel: 3, stride: 2, padding: 1, bias: false }),
    nn.batchNorm(),
    nn.relu(),
    nn.convolution(9, { kernel: [3, 2], padding: 2, dilation: 2 }),
    nn.maxPool(3, { stride: 2, padding: 1 }),
    nn.convolution(17, { kernel: 1, stride: 2 }),
    nn.averagePool(2, { stride: 1, padding: 1 }),
    nn.globalAveragePool(),
    nn.dense(10),
  ];
  await worstOf(nn.sequential(layers, { input: [28, 28], seed: 1 }), 3);
});

test("dropout drops what the engine drops, and layer normalisation is the same row by row", async () => {
  const layers = [nn.flatten(), nn.dense(33), nn.layerNorm(), nn.gelu(), nn.dropout(0.4), nn.dense(10)];
  await worstOf(nn.sequential(layers, { input: [28, 28], seed: 1 }), 5);
});

test("a product of blocks has one vertex for each pair of blocks, and the update adds up what they leave", () => {
  // 784 inputs are 98 groups of 8, 32 units are 4, 10 classes 2: by hand.
  const { graph } = lowerFine(trainingSchedule(mlp(), 16), devices.gc200);
  const vertices = (name: string): number[] =>
    graph.families.filter((family) => family.name === name).map(({ count }) => count);
  assert.equal(vertices("dense1/forward/matmul/partials"), [98 * 4]);
  assert.equal(vertices("dense1/forward/matmul/reduce"), [4]);
  assert.equal(vertices("dense1/backward/matmul"), [98 * 4]);
  // The bias and the weights.
  assert.equal(vertices("dense1/update/subtract/gradient descent"), [4, 98 * 4]);
  assert.equal(vertices("dense2/update/subtract/gradient descent"), [2, 4 * 2]);
});

test("a convolution has a vertex for each sample, row and pair of groups, with an edge for each kernel row that is there", () => {
  const model = nn.sequential([nn.convolution(16, { kernel: 3, padding: 1 }), nn.flatten(), nn.dense(10)], {
    input: [24, 6, 5],
    seed: 1,
  });
  const { graph } = lowerFine(inferenceGraph(model, { batch: 2, loss: nn.crossEntropy() }), devices.gc200);
  const [partials, reduce] = graph.families;
  assert.is(partials.count, 2 * 2 * 6 * 3);
  // Rows at the margin have two kernel rows, the four others three.
  assert.is(partials.inputs[0].blocks.length, 2 * 2 * 3 * (2 * 2 + 4 * 3));
  assert.is(partials.inputs[1].blocks.length, partials.count);
  assert.is(reduce.count, 2 * 2 * 6);
  assert.is(reduce.inputs[0].each, 3);
});

test("every edge from a vertex comes from one that ran before, and writes the block that is read", () => {
  const { graph } = lowerFine(trainingSchedule(nn.models.lenet5(), 2), devices.lecture);
  const index = new ProducerIndex();
  let produced = 0;
  for (const family of graph.families) {
    for (const column of family.inputs) {
      const into = new Uint32Array(column.blocks.length);
      produced += index.producers(column, 0, column.blocks.length, into);
      for (const [edge, vertex] of into.entries()) {
        if (vertex === external) continue;
        assert.ok(vertex < family.firstVertex);
        assert.ok(writes(graph, vertex, column.blocks[edge]));
      }
    }
  }
  assert.is(produced, countEdges(graph.families).produced);
});

function writes(graph: BlockGraph, vertex: number, block: number): boolean {
  const family = graph.families.findLast(({ firstVertex }) => firstVertex <= vertex);
  if (family === undefined) return false;
  const own = vertex - family.firstVertex;
  return family.outputs.some((column) => {
    const { blocks, variable } = column;
    if (blocks === null) return variable.firstBlock + own === block;
    return blocks.subarray(columnStart(column, own), columnStart(column, own + 1)).includes(block);
  });
}

test("expanded to single vertices it is the same graph: counts, values, cycles and exchange", () => {
  const model = nn.models.lenet5({ activation: "relu", pooling: "max" });
  const schedule = makeSchedule(inferenceGraph(model, { batch: 1, loss: nn.crossEntropy() }));
  const lowered = lowerFine(schedule, devices.gc200);
  const blocks = new BlockEngine(lowered);
  const expanded = toGraph(lowered.graph);
  assert.equal(verifyGraph(expanded.graph, expanded.program), []);
  assert.is(expanded.graph.vertices.count, lowered.graph.vertexCount);
  assert.is(expanded.graph.vertices.edgeCount, countEdges(lowered.graph.families).fields);
  const engine = new Engine(expanded.graph, expanded.program);
  const weights = model.initialise();
  for (const [name, { variable, layout }] of lowered.inputs) {
    const parameter = model.parameters.findIndex((other) => other.name === name);
    const values = Float32Array.from({ length: layout.elements }, (_, i) =>
      parameter >= 0 ? weights[parameter].data[i] : (i * 31) % 10,
    );
    blocks.write(name, values);
    const tensor = expanded.tensors.get(variable);
    assert.ok(tensor !== undefined);
    const places = layout.storagePlaces();
    const stored = new Float32Array(values.length);
    for (const [position, place] of places.entries()) stored[place] = values[position];
    engine.writeTensor(tensor, stored);
  }
  blocks.run();
  engine.run();
  const { variable, layout } = lowered.outputs.get("output") as PlacedTensor;
  const tensor = expanded.tensors.get(variable);
  assert.ok(tensor !== undefined);
  const stored = engine.readTensor(tensor).data;
  assert.equal(
    Array.from(layout.storagePlaces(), (place) => stored[place]),
    Array.from(blocks.read("output").data),
  );
  const [ours, theirs] = [blocks.report(), engine.report()];
  assert.is(ours.cycles, theirs.cycles);
  assert.is(ours.exchangedBytes, theirs.exchangedBytes);
  assert.equal(ours.tiles, theirs.tiles);
});

test("a census counts what is there and stands beside what was published", () => {
  const lowered = lowerFine(trainingSchedule(mlp(), 16), devices.gc200);
  const census = takeCensus(lowered.graph, lowered.name, lowered.rule);
  const sum = (rows: readonly { readonly vertices: number }[]): number =>
    rows.reduce((total, { vertices }) => total + vertices, 0);
  for (const rows of [census.layers, census.phases, census.codelets]) assert.is(sum(rows), census.totals.vertices);
  let crossing = 0;
  for (const { inputs, count, tiles } of lowered.graph.families) {
    for (const column of inputs) {
      for (let vertex = 0; vertex < count; vertex++) {
        for (let place = columnStart(column, vertex); place < columnStart(column, vertex + 1); place++) {
          const { variable, blocks } = column;
          if (variable.tiles[blocks[place] - variable.firstBlock] !== tiles[vertex]) crossing++;
        }
      }
    }
  }
  assert.is(census.mapping.crossingEdges, crossing);
  const text = formatCensus(census, graphcoreCounts.alexnetTraining);
  for (const part of ["row rule, groups of 8 × 8 channels", "18,700,000 vertices, 115,800,000 edges (6.19"]) {
    assert.ok(text.includes(part), text);
  }
});

test("the number of vertices and edges is linear in the batch", () => {
  const counts = (batch: number) => {
    const graph = trainingGraph(nn.models.lenet5(), nn.sgd({ rate: 0.1 }), { batch, loss: nn.crossEntropy() });
    return countEdges(lowerFine(graph, devices.gc200).graph.families);
  };
  const [one, two, three] = [counts(2), counts(4), counts(6)];
  for (const key of ["vertices", "inputs", "fields"] as const) assert.is(three[key] - two[key], two[key] - one[key]);
});

test("dtypes that no tile knows, groups that are none, and targets that are too large are refused", () => {
  const graph = trainingGraph(mlp(), nn.sgd({ rate: 0.1 }), { batch: 2, loss: nn.crossEntropy(), dtype: "float64" });
  assert.throws(() => lowerFine(graph, devices.gc200), /tiles know float32, .*got float64/);
  assert.throws(() => lowerFine(trainingSchedule(mlp(), 2), devices.gc200, { group: 0 }), /a group must be.*got 0/);
  const wide = { ...devices.gc200, tileCount: 70_000 };
  assert.throws(() => lowerFine(trainingSchedule(mlp(), 2), wide), /65,535 tiles, got 70000/);
});

test.run();
