import * as assert from "uvu/assert";
import * as nn from "../../../lib/nn/index.ts";
import { figures } from "../../../lib/plot/index.ts";
import { random, zeros } from "../../../lib/tensor/index.ts";
import { compile, residentWeights } from "../../../lib/training/index.ts";
import { suite } from "../../support/suite.ts";

const test = suite("small batches with resident weights");

test("batch 4 for 64: 16 times less for activations, over 100 layers where 9 fitted (Diamos et al. 2016)", () => {
  const report = residentWeights();
  const [usual, slow, resident] = report.rows;
  assert.is(usual.activationBytesPerLayer / resident.activationBytesPerLayer, 16);
  assert.is(usual.layersThatFit, 9);
  assert.ok(resident.layersThatFit > 100, String(resident.layersThatFit));
  // The paper sustains 2.8 TFLOP/s at batch 4: more than reading the weights allows, less than the machine's peak.
  assert.ok(slow.mostFlopsPerSecond < 2.8e12 && resident.mostFlopsPerSecond > 2.8e12);
  assert.is(slow.mostFlopsPerSecond, 672e9);
  assert.is(figures["resident-weights"](report).kind, "table");
});

test("executed: a recurrent network at batch 4 keeps a sixteenth of the activations of batch 64, and learns", async () => {
  const model = nn.sequential([nn.rnn(32), nn.dense(10)], { input: [12, 8], seed: 4 });
  const kept = (batch: number): number => Math.max(...compile(model, { batch, threads: 1 }).memory.live.activations);
  assert.is(kept(64), 16 * kept(4));
  const program = compile(model, { batch: 4, threads: 1 });
  const targets = zeros([64], "int32");
  for (let row = 0; row < 64; row++) targets.data[row] = row % 10;
  const inputs = random(1).uniform([64, 12, 8]);
  const data = { kind: "dataset", name: "drawn", inputs, targets, scale: 1, classes: [] } as const;
  const { epochs } = await program.fit(data, { epochs: 10, progress: false });
  assert.ok(epochs[9].loss < epochs[0].loss);
});

test("micro-batches of 4 keep as little and leave the algorithm as it is", () => {
  const model = nn.sequential([nn.rnn(32), nn.dense(10)], { input: [12, 8], seed: 4 });
  const kept = (batch: number, accumulate: number): number => {
    const { buffers, live } = compile(model, { batch, threads: 1, memory: { accumulate } }).memory;
    const cut = buffers.filter(({ name }) => name === "slice").reduce((most, { bytes }) => Math.max(most, bytes), 0);
    return Math.max(...live.activations) - cut;
  };
  assert.is(kept(64, 16), kept(4, 1));
});

test("a size that is none is refused", () => {
  assert.throws(() => residentWeights({ hidden: 0 }), /^resident weights: hidden must be above 0, got 0; leave/);
  assert.throws(() => residentWeights({ batches: [64, -4] }), /^resident weights: batches must be above 0, got -4/);
});

test.run();
